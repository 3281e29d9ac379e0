"""What watching costs the load: stages with the live page open beside stages with it closed, in one run.

One process sends, on a core of its own, with the web UI; the endpoint has the other core. A page that is open asks for the
figures as the page's script does, one question after the other. The observer, which works the figures out, is a child of the
load process and may use both cores, as on any machine; with `--one-core` it has to share that of the load process.
"""

import argparse
import contextlib
import csv
import json
import pathlib
import statistics
import sys
import tempfile
import time
import typing

import numpy as np
import psutil
import yaml

from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.child import PROMPT
from scripts.bench.client import SHORT_TOKENS, STREAM_TOKENS, plain_environment
from scripts.bench.clients import LOCUST
from scripts.bench.command import parser_of, seconds
from scripts.bench.endpoint import (
    ROOT,
    SHORT_MODEL,
    STREAM_MODEL,
    Endpoint,
    EndpointFailed,
    free_port,
    running_endpoint,
)
from scripts.bench.measure import ClientFailed, cores, running
from scripts.bench.open_page import Page
from scripts.bench.watched_stage import Stage, core_more, error_more, table, told

EXAMPLE = """example:
  python -m scripts.bench.watched --pairs 12 --seconds 8"""
CORE_AT_MOST, ERROR_AT_MOST_MS = 0.01, 0.3  # what the open page may add: share of a core, p99 of the TTFT error
USERS, RATE = 200, 500
END_S = 60


class Watcher:
    """Samples CPU of the load process and of its observer, and opens the page for every other stage."""

    def __init__(self, pid: int, folder: pathlib.Path, page: Page, one_core: bool) -> None:
        self._load, self._manifest, self._page = psutil.Process(pid), folder / "manifest.json", page
        self._cores = None if one_core else psutil.Process().cpu_affinity()
        self.samples: list[tuple[float, float, float]] = []  # Unix seconds, CPU seconds of load and observer

    def look(self) -> None:
        own = sum(self._load.cpu_times()[:2])
        children = 0.0
        for child in self._load.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                children += sum(child.cpu_times()[:2])
                if self._cores:
                    child.cpu_affinity(self._cores)
        self.samples.append((time.time(), own, children))
        with contextlib.suppress(OSError, ValueError):
            begun = len(json.loads(self._manifest.read_text(encoding="utf-8"))["stages"])
            self._page.open = begun > 0 and begun % 2 == 0

    def cores(self, a: float, b: float) -> tuple[float, float]:
        """Mean shares of a core from a to b: load, observer."""
        inside = [s for s in self.samples if a <= s[0] <= b]
        (began, *before), (ended, *after) = inside[0], inside[-1]
        load, observer = ((later - earlier) / (ended - began) for earlier, later in zip(before, after, strict=True))
        return load, max(0.0, observer)


def watched(stream: bool, pairs: int, seconds_each: float, one_core: bool, folder: pathlib.Path) -> list[Stage]:
    """One run of 2 x pairs stages. Raises EndpointFailed or ClientFailed."""
    folder.mkdir()
    endpoint_core, client_core = cores()
    port = free_port()
    with running_endpoint(folder, endpoint_core, False) as endpoint:
        command = [LOCUST, "-f", str(ROOT / "locustfiles/sweep.py"), "--scenario"]
        command += [str(_scenario(stream, pairs, seconds_each, folder)), "--run-dir", str(folder / "run")]
        command += ["--web-port", str(port), "--autostart", "--autoquit", "0", "--live-every", "0"]
        with running(command, plain_environment(endpoint), client_core, folder / "client.log") as process:
            page = Page(port)
            page.start()
            watcher = Watcher(process.pid, folder / "run", page, one_core)
            over = time.monotonic() + END_S + 2 * pairs * (seconds_each + 10)
            with contextlib.suppress(psutil.NoSuchProcess):
                while process.poll() is None and time.monotonic() < over:
                    watcher.look()
                    time.sleep(0.1)
            page.over = True
    if process.returncode:
        raise ClientFailed((folder / "client.log").read_text(errors="replace")[-500:])
    return _stages(folder / "run", endpoint, watcher, page)


