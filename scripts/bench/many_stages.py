"""A run of many stages, as a run writes it: open-loop ones of one target, or closed-loop ones of several, so many requests each."""

import pathlib
import typing

import numpy as np

from locustfiles.contract.manifest import Manifest, Part, StageWindow, WorkerEntry, WorkerLoad
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.requests_file import RequestsFile
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.scenario.scenario import Scenario

START = 1_790_000_000.0
WINDOW_S, APART_S = 20.0, 5.0  # a closed loop's window; between the end of one and the next
BEFORE = 5  # requests of every stage that settle


def stages_of(number: int, records: int, targets: int) -> list[StageWindow]:
    """targets: 1 for rates, each window as long as its requests take; of several each has its share of the stages, by users."""
    found, at = [], START + 10
    for place in range(number):
        target = place * targets // number
        level = 1 + place - -(-target * number // targets)
        users, rate = (None, 2 + level / 4) if targets == 1 else (level, None)
        until = at + (records / rate if rate else WINDOW_S)
        load = WorkerLoad("local", 0.2, 1.5)
        window = StageWindow(
            place + 1, 1, f"target-{target + 1}", "prompts", users, rate, at - APART_S, at - APART_S, at, until, until, "time", True,
            whole=True, workers=[load],
        )  # fmt: skip
        found.append(window)
        at = until + APART_S
    return found


def manifest_of(stages: list[StageWindow], targets: int, records: int) -> Manifest:
    names = [f"target-{n + 1}" for n in range(targets)]
    loads = {"rate": [0.5, 1.0]} if targets == 1 else {"users": [1, 2]}
    scenario = {
        "name": "many-stages", "region": "us-east-1", "payloads": ["prompts.jsonl"], "load": loads | {"measure_s": WINDOW_S},
        "slo": {"latency_s": {"p95": 2.0}, "error_rate": 0.01},
        "targets": [
            {"name": name, "service": "bedrock", "api": "converse", "model_id": f"made.model-{name}", "stream": True} for name in names
        ],
    }  # fmt: skip
    ended, rows = stages[-1].hold_until, len(stages) * (records + BEFORE)
    whole = Scenario.model_validate(scenario).model_dump(mode="json")
    return Manifest(
        name="many-stages", run_id="m", status="complete", started_at=START, ended_at=ended, scenario_file="many.yaml", scenario=whole,
        seed=0, versions={}, git_revision=None, host="made", price_book=dict.fromkeys(("file", "region", "as_of", "source")),
        prices={name: {"input": 0.0003, "output": 0.0015} for name in names},
        payloads={"prompts": {"file": "prompts.jsonl", "sha256": "0" * 64, "prompts": 1000}}, stages=stages,
        workers=[WorkerEntry("local", "made", 0.0, rows, rows, 0, "m")], parts=[Part("m", START, ended, "complete", rows, rows, rows)],
    )  # fmt: skip


def make_run(path: pathlib.Path, number: int, records: int, targets: int = 1) -> RunFolder:
    """Of so many stages, each with so many measured requests."""
    folder, draw = RunFolder(path), np.random.default_rng(7)
    folder.create()
    stages = stages_of(number, records, targets)
    file = RequestsFile(folder.requests)
    for stage in stages:
        made = list(_records(stage, records, draw))
        stage.records = len(made)
        file.add_rows([one.row() for one in made])
        file.flush()
    file.close()
    folder.write_manifest(manifest_of(stages, targets, records))
    return folder


def _records(stage: StageWindow, records: int, draw: np.random.Generator) -> typing.Iterator[RequestRecord]:
    """Closed loops keep their users in flight; the answers' tokens come evenly."""
    begin, end = stage.measure_from or 0.0, stage.measure_until or 0.0
    pace = (end - begin) / records
    mean_s = 0.6 if stage.users is None else stage.users * pace
    took = mean_s * np.exp(0.1 * draw.standard_normal(records + BEFORE))
    for n, latency_s in enumerate(took):
        sent, tokens = begin + (n - BEFORE) * pace + 0.001, 40 + n % 7
        yield RequestRecord(
            started_at=sent, worker="local", user=n % (stage.users or 1), target=stage.target, service="bedrock",
            operation="ConverseStream", payload=stage.payload, prompt_id=str(stage.stage * 1000 + n), stage=stage.stage, repeat=1,
            users=stage.users, rate=stage.rate, phase="measure" if n >= BEFORE else "settle", call=stage.stage * 100_000 + n, reconnect=0,
            schedule_delay_ms=0.2 if stage.users is None else None, latency_ms=1000 * latency_s, ttft_ms=200 * latency_s,
            ttft_visible_ms=200 * latency_s, last_token_ms=1000 * latency_s, chunks=tokens, prompt_tokens=200 + n % 50,
            completion_tokens=tokens, prompt_token_source="service", token_source="service", response_bytes=4000, stop_reason="end_turn",
            http_status=200, request_id=f"{stage.stage}-{n}", in_flight=stage.users or 1, lag_ms=0.3,
            max_gap_ms=30.0, gaps=f"{int(100 * latency_s)}*{tokens - 1}",
        )  # fmt: skip
