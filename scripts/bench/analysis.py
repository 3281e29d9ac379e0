"""What a report takes: CPU by phase, wall time and peak memory of reports of millions of records, on one core.

The records are a real run's of several stages against the local endpoint, made longer (multiplied.py). Every report is a process
of its own; with --before the two builds take turns.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing

import psutil
import yaml

from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.child import PROMPT
from scripts.bench.client import STREAM_TOKENS, plain_environment
from scripts.bench.clients import LOCUST
from scripts.bench.command import parser_of, seconds
from scripts.bench.endpoint import ROOT, STREAM_MODEL, EndpointFailed, pin_to, running_endpoint
from scripts.bench.measure import cores
from scripts.bench.multiplied import multiply
from scripts.bench.table import UNKNOWN, markdown

EXAMPLE = """example:
  python -m scripts.bench.analysis --records 1000000 3000000 10000000 --before ../before"""
CHILD = ROOT / "scripts/bench/report_phases.py"
PHASES = ("start", "read", "figures", "intervals", "advice", "plots", "html", "tables", "other")
USERS = (20, 60, 120)
BYTES_A_RECORD = 500  # in requests.csv and beside it, at most
END_S = 1800


class ReportFailed(Exception):
    """A report that was not written, or says that records are missing; the text is what it said."""


class Took(typing.NamedTuple):
    """One report: s, MB, and CPU s by phase."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    phases: dict[str, float]


class Row(typing.NamedTuple):
    build: str
    records: int
    took: list[Took]


def real_run(seconds_each: float, folder: pathlib.Path) -> pathlib.Path:
    """A run of a stage for each of USERS. Raises EndpointFailed."""
    lines = (json.dumps({"prompt": f"{n}. {PROMPT}"}) + "\n" for n in range(10_000))
    (folder / "prompts.jsonl").write_text("".join(lines), encoding="utf-8")
    target = {
        "name": "exact", "service": "bedrock", "api": "converse", "model_id": STREAM_MODEL, "stream": True,
        "price": {"input": 0.0001, "output": 0.0004}, "parameters": {"max_tokens": STREAM_TOKENS},
    }  # fmt: skip
    scenario = {
        "name": "analysis", "targets": [target], "region": "us-east-1", "payloads": [str(folder / "prompts.jsonl")],
        "load": {"users": list(USERS), "settle_s": 2, "settle_at_most_s": 4, "measure_s": seconds_each},
        "slo": {"latency_s": {"p95": 1.0}, "ttft_s": {"p95": 0.5}, "error_rate": 0.01},
        "request_timeout_s": 30, "pricing": str(ROOT / "configs/pricing/local-demo.yaml"), "confirm_above_usd": 1e6,
    }  # fmt: skip
    (folder / "scenario.yaml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    endpoint_core, client_core = cores()
    with running_endpoint(folder, endpoint_core, False) as endpoint, open(folder / "client.log", "wb") as log:
        command = [LOCUST, "-f", str(ROOT / "locustfiles/sweep.py"), "--scenario", str(folder / "scenario.yaml")]
        command += ["--run-dir", str(folder / "real"), "--headless", "--only-summary"]
        done = subprocess.run(
            command, cwd=ROOT, env=plain_environment(endpoint), stdout=log, stderr=subprocess.STDOUT, check=False,
            preexec_fn=pin_to(client_core), timeout=END_S,
        )  # fmt: skip
    if done.returncode:
        said = (folder / "client.log").read_text(errors="replace")[-500:]
        raise EndpointFailed(f"the run to make longer: ended with {done.returncode}: {said}; mend that first")
    return folder / "real"


def report(checkout: pathlib.Path, run: pathlib.Path, folder: pathlib.Path) -> Took:
    """One report by a checkout's code. Raises ReportFailed."""
    out, told = folder / "report", folder / "phases.json"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, str(CHILD), str(checkout), str(run), str(out), str(told)]
    with open(folder / "said.txt", "wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=checkout, stdout=log, stderr=subprocess.STDOUT, preexec_fn=pin_to(cores()[1])
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / "said.txt").read_text(errors="replace")
    if process.returncode != OK:
        raise ReportFailed(f"{checkout}: its report ended with {process.returncode}: {said[-500:]}")
    return Took(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, json.loads(told.read_text()))


