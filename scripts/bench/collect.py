"""What collecting costs: so many records a second from so many workers to one master, for so long.

Master and workers are real Locust processes with the real way of records; only the requests are left out. Every record is
counted at both ends, and the CPU of all and the master's memory are read from outside, once a second. Another checkout may be
measured beside this one, in turn with it.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import typing

import psutil
import yaml

from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.client import plain_environment
from scripts.bench.clients import LOCUST
from scripts.bench.command import checkout, parser_of
from scripts.bench.endpoint import ROOT, SHORT_MODEL, EndpointFailed, free_port, running_endpoint
from scripts.bench.machine import machine
from scripts.bench.measure import running
from scripts.bench.table import markdown

EXAMPLE = """example:
  python -m scripts.bench.collect --rate 20000 --workers 4 --seconds 600
  python -m scripts.bench.collect --seconds 30 --before ../swarmledger-0.1.0 --rounds 2
  python -m scripts.bench.collect --rate 20 --workers 20 --seconds 30"""
START_S, START_A_WORKER_S, END_S = 60, 3, 300
WARM_SHARE = 0.1  # of the time: memory is compared from here on


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Of one run; CPU as a share of a core, memory in MB."""

    made: int  # that the workers said they had made
    received: int
    rows: int  # in requests.csv
    rate: float  # rows a second while it was watched
    master_cpu: float
    master_us: float  # CPU a record
    worker_us: float  # CPU of all workers a record, with what they take when idle
    memory_early_mb: float
    memory_late_mb: float
    exit_code: int

    @property
    def kept(self) -> bool:
        return self.exit_code == OK and self.made == self.received == self.rows > 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = parser_of("collect", __doc__, EXAMPLE)
    parser.add_argument(
        "--rate", type=float, default=20_000, help="records a second, of all workers together (default: 20000)"
    )
    parser.add_argument("--workers", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=600, help="default: %(default)s")
    parser.add_argument(
        "--before",
        type=checkout,
        metavar="CHECKOUT",
        help="another checkout of Swarmledger, measured in turn with this one, as `before`",
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often each is measured (default: %(default)s)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    if not (
        0 < args.rate <= 100_000 and 1 <= args.workers <= 128 and 1 <= args.seconds <= 3600 and 1 <= args.rounds <= 20
    ):
        complain(
            "scripts.bench.collect: a number out of range; give 1 to 128 workers, a rate up to 100000, 1 to 3600 seconds and "
            "1 to 20 rounds"
        )
        return BAD_INPUT
    builds = {"before": args.before, "ours": ROOT} if args.before else {"ours": ROOT}
    found: list[tuple[str, Figures]] = []
    for name, root in [*builds.items()] * args.rounds:
        with tempfile.TemporaryDirectory(prefix="collect-") as folder:
            try:
                found.append((name, collect(args.rate, args.workers, args.seconds, pathlib.Path(folder), root)))
            except EndpointFailed as e:
                complain(str(e))
                return BAD_INPUT
    print(f"{machine()}; {args.rate:,.0f} records/s of {args.workers} workers are due.\n")
    print(table(found))
    return OK if all(figures.kept for name, figures in found if name == "ours") else NOT_TRUSTED


def table(found: list[tuple[str, Figures]]) -> str:
    head = (
        "build",
        "records made",
        "received",
        "rows",
        "records/s",
        "master's core",
        "master's CPU µs/record",
        "workers' CPU µs/record",
        "memory early (MB)",
        "late (MB)",
        "exit code",
    )
    rows = []
    for name, f in found:
        row = [name, f"{f.made:,}", f"{f.received:,}", f"{f.rows:,}", f"{f.rate:,.0f}"]
        row += [f"{100 * f.master_cpu:.1f} %", f"{f.master_us:.1f}"]
        row += [f"{f.worker_us:.1f}", f"{f.memory_early_mb:.0f}", f"{f.memory_late_mb:.0f}", str(f.exit_code)]
        rows.append(row)
    return markdown(head, rows)


def collect(rate: float, workers: int, seconds: float, folder: pathlib.Path, root: pathlib.Path = ROOT) -> Figures:
    """One run of the build in `root`. Raises EndpointFailed."""
    with running_endpoint(folder, None, False) as endpoint, contextlib.ExitStack() as stack:
        scenario, port = _scenario(folder, workers, seconds), str(free_port())
        command = [LOCUST, "-f", str(ROOT / "scripts/bench/collect_user.py"), "--scenario", str(scenario)]
        env = plain_environment(endpoint) | {"PYTHONPATH": str(root), "BENCH_RECORDS_A_SECOND": str(rate / workers)}

        def start(name: str, *options: str) -> subprocess.Popen:
            return stack.enter_context(running([*command, *options], env, None, folder / f"{name}.log"))

        of_master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        of_master += [
            "--run-dir",
            str(folder / "run"),
            "--headless",
            "--only-summary",
            "--expect-workers",
            str(workers),
        ]
        of_worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
        master = start("master", *of_master)
        crew = [start(f"worker-{number}", *of_worker) for number in range(workers)]
        samples = _watch(master, crew, folder / "run" / "requests.csv", seconds)
        try:
            return _figures(folder / "run", samples, master.wait(END_S))
        except subprocess.TimeoutExpired:
            raise EndpointFailed(f"master: did not end within {END_S} s; give a lower rate") from None


def _scenario(folder: pathlib.Path, workers: int, seconds: float) -> pathlib.Path:
    (folder / "prompts.jsonl").write_text('{"prompt": "Hi"}\n', encoding="utf-8")
    target = {
        "name": "made",
        "service": "bedrock",
        "model_id": SHORT_MODEL,
        "price": {"input": 0.0001, "output": 0.0004},
    }
    scenario = {
        "name": "collect", "targets": [target], "region": "us-east-1", "payloads": [str(folder / "prompts.jsonl")],
        "load": {"users": [workers], "settle_s": 1, "measure_s": seconds}, "request_timeout_s": 10,
        "pricing": str(ROOT / "configs/pricing/local-demo.yaml"), "confirm_above_usd": 1e6,
    }  # fmt: skip
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    return path


class _Sample(typing.NamedTuple):
    at: float
    master_s: float  # CPU
    workers_s: float
    memory_mb: float  # the master's
    size: int  # of requests.csv


def _watch(
    master: subprocess.Popen, crew: list[subprocess.Popen], requests: pathlib.Path, seconds: float
) -> list[_Sample]:
    """Once a second from the first rows until the measured time is over."""
    over = time.monotonic() + START_S + START_A_WORKER_S * len(crew)
    while not (requests.exists() and requests.stat().st_size > 2_000):
        if master.poll() is not None or time.monotonic() > over:
            raise EndpointFailed("master and workers: did not begin; see that no other Locust uses their port")
        time.sleep(0.2)
    process, workers = psutil.Process(master.pid), [psutil.Process(worker.pid) for worker in crew]
    samples, began = [], time.monotonic()
    while time.monotonic() - began < seconds and master.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            of_workers = sum(map(_cpu_s, workers))
            memory_mb, size = process.memory_info().rss / 2**20, requests.stat().st_size
            samples.append(_Sample(time.monotonic(), _cpu_s(process), of_workers, memory_mb, size))
        _progress(time.monotonic() - began, seconds, samples)
        time.sleep(1)
    return samples


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _progress(elapsed: float, seconds: float, samples: list[_Sample]) -> None:
    if sys.stderr.isatty() and samples:
        print(
            f"\r{elapsed:.0f} of {seconds:.0f} s, master {samples[-1].memory_mb:.0f} MB ",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _figures(run: pathlib.Path, samples: list[_Sample], exit_code: int) -> Figures:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    first, last = samples[0], samples[-1]
    early = samples[min(len(samples) - 1, max(2, int(WARM_SHARE * len(samples))))]
    with open(run / "requests.csv", "rb") as file:
        rows = sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b"")) - 1
    meanwhile = rows * (last.size - first.size) / (run / "requests.csv").stat().st_size  # a row is as long as another
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
        exit_code=exit_code,
    )


if __name__ == "__main__":
    sys.exit(main())