def _scenario(stream: bool, pairs: int, seconds_each: float, folder: pathlib.Path) -> pathlib.Path:
    lines = (json.dumps({"prompt": f"{n}. {PROMPT}"}) + "\n" for n in range(10_000))
    (folder / "prompts.jsonl").write_text("".join(lines), encoding="utf-8")
    load: dict[str, typing.Any] = {"settle_s": 3, "settle_at_most_s": 5, "measure_s": seconds_each, "repeat": 2 * pairs}
    load |= {"users": [USERS]} if stream else {"rate": [RATE], "max_users": 100}
    target = {
        "name": "exact", "service": "bedrock", "api": "converse", "model_id": STREAM_MODEL if stream else SHORT_MODEL, "stream": stream,
        "price": {"input": 0.0001, "output": 0.0004}, "parameters": {"max_tokens": STREAM_TOKENS if stream else SHORT_TOKENS},
    }  # fmt: skip
    scenario = {
        "name": "watched", "targets": [target], "region": "us-east-1", "payloads": [str(folder / "prompts.jsonl")], "load": load,
        "request_timeout_s": 30, "pricing": str(ROOT / "configs/pricing/local-demo.yaml"), "confirm_above_usd": 1e6,
    }  # fmt: skip
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    return path


def _stages(run: pathlib.Path, endpoint: Endpoint, watcher: Watcher, page: Page) -> list[Stage]:
    truth = {row["request_id"]: row for row in endpoint.rows()}
    by_stage: dict[int, list[dict[str, str]]] = {}
    with open(run / "requests.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["phase"] == "measure" and not row["error"]:
                by_stage.setdefault(int(row["stage"]), []).append(row)
    found = []
    for place, window in enumerate(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["stages"]):
        a, b, rows = window["measure_from"], window["measure_until"], by_stage.get(window["stage"], [])
        known = [(row, truth[row["request_id"]]) for row in rows if row["request_id"] in truth]
        errors = [
            float(row["ttft_ms"]) - 1000 * (true["first_token"] - true["arrival"])
            for row, true in known
            if row["ttft_ms"] and true["first_token"]
        ]
        late = [true["late_ms"] for _, true in known if true.get("late_ms") is not None]
        got = [one for one in page.got if a <= one[0] <= b]
        ages = [age for _, age, _ in got if age is not None]
        found.append(
            Stage(
                place % 2 == 1,
                len(rows) / (b - a),
                *watcher.cores(a, b),
                np.asarray(errors),
                float(np.percentile(late, 99)) if late else None,
                len(got),
                statistics.median(size for _, _, size in got) / 1024 if got else None,
                max(ages, default=None),
            )
        )
    return found


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("watched", __doc__, EXAMPLE)
    parser.add_argument(
        "--pairs", type=int, default=12, help="stages with and without the page, so many each (default: 12)"
    )
    parser.add_argument("--seconds", type=seconds, default=8.0, help="measured seconds of each stage (default: 8)")
    parser.add_argument("--one-core", action="store_true", help="observer and load process share a core")
    args: argparse.Namespace = parser.parse_args(argv)
    if not 1 <= args.pairs <= 30:
        complain(f"scripts.bench.watched: {args.pairs} pairs are too few or too many; give 1 to 30")
        return BAD_INPUT
    fine = True
    with tempfile.TemporaryDirectory(prefix="watched-") as folder:
        for stream in (False, True):
            what = f"{USERS} streams" if stream else f"{RATE} short calls/s, open loop"
            print(f"{what} ...", file=sys.stderr, flush=True)
            try:
                found = watched(stream, args.pairs, args.seconds, args.one_core, pathlib.Path(folder) / str(stream))
            except (EndpointFailed, ClientFailed) as e:
                complain(str(e))
                return BAD_INPUT
            core, error = core_more(found), error_more(found)
            print(f"{what}:\n\n{table(found)}\n\n{told(core, error)}\n")
            fine = fine and (error is None or error[0] <= ERROR_AT_MOST_MS) and (stream or core <= CORE_AT_MOST)
    return OK if fine else NOT_TRUSTED


if __name__ == "__main__":
    sys.exit(main())
