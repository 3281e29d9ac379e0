"""What collecting costs: so many records a second from so many workers to one master, for so long.

Master and workers are real Locust processes with the real way of records; only the requests are left out. Every record is
counted at both ends, and the master's CPU and memory are read from outside, once a second.
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
from scripts.bench.command import parser_of
from scripts.bench.endpoint import ROOT, SHORT_MODEL, EndpointFailed, free_port, running_endpoint
from scripts.bench.measure import running
from scripts.bench.table import markdown

EXAMPLE = """example:
  python -m scripts.bench.collect --rate 5000 --workers 4 --seconds 600"""
START_S, END_S = 60, 60
WARM_SHARE = 0.1  # of the time: memory is compared from here on


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Of one run; CPU as a share of a core, memory in MB."""

    made: int  # that the workers said they had made
    received: int
    rows: int  # in requests.csv
    seconds: float
    master_cpu: float
    memory_early_mb: float
    memory_late_mb: float
    exit_code: int

    @property
    def kept(self) -> bool:
        return self.exit_code == OK and self.made == self.received == self.rows > 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = parser_of("collect", __doc__, EXAMPLE)
    parser.add_argument(
        "--rate", type=float, default=5000, help="records a second, of all workers together (default: 5000)"
    )
    parser.add_argument("--workers", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=600, help="default: %(default)s")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    if not (0 < args.rate <= 100_000 and 1 <= args.workers <= 32 and 1 <= args.seconds <= 3600):
        complain(
            "scripts.bench.collect: a number out of range; give 1 to 32 workers, a rate up to 100000 and 1 to 3600 seconds"
        )
        return BAD_INPUT
    with tempfile.TemporaryDirectory(prefix="collect-") as folder:
        try:
            found = collect(args.rate, args.workers, args.seconds, pathlib.Path(folder))
        except EndpointFailed as e:
            complain(str(e))
            return BAD_INPUT
    print(table(found))
    return OK if found.kept else NOT_TRUSTED


def table(f: Figures) -> str:
    head = (
        "records made",
        "received",
        "rows",
        "records/s",
        "master's core",
        "memory early (MB)",
        "late (MB)",
        "exit code",
    )
    row = [f"{f.made:,}", f"{f.received:,}", f"{f.rows:,}", f"{f.rows / f.seconds:,.0f}", f"{100 * f.master_cpu:.0f} %"]
    row += [f"{f.memory_early_mb:.0f}", f"{f.memory_late_mb:.0f}", str(f.exit_code)]
    return markdown(head, [row])


def collect(rate: float, workers: int, seconds: float, folder: pathlib.Path) -> Figures:
    """One run. Raises EndpointFailed."""
    with running_endpoint(folder, None, False) as endpoint, contextlib.ExitStack() as stack:
        command = [
            LOCUST,
            "-f",
            str(ROOT / "scripts/bench/collect_user.py"),
            "--scenario",
            str(_scenario(folder, workers, seconds)),
        ]
        port = str(free_port())
        env = plain_environment(endpoint) | {"BENCH_RECORDS_A_SECOND": str(rate / workers)}
        of_master = [
            "--master",
            "--master-bind-host",
            "127.0.0.1",
            "--master-bind-port",
            port,
            "--expect-workers",
            str(workers),
        ]
        master = stack.enter_context(
            running(
                [*command, "--run-dir", str(folder / "run"), "--headless", "--only-summary", *of_master],
                env,
                None,
                folder / "master.log",
            )
        )
        for number in range(workers):
            of_worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
            stack.enter_context(running([*command, *of_worker], env, None, folder / f"worker-{number}.log"))
        samples = _watch(master, folder / "run" / "requests.csv", seconds)
        return _figures(folder / "run", samples, seconds, master.wait(END_S))


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
    cpu_s: float
    memory_mb: float


def _watch(master: subprocess.Popen, requests: pathlib.Path, seconds: float) -> list[_Sample]:
    """Once a second from the first rows until the measured time is over."""
    over = time.monotonic() + START_S
    while not (requests.exists() and requests.stat().st_size > 20_000):
        if master.poll() is not None or time.monotonic() > over:
            raise EndpointFailed("master and workers: did not begin; see that no other Locust uses their port")
        time.sleep(0.2)
    process, samples, began = psutil.Process(master.pid), [], time.monotonic()
    while time.monotonic() - began < seconds and master.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            samples.append(_Sample(time.monotonic(), times.user + times.system, process.memory_info().rss / 2**20))
        _progress(time.monotonic() - began, seconds, samples)
        time.sleep(1)
    return samples


def _progress(elapsed: float, seconds: float, samples: list[_Sample]) -> None:
    if sys.stderr.isatty() and samples:
        print(
            f"\r{elapsed:.0f} of {seconds:.0f} s, master {samples[-1].memory_mb:.0f} MB ",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _figures(run: pathlib.Path, samples: list[_Sample], seconds: float, exit_code: int) -> Figures:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    first, last = samples[0], samples[-1]
    early = samples[min(len(samples) - 1, max(2, int(WARM_SHARE * len(samples))))]
    stage = manifest["stages"][0]
    with open(run / "requests.csv", "rb") as file:
        rows = sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b"")) - 1
    return Figures(
        made=sum(worker["produced"] or 0 for worker in manifest["workers"]),
        received=sum(worker["received"] for worker in manifest["workers"]),
        rows=rows,
        seconds=stage["hold_until"] - stage["settle_from"],
        master_cpu=(last.cpu_s - first.cpu_s) / (last.at - first.at),
        memory_early_mb=early.memory_mb,
        memory_late_mb=last.memory_mb,
        exit_code=exit_code,
    )


if __name__ == "__main__":
    sys.exit(main())
