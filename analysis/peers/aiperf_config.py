"""What aiperf's summary says of a run: load, server, model and data set, in the forms of its versions."""

import pathlib

from analysis.peers.imported import Subject, route
from analysis.peers.nodes import Node


def load_of(config: Node, phase: str) -> tuple[int | None, float | None]:
    """(users, rate): a rate goes before a limit on what is in flight. Neither where the summary does not say."""
    measured = [p for p in config.get("phases").items() if not p.get("exclude_from_results").value]
    measured = [p for p in measured if p.get("kind").text() != "warmup"]
    named = [p for p in measured if p.get("name").text() == phase] or measured[:1]
    asked = named[0] if named else config.get("loadgen")
    rate = asked.get("rate").number() or asked.get("request_rate").number() or asked.get("user_centric_rate").number()
    if rate:
        return None, rate
    concurrency = asked.get("concurrency")
    return (1 if asked and not concurrency else concurrency.count()), None


def subject_of(config: Node, streamed: bool) -> Subject:
    endpoint = config.get("endpoint")
    urls = [node.text() for node in endpoint.get("urls").items()] + [endpoint.get("url").text()]
    models = [node.get("name").text() for node in config.get("models", "items").items()]
    models += [node.text() for node in endpoint.get("model_names").items()]
    return Subject(
        model=next(filter(None, models), None),
        url=route(next(filter(None, urls), None)),
        dialect="openai-completions" if endpoint.get("type").text() == "completions" else "openai-chat",
        stream=streamed or bool(endpoint.get("streaming").value),
    )


def data_of(config: Node) -> str | None:
    """The data set's file, or its name."""
    sets = config.get("datasets").items()
    named = sets[0].get("path").text() or sets[0].get("name").text() if sets else config.get("input", "file").text()
    return pathlib.PurePath(named).stem if named else None