def measured(
    sizes: typing.Sequence[int], rounds: int, before: pathlib.Path | None, seconds_each: float, folder: pathlib.Path
) -> list[Row]:
    """Raises EndpointFailed, ReportFailed."""
    real = real_run(seconds_each, folder)
    rows: list[Row] = []
    for size in sizes:
        run = folder / f"run-{size}"
        records = multiply(real, size, run)
        builds = {} if before is None else {"before": Row("before", records, [])}
        builds["ours"] = Row("ours", records, [])
        for number in range(rounds):
            for name, row in builds.items():
                if name == "before" and _too_much(rows, records):
                    continue
                print(f"{records:,} records, {number + 1} of {rounds}: {name} ...", file=sys.stderr, flush=True)
                row.took.append(report(before if before and name == "before" else ROOT, run, folder))
        rows += [row for row in builds.values() if row.took]
        shutil.rmtree(run)
    return rows


def _too_much(rows: list[Row], records: int) -> bool:
    """Whether the build before would need more memory than there is, by what fewer records took of it."""
    a_record = max((_peak(row) / row.records for row in rows if row.build == "before"), default=0.0)
    return a_record * records > psutil.virtual_memory().available / 2**20


def table(rows: list[Row]) -> str:
    """Of several reports the medians, of memory the highest."""
    head = ("report", "records", "wall (s)", "CPU (s)", *PHASES, "peak (MB)", "of before: CPU", "memory")
    before = {row.records: row for row in rows if row.build == "before"}
    return markdown(head, [_cells(row, before.get(row.records)) for row in rows])


def _cells(row: Row, before: Row | None) -> list[str]:
    cells = [row.build, f"{row.records:,}", f"{_middle(row, _wall):.1f}", f"{_middle(row, _cpu):.1f}"]
    cells += [f"{statistics.median(one.phases.get(phase, 0.0) for one in row.took):.2f}" for phase in PHASES]
    cells.append(f"{_peak(row):,.0f}")
    if before is None or before is row:
        return [*cells, UNKNOWN, UNKNOWN]
    return [*cells, f"{_middle(row, _cpu) / _middle(before, _cpu):.2f} x", f"{_peak(row) / _peak(before):.2f} x"]


def _middle(row: Row, of: typing.Callable[[Took], float]) -> float:
    return statistics.median(of(one) for one in row.took)


def _wall(took: Took) -> float:
    return took.wall_s


def _cpu(took: Took) -> float:
    return took.cpu_s


def _peak(row: Row) -> float:
    return max(one.peak_mb for one in row.took)


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("analysis", __doc__, EXAMPLE)
    parser.add_argument(
        "--records",
        type=int,
        nargs="+",
        default=[1_000_000, 3_000_000, 10_000_000],
        help="default: 1, 3 and 10 million",
    )
    parser.add_argument(
        "--rounds", type=int, default=1, help="reports of each build and number of records (default: 1)"
    )
    parser.add_argument("--seconds", type=seconds, default=10.0, help="of each stage of the real run (default: 10)")
    parser.add_argument(
        "--before", type=pathlib.Path, metavar="CHECKOUT", help="another checkout, in turns with this one"
    )
    parser.add_argument("--folder", metavar="FOLDER", help="where the records go meanwhile; default: the temporary one")
    args = parser.parse_args(argv)
    if not (1 <= args.rounds <= 50 and all(1_000 <= size <= 100_000_000 for size in args.records)):
        complain("scripts.bench.analysis: a number out of range; give 1 to 50 rounds and 1000 to 100000000 records")
        return BAD_INPUT
    if args.before is not None and not (args.before / "analysis/__main__.py").is_file():
        complain(f"{args.before}: no checkout of Swarmledger; give the folder that has `analysis/`")
        return BAD_INPUT
    with tempfile.TemporaryDirectory(prefix="analysis-", dir=args.folder) as folder:
        if shutil.disk_usage(folder).free < max(args.records) * BYTES_A_RECORD:
            complain(f"{folder}: has no room for {max(args.records):,} records; give another place with --folder")
            return BAD_INPUT
        before = args.before and args.before.resolve()
        try:
            print(table(measured(args.records, args.rounds, before, args.seconds, pathlib.Path(folder))))
        except EndpointFailed as e:
            complain(str(e))
            return BAD_INPUT
        except ReportFailed as e:
            complain(str(e))
            return NOT_TRUSTED
    return OK


if __name__ == "__main__":
    sys.exit(main())
