"""Run folders made from plain parameters, written by the load side's own writer."""

import dataclasses
import pathlib
import typing

from locustfiles.contract.manifest import Manifest, Problem, StageWindow, WorkerEntry
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.requests_file import RequestsFile
from locustfiles.contract.run_folder import RunFolder

START = 1_700_000_000.0  # Unix seconds at which every made run starts

P4D = {
    "name": "p4d",
    "model": "Llama 2 13B",
    "service": "sagemaker",
    "endpoint": "e",
    "dialect": "tgi",
    "stream": True,
    "instance_type": "ml.p4d.24xlarge",
    "parameters": {"max_tokens": 100},
}
BEDROCK = {
    "name": "bedrock",
    "model": "Llama 2 13B",
    "service": "bedrock",
    "model_id": "meta.llama2-13b-chat-v1",
    "stream": True,
    "parameters": {"max_tokens": 100},
}
PRICES = {"p4d": {"usd_per_hour": 37.688, "instance_count": 1}, "bedrock": {"input": 0.00075, "output": 0.001}}


def record(at: float, latency: float, **other) -> RequestRecord:
    """A request sent `at` s after the run's start that took `latency` s. By default: a success, not streamed."""
    values = {
        "started_at": START + at,
        "latency_ms": latency * 1000,
        "worker": "local",
        "user": 1,
        "target": "p4d",
        "service": "sagemaker",
        "operation": "InvokeEndpoint",
        "payload": "en",
        "prompt_id": "1",
        "stage": 1,
        "repeat": 1,
        "users": 1,
        "phase": "measure",
        "call": 0,
        "reconnect": 0,
        "prompt_token_source": "service",
        "token_source": "service",
        "response_bytes": 100,
        "http_status": 200,
        "in_flight": 1,
        "lag_ms": 0.1,
    }
    return RequestRecord(**(values | other))


def streamed(at: float, latency: float, ttft: float, tokens: int, **other) -> RequestRecord:
    """A streamed success whose last token comes with its end."""
    values = {"ttft_ms": ttft * 1000, "last_token_ms": latency * 1000, "chunks": tokens, "completion_tokens": tokens}
    return record(at, latency, **(values | other))


def window(stage: int, a: float | None, b: float | None, **other) -> StageWindow:
    """A stage measured over [a, b) s after the run's start."""
    values = {
        "stage": stage,
        "repeat": 1,
        "target": "p4d",
        "payload": "en",
        "users": 1,
        "rate": None,
        "started_at": START,
        "measure_from": None if a is None else START + a,
        "measure_until": None if b is None else START + b,
        "hold_until": None if b is None else START + b + 1,
        "ended_by": "time",
        "whole": b is not None,
    }
    return StageWindow(**(values | other))


def steady(
    stage: int, a: float, b: float, users: int, latency: float, lead: float = 0.0, **other
) -> list[RequestRecord]:
    """`users` users, each sending back to back requests of `latency` s from a - lead until one begins at b or later."""
    records = []
    for user in range(users):
        at = a - lead + latency * user / users
        while at < b + latency:
            phase = "settle" if at < a else "measure" if at < b else "hold"
            spot = {"stage": stage, "users": users, "user": user, "phase": phase, "in_flight": users}
            records.append(record(at, latency, **(spot | {"prompt_id": f"{user}-{len(records)}"} | other)))
            at += latency
    return records


def scenario(targets: list[dict], payloads: list[str], slo: dict | None = None, **other) -> dict:
    load = {"users": [1], "think_s": 0.0, "settle_s": 0.0, "measure_s": 60.0}
    return {
        "name": "made",
        "targets": targets,
        "region": "us-east-1",
        "payloads": [f"payloads/{p}.jsonl" for p in payloads],
        "load": load,
        "slo": slo or {},
        "pricing": "configs/pricing/x.yaml",
    } | other


def made_run(
    path: pathlib.Path,
    records: list[RequestRecord],
    stages: list[StageWindow],
    targets: list[dict] | None = None,
    prices: dict | None = None,
    slo: dict | None = None,
    workers: list[WorkerEntry] | None = None,
    scenario_keys: dict | None = None,
    problems: typing.Sequence[str] = (),
    **manifest_keys,
) -> pathlib.Path:
    """Write a run folder; calls are numbered by worker in the order given. Its path."""
    targets = targets or [P4D]
    counts: dict[str, int] = {}
    folder = RunFolder(path)
    folder.create()
    file = RequestsFile(folder.requests)
    for each in records:
        counts[each.worker] = counts.get(each.worker, 0) + 1
        file.add(dataclasses.replace(each, call=each.call or counts[each.worker]))
    file.close()
    payloads = list(dict.fromkeys(s.payload for s in stages)) or ["en"]
    if workers is None:
        workers = [WorkerEntry(w, "host", 0.0, n, n, 0) for w, n in counts.items()]
    values = {
        "name": "made",
        "run_id": path.name,
        "status": "complete",
        "started_at": START,
        "ended_at": START + 3600,
        "scenario_file": "configs/made.yaml",
        "scenario": scenario(targets, payloads, slo, **(scenario_keys or {})),
        "seed": 7,
        "versions": {},
        "git_revision": None,
        "host": "host",
        "price_book": {
            "file": "configs/pricing/x.yaml",
            "region": "us-east-1",
            "as_of": "2024-04-15",
            "source": "made",
        },
        "prices": prices or PRICES,
        "payloads": {},
        "workers": workers,
        "stages": stages,
        "problems": [Problem(text) for text in problems],
    }
    folder.write_manifest(Manifest(**(values | manifest_keys)))
    return path
