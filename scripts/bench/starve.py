"""One run of real stages whose client is left alone, or kept from its CPU on purpose; and what of each stage is true.

Ways to starve it: `transport: boto3` with 200 streams on one core; busy neighbour processes on the client's core; pauses
(SIGSTOP) in the middle of the measured window. The endpoint keeps its own core, and its truth log knows better.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import typing

import numpy as np
import pandas as pd
import psutil
import yaml

from analysis.cost.pricing import prices_of_run
from analysis.runs.run_reader import load_run
from analysis.runs.stage import stages_of
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.record import FIELDS
from scripts.bench.child import PROMPT
from scripts.bench.clients import LOCUST, Load, environment
from scripts.bench.endpoint import ROOT, STREAM_MODEL, Endpoint, pin_to
from scripts.bench.measure import ClientFailed, cores

FEW = 20  # below so many users answers are short, so that a stage of seconds has samples enough
TOKENS = {True: 10, False: 50}  # by whether users are few
PROMPTS = 10_000  # drawn at random: few are repeats
SETTLE_S, SETTLE_AT_MOST_S = 1.0, 4.0
LOOK_S = 0.05
BUSY = "import time\nover = time.monotonic() + {}\nwhile time.monotonic() < over: pass"
_CLOCK = os.sysconf("SC_CLK_TCK")


class Pause(typing.NamedTuple):
    """The client stands still `for_s`, `times` times, each `gap_s` after the last."""

    for_s: float
    times: int = 1
    gap_s: float = 0.6

    @property
    def words(self) -> str:
        return f"paused {self.for_s:g} s" if self.times == 1 else f"paused {self.times} x {self.for_s:g} s"


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


def sit(sitting: Sitting, endpoint: Endpoint, folder: pathlib.Path, seconds: float) -> "Watch":
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
            env=environment(endpoint, load),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=pin_to(core),
        )
    try:
        with _neighbours(sitting.neighbours, core, over - time.monotonic()) as neighbours:
            ours = {core or 0: [client.pid, *neighbours], endpoint_core or 0: [endpoint.process.pid]}
            watch = Watch(sitting, folder / "run/requests.csv", client, ours)
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


class Watch:
    """Looks at a run as it goes: pauses its client in the windows, and notes who had the cores."""

    def __init__(
        self, sitting: Sitting, requests: pathlib.Path, client: subprocess.Popen, ours: dict[int, list[int]]
    ) -> None:
        """ours: core -> processes whose CPU there is not other programs'; the client's core, then the endpoint's."""
        self._sitting, self._requests, self._client, self._ours = sitting, requests, client, ours
        self._read = 0  # bytes of requests.csv
        self._paused: set[str] = set()  # stages
        self._acts: list[tuple[float, int]] = []  # (when, signal) to come
        self._random = random.Random(7)
        self._samples: list[tuple[float, ...]] = []  # (Unix seconds, CPU seconds of other programs on each core)

    def look(self) -> None:
        now = time.time()
        if not self._samples or now - self._samples[-1][0] >= 0.25:
            self._samples.append((now, *(_others_s(core, pids) for core, pids in self._ours.items())))
        if self._sitting.pauses and not self._acts and (stage := self._measuring()):
            self._plan(stage, time.monotonic())
        while self._acts and self._acts[0][0] <= time.monotonic():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._client.pid, self._acts.pop(0)[1])

    def _plan(self, stage: str, now: float) -> None:
        self._paused.add(stage)
        pause = self._sitting.pauses[(int(stage) - 1) % len(self._sitting.pauses)]
        at = now + self._random.uniform(0, 0.5)
        for _ in range(pause.times):
            self._acts += [(at, signal.SIGSTOP), (at + pause.for_s, signal.SIGCONT)]
            at += pause.for_s + pause.gap_s

    def _measuring(self) -> str | None:
        """A stage, not paused yet, of which a measured request has been written."""
        if not self._requests.exists():
            return None
        with open(self._requests, "rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        rows = [line.split(",") for line in whole.decode(errors="replace").splitlines()]
        stages = [
            r[FIELDS.index("stage")]
            for r in rows
            if len(r) > FIELDS.index("phase") and r[FIELDS.index("phase")] == "measure"
        ]
        return next((stage for stage in stages[-1:] if stage not in self._paused), None)

    def others(self, a: float, b: float) -> tuple[float, float] | None:
        """Shares of the client's and the endpoint's core that other programs took from a to b, Unix seconds."""
        inside = [s for s in self._samples if a <= s[0] <= b]
        if len(inside) < 2:
            return None
        (began, *before), (ended, *after) = inside[0], inside[-1]
        shares = [max(0.0, (later - earlier) / (ended - began)) for earlier, later in zip(before, after, strict=True)]
        return shares[0], shares[-1]


def _others_s(core: int, pids: list[int]) -> float:
    """Since start-up: CPU seconds on `core` less those of the processes that are ours."""
    t = psutil.cpu_times(percpu=True)[core]
    return sum(t) - t.idle - t.iowait - t.guest - t.guest_nice - sum(_cpu_s(pid) for pid in pids)


def _cpu_s(pid: int) -> float:
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _CLOCK


def rows_of(sitting: Sitting, run_folder: pathlib.Path, truth: pd.DataFrame, watch: Watch) -> list[Row]:
    """The run's stages beside the endpoint's truth."""
    run = load_run(run_folder)
    prices = prices_of_run(run).of_target
    true_ms = (truth.set_index("request_id")["first_token"] - truth.set_index("request_id")["arrival"]) * 1000
    rows = []
    for stage, result in zip(stages_of(run, prices), results_of(run, prices), strict=True):
        visit, published, of_stage = (
            stage.visit,
            result.row.get("ttft_p99_s"),
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
                verdict=result.row["verdict"],
                reasons=result.row["reasons"],
            )
        )
    return rows
