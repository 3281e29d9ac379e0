"""Parts of a run, made by hand: its inputs, a record, a manifest, a tally."""

import dataclasses
import pathlib

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.arrived import Arrived, read
from locustfiles.common.recording.stage_tally import Tally
from locustfiles.contract.lines import line_of
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.scenario import Scenario

ONE = {"service": "bedrock", "model_id": "m", "name": "one"}
TWO = {
    "service": "bedrock",
    "model_id": "m",
    "name": "two",
    "payloads": ["c.jsonl"],
    "load": {"users": [7], "measure_s": 9},
}


def inputs(*targets: dict, payloads=("x/a.jsonl", "b.jsonl"), users=(1, 3)) -> Inputs:
    scenario = Scenario.model_validate(
        {
            "name": "s",
            "targets": list(targets),
            "region": "us-east-1",
            "payloads": list(payloads),
            "load": {"users": list(users), "measure_s": 2},
            "pricing": "book.yaml",
        }
    )
    return Inputs(scenario, pathlib.Path("s.yaml"), {}, {}, {}, {}, "")


def record(call: int, worker: str = "w") -> RequestRecord:
    return RequestRecord(
        started_at=1.7e9 + call, worker=worker, user=1, target="t", service="bedrock", operation="Converse", payload="p",
        prompt_id="1", stage=1, repeat=1, users=1, phase="measure", call=call, reconnect=0, latency_ms=1.0,
        prompt_token_source="none", token_source="none", response_bytes=0, in_flight=1, lag_ms=0.0,
    )  # fmt: skip


def arrived(made: RequestRecord) -> Arrived:
    """The record as the master reads it from its row."""
    return read(line_of(made).encode())[0]


def manifest(**more) -> Manifest:
    made = Manifest(
        name="n", run_id="r", status="running", started_at=1.0, ended_at=None, scenario_file="s.yaml", scenario={}, seed=1, versions={},
        git_revision=None, host="h", price_book={}, prices={}, payloads={},
    )  # fmt: skip
    return dataclasses.replace(made, **more)


def measured(latencies: list[float], failed: int = 0, ttfts: list[float] | None = None) -> Tally:
    tally = Tally(requests=len(latencies) + failed, failed=failed, latencies=latencies, ttfts=ttfts or [])
    tally.first_sent, tally.last_ended = 0.0, 1e6  # a window of many latencies
    return tally
