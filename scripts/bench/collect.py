"""What collecting costs: so many records a second from so many workers to one master, for so long.

Master and workers are Locust's own with the real way of records; only the requests are left out. Every record is counted at
both ends; CPU, the master's memory and the lag of its loop are read once a second or oftener. A worker is a process, or, with
--processes, many are in one: for a master with more workers than the machine has room for. Another checkout may be measured
beside this one, in turn with it.
"""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile

import yaml

from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.client import plain_environment
from scripts.bench.clients import LOCUST
from scripts.bench.collected import Figures, figures, table, watch
from scripts.bench.command import checkout, parser_of
from scripts.bench.endpoint import ROOT, SHORT_MODEL, EndpointFailed, free_port, running_endpoint
from scripts.bench.machine import machine
from scripts.bench.measure import running

EXAMPLE = """example:
  python -m scripts.bench.collect --rate 20000 --workers 4 --seconds 600
  python -m scripts.bench.collect --rate 20000 --workers 100 --processes 1 --seconds 180
  python -m scripts.bench.collect --seconds 30 --before ../swarmledger-0.1.0 --rounds 2"""
END_S = 300


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = parser_of("collect", __doc__, EXAMPLE)
    add = parser.add_argument
    add("--rate", type=float, default=20_000, help="records a second, of all workers together (default: 20000)")
    add("--workers", type=int, default=4, help="default: %(default)s")
    add("--processes", type=int, help="that the workers are spread over (default: a process each)")
    add("--seconds", type=float, default=600, help="default: %(default)s")
    add(
        "--before",
        type=checkout,
        metavar="CHECKOUT",
        help="another checkout of Swarmledger, measured in turn with this one, as `before`",
    )
    add("--rounds", type=int, default=1, help="how often each is measured (default: %(default)s)")
    return parser.parse_args(argv)


def _objection(args: argparse.Namespace) -> str | None:
    if not (
        0 < args.rate <= 100_000 and 1 <= args.workers <= 128 and 1 <= args.seconds <= 3600 and 1 <= args.rounds <= 20
    ):
        return "a number out of range; give 1 to 128 workers, a rate up to 100000, 1 to 3600 seconds and 1 to 20 rounds"
    if args.processes is not None and not 1 <= args.processes <= args.workers:
        return f"--processes {args.processes}: give 1 to {args.workers}, as many as there are workers"
    if args.processes is not None and args.before:
        return "--processes: only this checkout can have many workers in one; leave it or --before away"
    return None


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    if why := _objection(args):
        complain(f"scripts.bench.collect: {why}")
        return BAD_INPUT
    builds = {"before": args.before, "ours": ROOT} if args.before else {"ours": ROOT}
    found: list[tuple[str, Figures]] = []
    for name, root in [*builds.items()] * args.rounds:
        with tempfile.TemporaryDirectory(prefix="collect-") as folder:
            try:
                found.append((name, collect(args, pathlib.Path(folder), root)))
            except EndpointFailed as e:
                complain(str(e))
                return BAD_INPUT
    spread = f" in {args.processes} processes" if args.processes else ""
    print(f"{machine()}; {args.rate:,.0f} records/s of {args.workers} workers{spread} are due.\n")
    print(table(found))
    return OK if all(figures.kept for name, figures in found if name == "ours") else NOT_TRUSTED


def collect(args: argparse.Namespace, folder: pathlib.Path, root: pathlib.Path = ROOT) -> Figures:
    """One run of the build in `root`. Raises EndpointFailed."""
    with running_endpoint(folder, None, False) as endpoint, contextlib.ExitStack() as stack:
        scenario, port = _scenario(folder, args.workers, args.seconds), str(free_port())
        locust = [LOCUST, "-f", str(ROOT / "scripts/bench/collect_user.py"), "--scenario", str(scenario)]
        env = plain_environment(endpoint) | {"PYTHONPATH": str(root), "BENCH_LAGS": str(folder / "lags")}
        env["BENCH_RECORDS_A_SECOND"] = str(args.rate / args.workers)

        def start(name: str, command: list[str]) -> subprocess.Popen:
            return stack.enter_context(running(command, env, None, folder / f"{name}.log"))

        of_master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--headless"]
        of_master += [
            "--run-dir",
            str(folder / "run"),
            "--only-summary",
            "--quiet",
            "--expect-workers",
            str(args.workers),
        ]
        master = start("master", [*locust, *of_master])
        if args.processes:
            several = [sys.executable, "-m", "scripts.bench.crew", "--scenario", str(scenario), "--port", port]
            counts = [len(range(n, args.workers, args.processes)) for n in range(args.processes)]
            crew = [start(f"crew-{n}", [*several, "--workers", str(count)]) for n, count in enumerate(counts)]
        else:
            of_worker = [*locust, "--worker", "--master-host", "127.0.0.1", "--master-port", port]
            crew = [start(f"worker-{n}", of_worker) for n in range(args.workers)]
        samples = watch(master, crew, args.workers, folder / "run" / "requests.csv", args.seconds)
        try:
            return figures(folder / "run", folder / "lags", samples, master.wait(END_S))
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


if __name__ == "__main__":
    sys.exit(main())
