"""What the bench of collecting reads of a run, from outside while it goes on and from its files afterwards."""

import array
import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import time
import typing

import numpy as np
import psutil

from locustfiles.contract.exit_codes import OK
from scripts.bench.endpoint import EndpointFailed
from scripts.bench.table import markdown

START_S, START_A_WORKER_S = 60, 3
WARM_SHARE = 0.1  # of the time: memory is compared from here on


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Of one run; CPU as a share of a core, memory in MB, times in ms."""

    made: int  # that the workers said they had made
    received: int
    rows: int  # in requests.csv
    rate: float  # rows a second while it was watched
    master_cpu: float
    master_us: float  # CPU a record
    worker_us: float  # CPU of all workers a record, with what they take when idle
    memory_early_mb: float
    memory_late_mb: float
    lag_p99: float  # of the master's loop, while it was watched
    lag_worst: float
    exit_code: int

    @property
    def kept(self) -> bool:
        return self.exit_code == OK and self.made == self.received == self.rows > 0


class Sample(typing.NamedTuple):
    at: float  # monotonic
    master_s: float  # CPU
    workers_s: float
    memory_mb: float  # the master's
    size: int  # of requests.csv


def table(found: list[tuple[str, Figures]]) -> str:
    head = (
        "build", "records made", "received", "rows", "records/s", "master's core", "master's CPU µs/record",
        "workers' CPU µs/record", "memory early (MB)", "late (MB)", "master's lag p99 / worst (ms)", "exit code",
    )  # fmt: skip
    rows = []
    for name, f in found:
        row = [name, f"{f.made:,}", f"{f.received:,}", f"{f.rows:,}", f"{f.rate:,.0f}"]
        row += [f"{100 * f.master_cpu:.1f} %", f"{f.master_us:.1f}", f"{f.worker_us:.1f}"]
        row += [f"{f.memory_early_mb:.0f}", f"{f.memory_late_mb:.0f}", f"{f.lag_p99:.1f} / {f.lag_worst:.1f}"]
        rows.append([*row, str(f.exit_code)])
    return markdown(head, rows)


def watch(
    master: subprocess.Popen, crew: list[subprocess.Popen], workers: int, requests: pathlib.Path, seconds: float
) -> list[Sample]:
    """Once a second from the first rows until the measured time is over. Raises EndpointFailed."""
    over = time.monotonic() + START_S + START_A_WORKER_S * workers
    while not (requests.exists() and requests.stat().st_size > 2_000):
        if master.poll() is not None or time.monotonic() > over:
            raise EndpointFailed("master and workers: did not begin; see that no other Locust uses their port")
        time.sleep(0.2)
    process, others = psutil.Process(master.pid), [psutil.Process(one.pid) for one in crew]
    samples: list[Sample] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds and master.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            of_workers = sum(map(_cpu_s, others))
            memory_mb, size = process.memory_info().rss / 2**20, requests.stat().st_size
            samples.append(Sample(time.monotonic(), _cpu_s(process), of_workers, memory_mb, size))
        _progress(time.monotonic() - began, seconds, samples)
        time.sleep(1)
    return samples


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _progress(elapsed: float, seconds: float, samples: list[Sample]) -> None:
    if sys.stderr.isatty() and samples:
        done = f"\r{elapsed:.0f} of {seconds:.0f} s, master {samples[-1].memory_mb:.0f} MB "
        print(done, end="", file=sys.stderr, flush=True)


def figures(run: pathlib.Path, lags: pathlib.Path, samples: list[Sample], exit_code: int) -> Figures:
    """lags: what the master's LoopLag wrote."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    first, last = samples[0], samples[-1]
    early = samples[min(len(samples) - 1, max(2, int(WARM_SHARE * len(samples))))]
    with open(run / "requests.csv", "rb") as file:
        rows = sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b"")) - 1
    meanwhile = rows * (last.size - first.size) / (run / "requests.csv").stat().st_size  # a row is as long as another
    lag_ms = _lags(lags, first.at, last.at)
    return Figures(
        made=sum(worker["produced"] or 0 for worker in manifest["workers"]),
        received=sum(worker["received"] for worker in manifest["workers"]),
        rows=rows,
        rate=meanwhile / (last.at - first.at),
        master_us=1e6 * (last.master_s - first.master_s) / max(1.0, meanwhile),
        master_cpu=(last.master_s - first.master_s) / (last.at - first.at),
        worker_us=1e6 * (last.workers_s - first.workers_s) / max(1.0, meanwhile),
        memory_early_mb=early.memory_mb,
        memory_late_mb=last.memory_mb,
        lag_p99=float(np.percentile(lag_ms, 99)),
        lag_worst=float(lag_ms.max()),
        exit_code=exit_code,
    )


def _lags(path: pathlib.Path, since: float, until: float) -> np.ndarray:
    """(n,) ms. Raises EndpointFailed."""
    found = array.array("d")
    with contextlib.suppress(OSError):
        found.frombytes(path.read_bytes())
    at, lag_ms = np.array(found).reshape(-1, 2).T
    within = lag_ms[(at >= since) & (at <= until)]
    if not len(within):
        raise EndpointFailed("master: ended without its loop's lag; see what it said, and measure again")
    return within
