"""A soak: many streams for minutes on end. Does the client's memory grow, does its error drift?

Client and local endpoint have a core each. A minute's memory is the median of what the client and its children hold; its error
is the p99 of client minus endpoint, of the TTFTs of the requests that arrived in it. Exit code 2: memory grows, the error
drifts, or records are lost.
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import tempfile
import time
import typing

import numpy as np
import psutil

from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.client import Load, environment
from scripts.bench.clients import CLIENTS
from scripts.bench.command import parser_of
from scripts.bench.endpoint import Endpoint, EndpointFailed, running_endpoint
from scripts.bench.machine import machine
from scripts.bench.measure import (
    SETTLE_S,
    ClientFailed,
    answer_to,
    cores,
    cpu_s,
    running,
    said,
    spare_core,
    wait_for_load,
)
from scripts.bench.table import UNKNOWN, markdown

EXAMPLE = """example:
  python -m scripts.bench.soak --users 400 --minutes 10
  python -m scripts.bench.soak --users 50 --minutes 1 --tls"""
PERIODS = 10  # of the soak: minutes where it lasts ten
SAMPLES = 600  # of its memory, in all; one a second at most
GROWTH_MB, GROWTH = 3.0, 0.03  # over the soak, its first period left out: what both are exceeded by is growth
DRIFT_MS, DRIFT = 1.0, 0.5  # of the error's p99, last third against first: the same
HEAD = (
    "minute", "requests", "lost", "TTFT error p50 (ms)", "TTFT error p99 (ms)", "endpoint late p99 (ms)", "client's core", "memory MB",
)  # fmt: skip


class Period(typing.NamedTuple):
    """A part of the soak, its end in minutes. None: no request of it was recorded."""

    until: float
    requests: int
    lost: int
    error_p50_ms: float | None
    error_p99_ms: float | None
    late_p99_ms: float | None
    core: float | None
    memory_mb: float | None


class Sample(typing.NamedTuple):
    at: float  # perf_counter, the truth log's clock
    cpu_s: float
    memory_mb: float


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("soak", __doc__, EXAMPLE)
    parser.add_argument("--users", type=_whole, default=400, help="streaming users (default: 400)")
    parser.add_argument("--minutes", type=_minutes, default=10.0, help="(default: 10)")
    parser.add_argument("--tls", action="store_true", help="over HTTPS")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        try:
            periods = soak(args.users, 60 * args.minutes, args.tls, pathlib.Path(folder))
        except (EndpointFailed, ClientFailed) as e:
            complain(str(e))
            return BAD_INPUT
    way = "HTTPS" if args.tls else "plain HTTP"
    print(f"# A soak: {args.users} streams for {args.minutes:g} minutes, {way}\n\n{machine()}.\n\n{table(periods)}\n")
    found = failings(periods)
    print(
        "\n".join(f"- {words}" for words in found or ["Memory is flat, the error does not drift, no record is lost."])
    )
    return NOT_TRUSTED if found else OK


def _whole(text: str) -> int:
    if not 1 <= int(text) <= 2000:
        raise argparse.ArgumentTypeError(f"{text} users are too few or too many; give 1 to 2000")
    return int(text)


def _minutes(text: str) -> float:
    if not 0.1 <= float(text) <= 600:
        raise argparse.ArgumentTypeError(f"{text} minutes are too short or too long; give 0.1 to 600")
    return float(text)


def soak(users: int, seconds: float, tls: bool, folder: pathlib.Path) -> list[Period]:
    """Raises EndpointFailed, ClientFailed."""
    endpoint_core, client_core = cores()
    load, client, log = Load(users, True, seconds + SETTLE_S + 30, folder), CLIENTS["ours"], folder / "client.log"
    with running_endpoint(folder, endpoint_core, tls, spare_core()) as endpoint:
        command = client.command(load, endpoint.url)
        with running(command, environment(endpoint, load, client.root), client_core, log) as process:
            wait_for_load(process, endpoint, users, log)
            time.sleep(SETTLE_S)
            samples = [_sample(process.pid)]
            while samples[-1].at < samples[0].at + seconds:
                time.sleep(min(1.0, seconds / SAMPLES))
                samples.append(_sample(process.pid))
                if process.poll() is not None:
                    raise ClientFailed(said(log))
            time.sleep(2 * SETTLE_S)  # for what arrived to end
    return periods_of(samples, endpoint, client.read(load))


def _sample(pid: int) -> Sample:
    memory = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        memory = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    return Sample(time.perf_counter(), cpu_s(pid), memory / 2**20)


def periods_of(samples: list[Sample], endpoint: Endpoint, answers: dict) -> list[Period]:
    """The samples' time in equal parts, each with the truth of the requests that arrived in it."""
    edges = np.linspace(samples[0].at, samples[-1].at, PERIODS + 1)
    errors: list[list[float]] = [[] for _ in range(PERIODS)]
    late: list[list[float]] = [[] for _ in range(PERIODS)]
    lost = [0] * PERIODS
    for row in endpoint.rows():
        index = int(np.searchsorted(edges, row["arrival"], "right")) - 1
        if not 0 <= index < PERIODS:
            continue
        late[index].append(row["late_ms"])
        answer = answer_to(row, answers)
        if answer is None or answer.ttft_ms is None or not row["first_token"]:
            lost[index] += 1
        else:
            errors[index].append(answer.ttft_ms - (row["first_token"] - row["arrival"]) * 1000)
    return [
        _period(samples, edges[i], edges[i + 1], (edges[i + 1] - edges[0]) / 60, errors[i], late[i], lost[i])
        for i in range(PERIODS)
    ]


