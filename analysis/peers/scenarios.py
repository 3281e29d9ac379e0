"""The scenario that a tool's run would have had, as far as its files tell."""

import re
import typing

import pydantic

from analysis.peers.imported import Imported, Level, Subject
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.scenario import Scenario

Names = dict[Subject, str]


def scenario_of(
    found: Imported, names: Names, price: dict[str, typing.Any] | None = None, pricing: str | None = None
) -> Scenario:
    """price: of every target, as a scenario has it; pricing: a price book's file. Raises BadInput for what no scenario can say."""
    payloads = dict.fromkeys(payload_of(level, found) for level in found.levels)
    data: dict[str, typing.Any] = {
        "name": slug(f"{found.tool}-{next(iter(names.values()))}"),
        "targets": [_target(subject, name) | _priced(subject, price) for subject, name in names.items()],
        "region": next((s.region for s in names if s.region), None),
        "payloads": [f"{stem}.jsonl" for stem in payloads],
        "load": _load(found.levels),
        "error_pause_s": 0.0,
        "pricing": pricing,
    }
    try:
        return Scenario.model_validate(data)
    except pydantic.ValidationError as e:
        first = e.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        why = f"{where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}"
        if data["region"] is None and "`region`" in why:
            why = f"its files do not say in which region `{next(iter(names.values()))}` is; add --region"
            raise BadInput(f"{found.tool}: {why}") from None
        raise BadInput(f"{found.tool}: its run makes no scenario ({why}); give what is wrong by its option") from None


def payload_of(level: Level, found: Imported) -> str:
    """What its prompts are called: by the tool, else by the tool's own name."""
    return slug(level.payload) if level.payload else found.tool


def target_names(found: Imported) -> Names:
    """A name for each subject: its endpoint's or its model's, with a number where several have the same."""
    names: Names = {}
    for subject in (level.subject for level in found.levels):
        if subject not in names:
            base = slug(subject.name or subject.endpoint or subject.model or found.tool)
            others = [name for name in names.values() if re.fullmatch(re.escape(base) + r"(-\d+)?", name)]
            names[subject] = f"{base}-{len(others) + 1}" if others else base
    return names


def slug(text: str) -> str:
    """A name that a scenario takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._") or "target"


def _priced(subject: Subject, price: dict[str, typing.Any] | None) -> dict[str, typing.Any]:
    found = price or dict(subject.price)
    return {"price": found} if found else {}


def _target(subject: Subject, name: str) -> dict[str, typing.Any]:
    known: dict[str, typing.Any] = {"name": name, "service": subject.service, "stream": subject.stream}
    if subject.labels:
        known["labels"] = dict(subject.labels)
    if subject.max_tokens:
        known["parameters"] = {"max_tokens": subject.max_tokens}
    if (group := subject.group or subject.model) and (
        subject.service != "bedrock" or subject.group or subject.endpoint
    ):
        known["model"] = group
    if subject.service == "bedrock":
        return known | {"model_id": subject.endpoint or subject.model, "api": "converse"}
    if subject.instance_type:
        known |= {"instance_type": subject.instance_type, "instance_count": subject.instance_count}
    if subject.service == "sagemaker":
        return known | {"endpoint": subject.endpoint or name, "dialect": subject.container}
    return known | {"base_url": subject.url, "model_id": subject.model or name, "dialect": subject.dialect}


def _load(levels: list[Level]) -> dict[str, typing.Any]:
    """Users, else rates; of a run with both the users, for a scenario has one of them. The stages have each its own."""
    users = sorted({level.users for level in levels if level.users is not None})
    rates = sorted({level.rate for level in levels if level.rate is not None})
    longest = max((b - a for a, b in (level.bounds for level in levels)), default=0.0)
    return {"users" if users else "rate": users or rates, "settle_s": 0.0, "measure_s": max(longest, 0.001)}
