"""Whether a load tells the same whatever the number of workers that send it: each level with one worker and with several.

Both runs have the same scenario, against a fresh local endpoint that behaves as a model on a GPU does (continuous batching, 250 ms
of overhead, answers of various lengths); endpoint, master and workers share this machine. `compare` sets them beside each other.
Exit code 2: a figure differs for sure (Holm, over all that is asked) where both stages are VALID, or no level is VALID in both.
"""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile

import yaml

from analysis.comparison.build import compare
from analysis.comparison.figures import COSTS, ERRORS, LATENCY, NAMES, RATES, TPOT, TTFT
from analysis.comparison.model import Compared, Comparison, Level
from analysis.verdicts.stage_results import Result
from analysis.words.columns import Column
from analysis.words.spread import STATISTICS
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.client import plain_environment
from scripts.bench.clients import LOCUST
from scripts.bench.command import parser_of, seconds
from scripts.bench.endpoint import ROOT, STREAM_MODEL, EndpointFailed, free_port, running_endpoint
from scripts.bench.machine import machine
from scripts.bench.measure import running
from scripts.bench.table import UNKNOWN, markdown

EXAMPLE = """example:
  python -m scripts.bench.worker_counts
  python -m scripts.bench.worker_counts --users 50,100,200 --workers 1,8 --seconds 60"""
GPU = {
    "kind": "simulated", "seed": 5, "prefill_tokens_per_second": 100_000, "decode_base_ms": 24, "decode_per_sequence_ms": 0.05,
    "batch_limit": 2000, "overhead_ms": 250, "output": {"distribution": "normal", "mean": 60, "deviation": 20},
}  # fmt: skip
CONFIG = {"engines": {"gpu": GPU}, "models": {STREAM_MODEL: {"engine": "gpu", "family": "llama"}}}
PAYLOAD = "payload_en_1-500"
_P = [STATISTICS.index(s) for s in ("p50", "p95")]
SHOWN: tuple[Column, ...] = (
    *(LATENCY[i] for i in _P), *(TTFT[i] for i in _P), TPOT[0], RATES[0], *ERRORS, COSTS[0]
)  # fmt: skip
RUN_S = 60  # beside its windows: start, checks, settling, end


def _counts(text: str) -> list[int]:
    """Raises ArgumentTypeError."""
    found = [int(part) for part in text.split(",")]
    if not all(1 <= n <= 2000 for n in found) or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"{text}: give whole numbers from 1 to 2000, each once, as 20,40")
    return found


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("worker_counts", __doc__, EXAMPLE)
    add = parser.add_argument
    add("--users", type=_counts, default=[20, 50, 100], help="levels (default: 20,50,100)")
    add("--workers", type=_counts, default=[1, 4], help="how many, the reference first (default: 1,4)")
    add("--seconds", type=seconds, default=20.0, help="measured window of each level and repeat (default: 20)")
    add("--repeat", type=int, default=3, help="of the levels, for what changes between them (default: 3)")
    args = parser.parse_args(argv)
    if len(args.workers) < 2 or max(args.workers) > 32 or not 1 <= args.repeat <= 20:
        complain("scripts.bench.worker_counts: give two numbers of workers, up to 32, and --repeat from 1 to 20")
        return BAD_INPUT
    with tempfile.TemporaryDirectory(prefix="workers-") as place:
        try:
            runs = [_run(args, workers, pathlib.Path(place)) for workers in args.workers]
            found = compare(runs)
        except (EndpointFailed, BadInput) as e:
            complain(str(e))
            return BAD_INPUT
    print(report(found, args))
    return OK if agree(found) else NOT_TRUSTED


def _run(args: argparse.Namespace, workers: int, place: pathlib.Path) -> pathlib.Path:
    """The run folder. Raises EndpointFailed."""
    folder = place / f"of-{workers}"
    folder.mkdir()
    print(f"{workers} workers: users {', '.join(map(str, args.users))} ...", file=sys.stderr, flush=True)
    with running_endpoint(folder, None, False, config=CONFIG) as endpoint:
        port, env = str(free_port()), plain_environment(endpoint)
        locust = [LOCUST, "-f", str(ROOT / "locustfiles/sweep.py"), "--scenario", str(_scenario(args, folder))]
        of_master = ["--master", "--master-bind-port", port, "--expect-workers", str(workers), "--headless", "--quiet"]
        of_master += ["--run-dir", str(folder / f"workers-{workers}"), "--only-summary"]
        with contextlib.ExitStack() as stack:
            master = stack.enter_context(running([*locust, *of_master], env, None, folder / "master.log"))
            for n in range(workers):
                of_worker = [*locust, "--worker", "--master-port", port]
                stack.enter_context(running(of_worker, env, None, folder / f"worker-{n}.log"))
            _wait(master, len(args.users) * args.repeat * (args.seconds + RUN_S), folder / "master.log")
    return folder / f"workers-{workers}"