def _period(samples, start: float, end: float, until: float, errors: list[float], late: list[float], lost: int):
    inside = [s for s in samples if start <= s.at <= end]
    p50, p99 = (float(v) for v in np.percentile(errors, [50, 99])) if errors else (None, None)
    core = (inside[-1].cpu_s - inside[0].cpu_s) / (inside[-1].at - inside[0].at) if len(inside) > 1 else None
    memory = statistics.median(s.memory_mb for s in inside) if inside else None
    late_p99 = float(np.percentile(late, 99)) if late else None
    return Period(until, len(late), lost, p50, p99, late_p99, core, memory)


def table(periods: list[Period]) -> str:
    rows = []
    for p in periods:
        times = [UNKNOWN if v is None else f"{v:.2f}" for v in (p.error_p50_ms, p.error_p99_ms, p.late_p99_ms)]
        core = UNKNOWN if p.core is None else f"{100 * p.core:.0f} %"
        memory = UNKNOWN if p.memory_mb is None else f"{p.memory_mb:.1f}"
        rows.append([f"{p.until:.1f}", f"{p.requests:,}", str(p.lost), *times, core, memory])
    return markdown(HEAD, rows)


def failings(periods: list[Period]) -> list[str]:
    """What is wrong, in words; empty where all is well."""
    found = [*_growth(periods[1:]), *_drift(periods)]
    if lost := sum(p.lost for p in periods):
        found.append(f"{lost} of {sum(p.requests for p in periods)} requests are in no record.")
    return found


def _growth(periods: list[Period]) -> list[str]:
    """By the median of the slopes between all pairs, which no single jump moves."""
    known = [(p.until, p.memory_mb) for p in periods if p.memory_mb is not None]
    slopes = [(b - a) / (then - now) for i, (now, a) in enumerate(known) for then, b in known[i + 1 :]]
    if not slopes:
        return ["Its memory is not known: the soak was too short."]
    (began, first), (ended, last), slope = known[0], known[-1], statistics.median(slopes)
    grown = slope * (ended - began)
    if grown <= max(GROWTH_MB, GROWTH * first):
        return []
    requests = sum(p.requests for p in periods if began < p.until <= ended)
    words = f"Memory grows by {slope:.2f} MB a minute, from {first:.0f} to {last:.0f} MB"
    return [f"{words}: {grown * 2**20 / max(1, requests):.0f} bytes of each request are kept."]


def _drift(periods: list[Period]) -> list[str]:
    """The last third's error against the first's, beside what the endpoint did meanwhile."""
    third = max(1, len(periods) // 3)

    def median(name: str, part: list[Period]) -> float | None:
        values = [v for p in part if (v := getattr(p, name)) is not None]
        return statistics.median(values) if values else None

    first, last = (median("error_p99_ms", part) for part in (periods[:third], periods[-third:]))
    if first is None or last is None:
        return ["In a third of the soak no request was recorded: its error is not known."]
    if last - first <= max(DRIFT_MS, DRIFT * first):
        return []
    began, ended = (median("late_p99_ms", part) for part in (periods[:third], periods[-third:]))
    whose = f"the endpoint's own lateness went from {began:.1f} to {ended:.1f} ms"
    return [f"The error drifts: p99 {first:.1f} ms in the first third, {last:.1f} ms in the last; {whose}."]


if __name__ == "__main__":
    sys.exit(main())
