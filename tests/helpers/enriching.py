"""Runs of today, and the figures that CloudWatch has of their minutes."""

import dataclasses
import json
import os
import pathlib
import time
import typing

from analysis.__main__ import main
from tests.helpers.emulator_process import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.made_run import BEDROCK, START, made_run, steady, window

#: a minute's begin twenty minutes ago, as seconds from a made run's start
MINUTE = int(time.time() // 60 * 60 - 1200) - START
HAIKU = BEDROCK | {"model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0", "name": "haiku", "model": "Haiku"}
OF_HAIKU = {"ModelId": HAIKU["model_id"]}


def shifted(stage: int, a: float, b: float, **other: typing.Any):
    """A stage measured from a to b s after MINUTE."""
    return window(stage, MINUTE + a, MINUTE + b, **({"target": "haiku", "started_at": START + MINUTE + a} | other))


def requests(stage: int, a: float, b: float, users: int, latency: float, **other: typing.Any) -> list:
    """Of that stage."""
    facts = {
        "target": "haiku",
        "service": "bedrock",
        "operation": "Converse",
        "prompt_tokens": 10,
        "completion_tokens": 5,
    }
    return steady(stage, MINUTE + a, MINUTE + b, users, latency, **(facts | other))


def spread(base: typing.Any, n: int, answers: typing.Sequence[dict] = ({},)) -> list:
    """n requests like that record, one every twelve seconds; answers: what they have of their own, in turn."""
    return [
        dataclasses.replace(base, started_at=base.started_at + 12 * i, prompt_id=str(i), **answers[i % len(answers)])
        for i in range(n)
    ]


def run_of(
    path: pathlib.Path, records: list, stages: list, targets: typing.Sequence[dict] = (HAIKU,), **other: typing.Any
):
    return made_run(
        path, records, stages, list(targets), {t["name"]: {"input": 0.001, "output": 0.005} for t in targets},
        started_at=START + MINUTE - 5, ended_at=START + MINUTE + 900, **other,
    )  # fmt: skip


def figure(
    name: str,
    minute: int,
    values: list[float],
    space: str = "AWS/Bedrock",
    dimensions: dict | None = None,
    unit: str = "None",
) -> dict:
    """Published of so many minutes after MINUTE."""
    at = START + MINUTE + 60 * minute + 30
    place = {"namespace": space, "name": name, "dimensions": dimensions or OF_HAIKU}
    return place | {"at": at, "values": values, "unit": unit}


def enrich(patch, said, folder: pathlib.Path, url: str, *arguments: str, **variables: str):
    """The command, asking the local endpoint: exit code, output lines, and service.json where it was written. patch, said: the
    fixtures monkeypatch and capsys."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    own = {
        "AWS_ACCESS_KEY_ID": EXAMPLE_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EXAMPLE_SECRET_KEY,
        "AWS_MAX_ATTEMPTS": "1",
    }
    own |= dict.fromkeys(("AWS_ENDPOINT_URL_CLOUDWATCH", "AWS_ENDPOINT_URL_SERVICE_QUOTAS"), url)
    for name, value in (own | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nowhere"} | variables).items():
        patch.setenv(name, value)
    said.readouterr()
    code, path, told = main(["enrich", str(folder), *arguments]), folder / "service.json", said.readouterr()
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return code, (told.out + told.err).splitlines(), document
