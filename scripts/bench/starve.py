"""One run of real stages whose client is left alone, or kept from its CPU on purpose; and what of each stage is true.

Ways to starve it: `transport: boto3` with 200 streams on one core; busy neighbour processes on the client's core; pauses
(SIGSTOP) in the middle of the measured window. The endpoint keeps its own core, and its truth log knows better.
"""

import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import time
import typing

import numpy as np
import pandas as pd
import yaml

from analysis.cost.pricing import prices_of_run
from analysis.runs.run_reader import load_run
from analysis.runs.stage import stages_of
from analysis.verdicts.stage_results import results_of
from scripts.bench.child import PROMPT
from scripts.bench.client import Load, environment
from scripts.bench.clients import LOCUST
from scripts.bench.endpoint import ROOT, STREAM_MODEL, Endpoint, pin_to
from scripts.bench.measure import ClientFailed, cores
from scripts.bench.watch import Pause, Watch

FEW = 20  # below so many users answers are short, so that a stage of seconds has samples enough
TOKENS = {True: 10, False: 50}  # by whether users are few
PROMPTS = 10_000  # drawn at random: few are repeats
SETTLE_S, SETTLE_AT_MOST_S = 1.0, 4.0
LOOK_S = 0.05
BUSY = "import time\nover = time.monotonic() + {}\nwhile time.monotonic() < over: pass"


@dataclasses.dataclass(frozen=True)
class Sitting:
    """What one run does. `pauses`: one for each of its stages, in their order."""

    levels: tuple[int, ...]
    repeat: int = 1
    transport: str = "fast"
    neighbours: int = 0
    pauses: tuple[Pause, ...] = ()

    @property
    def starved(self) -> bool:
        return bool(self.pauses) or self.neighbours > 0 or self.transport != "fast"

    @property
    def stages(self) -> int:
        return len(self.levels) * self.repeat

    def words(self, stage: int) -> str:
        """What is done to stage 1, 2, …"""
        if self.pauses:
            return self.pauses[(stage - 1) % len(self.pauses)].words
        if self.neighbours:
            return f"{self.neighbours} busy neighbour{'s' if self.neighbours > 1 else ''}"
        return "left alone" if self.transport == "fast" else f"{self.transport} path"


class Row(typing.NamedTuple):
    """One stage. TTFTs are p99 of the same requests, ms; None where no success has one."""

    done: str
    starved: bool
    users: int
    requests: int
    published_ms: float | None
    true_ms: float | None
    lag_p99_ms: float
    cpu: float | None  # of the client in the window, of one core
    others: tuple[float, float] | None  # what other programs took of the client's and the endpoint's core in the window
    verdict: str
    reasons: str

    @property
    def error(self) -> float | None:
        """Of the published p99 TTFT, as a share of the endpoint's own."""
        return None if self.published_ms is None or not self.true_ms else abs(self.published_ms / self.true_ms - 1)


def sit(sitting: Sitting, endpoint: Endpoint, folder: pathlib.Path, seconds: float) -> Watch:
    """Run it to its end, its files in `folder`; the run is in `folder/run`. Raises ClientFailed."""
    folder.mkdir(parents=True)
    load = Load(max(sitting.levels), True, seconds, folder)
    (folder / "scenario.yaml").write_text(yaml.safe_dump(_scenario(sitting, folder, seconds)), encoding="utf-8")
    command = [LOCUST, "-f", str(ROOT / "locustfiles/sweep.py"), "--scenario", str(folder / "scenario.yaml")]
    command += ["--run-dir", str(folder / "run"), "--headless", "--only-summary"]
    over = time.monotonic() + 60 + sitting.stages * (3 * seconds + 20)
    endpoint_core, core = cores()
    with open(folder / "client.log", "wb") as log:
        client = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(endpoint, load, ROOT),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=pin_to(core),
        )
    try:
        with _neighbours(sitting.neighbours, core, over - time.monotonic()) as neighbours:
            ours = {core or 0: [client.pid, *neighbours], endpoint_core or 0: [endpoint.process.pid]}
            watch = Watch(sitting.pauses, folder / "run/requests.csv", client, ours)
            while client.poll() is None and time.monotonic() < over:
                watch.look()
                time.sleep(LOOK_S)
    finally:
        if client.poll() is None:
            client.kill()  # a paused one too
        client.wait()
    if not (folder / "run/manifest.json").exists():
        raise ClientFailed((folder / "client.log").read_text(errors="replace")[-500:])
    return watch


@contextlib.contextmanager
def _neighbours(n: int, core: int | None, at_most_s: float) -> typing.Iterator[list[int]]:
    """n processes that keep `core` busy, at the client's own priority; they end by themselves after at_most_s."""
    command = [sys.executable, "-c", BUSY.format(at_most_s)]
    busy = [subprocess.Popen(command, preexec_fn=pin_to(core)) for _ in range(n)]
    try:
        yield [process.pid for process in busy]
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _scenario(sitting: Sitting, folder: pathlib.Path, seconds: float) -> dict:
    lines = (json.dumps({"prompt": f"{n}. {PROMPT}"}) + "\n" for n in range(PROMPTS))
    (folder / "prompts.jsonl").write_text("".join(lines), encoding="utf-8")
    load = {"repeat": sitting.repeat, "settle_s": SETTLE_S, "settle_at_most_s": SETTLE_AT_MOST_S, "measure_s": seconds}
    targets = []
    for few in (True, False):
        levels = [users for users in sitting.levels if (users < FEW) == few]
        if levels:
            targets.append({
                "name": "few" if few else "many", "service": "bedrock", "model_id": STREAM_MODEL, "api": "converse", "stream": True,
                "price": {"input": 0.0001, "output": 0.0004}, "parameters": {"max_tokens": TOKENS[few]}, "load": load | {"users": levels},
            })  # fmt: skip
    return {
        "name": "verdicts", "targets": targets, "region": "us-east-1", "payloads": [str(folder / "prompts.jsonl")],
        "load": targets[0]["load"], "request_timeout_s": 30, "pricing": str(ROOT / "configs/pricing/local-demo.yaml"),
        "transport": sitting.transport,
    }  # fmt: skip


def rows_of(sitting: Sitting, run_folder: pathlib.Path, truth: pd.DataFrame, watch: Watch) -> list[Row]:
    """The run's stages beside the endpoint's truth."""
    run = load_run(run_folder)
    prices = prices_of_run(run).of_target
    true_ms = (truth.set_index("request_id")["first_token"] - truth.set_index("request_id")["arrival"]) * 1000
    rows = []
    for stage, result in zip(stages_of(run, prices), results_of(run, prices), strict=True):
        visit, published, of_stage = (
            stage.visit,
            result.figures.ttft.p99,
            true_ms.reindex(stage.good["request_id"]).dropna(),
        )
        window = (
            None
            if visit.measure_from is None or visit.measure_until is None
            else (visit.measure_from, visit.measure_until)
        )
        rows.append(
            Row(
                done=sitting.words(visit.stage),
                starved=sitting.starved,
                users=visit.users or 0,
                requests=len(stage.measured),
                published_ms=None if published is None else published * 1000,
                true_ms=float(np.percentile(of_stage, 99)) if len(of_stage) else None,
                lag_p99_ms=float(stage.measured["lag_ms"].quantile(0.99)),
                cpu=max((w.cpu for w in visit.workers), default=None),
                others=watch.others(*window) if window else None,
                verdict=result.figures.trust.verdict or "",
                reasons=result.figures.trust.reasons or "",
            )
        )
    return rows