def _wait(master: subprocess.Popen, at_most_s: float, log: pathlib.Path) -> None:
    """Raises EndpointFailed where it does not end by itself, or has measured nothing."""
    try:
        code = master.wait(at_most_s)
    except subprocess.TimeoutExpired:
        raise EndpointFailed(f"master: did not end within {at_most_s:.0f} s; give fewer users") from None
    if code not in (OK, NOT_TRUSTED):
        raise EndpointFailed(f"master: ended with {code}: {log.read_text(errors='replace')[-500:]}")


def _scenario(args: argparse.Namespace, folder: pathlib.Path) -> pathlib.Path:
    target = {
        "name": "gpu", "service": "bedrock", "model_id": STREAM_MODEL, "api": "converse", "stream": True,
        "price": {"input": 0.0001, "output": 0.0004}, "parameters": {"max_tokens": 200},
    }  # fmt: skip
    scenario = {
        "name": "workers", "targets": [target], "region": "us-east-1", "seed": 1, "prefix": {"nonce": "start"},
        "payloads": [str(ROOT / f"payloads/{PAYLOAD}.jsonl")],
        "load": {"users": args.users, "settle_s": 8, "settle_at_most_s": 25, "measure_s": args.seconds, "repeat": args.repeat},
        "request_timeout_s": 60, "pricing": str(ROOT / "configs/pricing/local-demo.yaml"), "confirm_above_usd": 1e6,
    }  # fmt: skip
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    return path


def agree(found: Comparison) -> bool:
    """Whether there is a level that is VALID in both runs, and none of those differs."""
    valid = [(level, run) for level, run in _levels(found) if _valid(level, found.reference, run)]
    return bool(valid) and not any(_sure(c) for level, run in valid for c in level.compared[run])


def _levels(found: Comparison) -> list[tuple[Level, str]]:
    return [(level, run) for group in found.groups for level in group.levels for run in level.compared]


def _valid(level: Level, *runs: str) -> bool:
    return all(level.results[run].figures.trust.verdict == "VALID" for run in runs)


def _sure(c: Compared) -> bool:
    return c.sure and c.said in ("worse", "better", "other")


def report(found: Comparison, args: argparse.Namespace) -> str:
    """Markdown: what is beside what, and each figure's change with its interval."""
    head = ["level", "runs", "verdicts", "requests", *(NAMES[c] for c in SHOWN)]
    rows = []
    for level, run in _levels(found):
        both = [level.results[found.reference], level.results[run]]
        by_column = {c.column: c for c in level.compared[run]}
        cells = [level.words, f"{run} beside {found.reference}", " / ".join(map(_verdict, both))]
        cells.append(" / ".join(str(r.figures.outcome.requests) for r in both))
        rows.append([*cells, *(_change(by_column.get(c)) for c in SHOWN)])
    words = f"{machine()}; windows of {args.seconds:g} s, {args.repeat} of each level; change with its 95 % interval,"
    words += f" ! where it holds among all {found.asked} that are asked."
    return f"{words}\n\n{markdown(head, rows)}"


def _verdict(result: Result) -> str:
    """With why it is not VALID: kinds of cautions."""
    why = ", ".join(sorted({c.kind for c in result.cautions}))
    return f"{result.figures.trust.verdict}{f' ({why})' if why else ''}"


def _change(c: Compared | None) -> str:
    found = c and c.difference
    if not c or not found or found.low is None or found.high is None:
        return UNKNOWN
    change, low, high, unit = found.other - found.one, found.low, found.high, " points"
    if found.shares is None:
        assert found.ratio is not None  # or there would be no ends
        change, low, high, unit = found.ratio - 1, low - 1, high - 1, " %"
    return f"{100 * change:+.2f} ({100 * low:+.2f} to {100 * high:+.2f}){unit}{' !' if c.sure else ''}"


if __name__ == "__main__":
    sys.exit(main())
