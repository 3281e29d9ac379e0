"""One measurement: a client at one number of users against a fresh endpoint, each on a core of its own.

The window begins when every user can have had an answer, and is the same for every client: what arrived at the endpoint in
it, by the endpoint's clock, is what counts. CPU and memory are read from outside at its ends.
"""

import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import time
import typing

import numpy as np
import psutil

from scripts.bench.client import Answer, Client, Load, environment
from scripts.bench.endpoint import Endpoint, EndpointFailed, pin_to, running_endpoint

START_S = 120  # a client has so long to send its first requests
SETTLE_S = 2.0
GRACE_S = 2.0  # to end and note what arrived in the window
STOP_S = 20


class ClientFailed(Exception):
    """A client that did not send, or ended too early; the text is the end of what it said."""


class Spread(typing.NamedTuple):
    """Client minus endpoint, ms."""

    mean: float
    p50: float
    p99: float


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Of one client at one level. `others` is CPU that other programs took on client's and endpoint's core, a share."""

    users: int
    requests: int  # that arrived at the endpoint in the window
    lost: int  # of these, not recorded by the client as a success
    ttft: Spread | None
    latency: Spread | None
    requests_per_s: float
    cpu_ms: float  # a request
    client_core: float  # share of one core
    endpoint_core: float
    memory_mb: float  # peak
    endpoint_late_p99_ms: float | None
    others: float


def cores() -> tuple[int | None, int | None]:
    """(endpoint's, client's); None: not pinned, for there is one core only."""
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[1]) if len(found) > 1 else (None, None)


def spare_core() -> int | None:
    """A third one, for a second process of the endpoint."""
    found = sorted(os.sched_getaffinity(0))
    return found[2] if len(found) > 2 else None


def measure(client: Client, users: int, stream: bool, seconds: float, tls: bool, folder: pathlib.Path) -> Figures:
    """Raises Absent, ClientFailed or EndpointFailed."""
    folder.mkdir(parents=True)
    endpoint_core, client_core = cores()
    load = Load(users, stream, seconds + SETTLE_S + GRACE_S + 5, folder)
    with running_endpoint(folder, endpoint_core, tls, spare_core()) as endpoint:
        command = client.command(load, endpoint.url)
        with running(command, environment(endpoint, load, client.root), client_core, folder / "client.log") as process:
            wait_for_load(process, endpoint, users, folder / "client.log")
            time.sleep(SETTLE_S)
            before = _sample(process.pid, endpoint)
            time.sleep(seconds)
            after = _sample(process.pid, endpoint)
            memory = _peak_mb(process.pid)
            if process.poll() is not None:
                raise ClientFailed(said(folder / "client.log"))
            time.sleep(GRACE_S)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(client.drain_s)
    return _figures(load, list(endpoint.rows()), client.read(load), before, after, memory)


@contextlib.contextmanager
def running(
    command: list[str], env: dict[str, str], core: int | None, log: pathlib.Path
) -> typing.Iterator[subprocess.Popen]:
    """A process in its log's folder, ended by SIGTERM where it has not ended by itself; nothing that it began outlives it."""
    with open(log, "wb") as file:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=pin_to(core),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for_load(process: subprocess.Popen, endpoint: Endpoint, users: int, log: pathlib.Path) -> None:
    over = time.monotonic() + START_S
    while endpoint.requests() < users:
        if process.poll() is not None:
            raise ClientFailed(said(log) or f"it ended with code {process.returncode} and said nothing")
        if time.monotonic() > over:
            raise ClientFailed(f"fewer than {users} requests ended within {START_S} s; at last it said: {said(log)}")
        if endpoint.died():
            raise EndpointFailed("local endpoint: stopped in mid-measurement; measure again")
        time.sleep(0.1)


def said(log: pathlib.Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("error:")), lines[-1] if lines else "")[:300]


class _Sample(typing.NamedTuple):
    at: float  # perf_counter, the truth log's clock
    client_s: float  # CPU
    endpoint_s: float
    busy_s: float  # of the cores that are used


def _sample(client: int, endpoint: Endpoint) -> _Sample:
    used = [c for c in (*cores(), spare_core()) if c is not None]
    times = psutil.cpu_times(percpu=True)
    busy = sum(sum(times[c]) - times[c].idle - times[c].iowait - times[c].guest - times[c].guest_nice for c in used)
    return _Sample(time.perf_counter(), cpu_s(client), sum(map(cpu_s, endpoint.pids)), busy)


def cpu_s(pid: int) -> float:
    """Of a process and its children."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += max(times.user + times.system, _threads_s(each.pid))
    return total


def _threads_s(pid: int) -> float:
    """To the nanosecond, where the whole process has hundredths of a second, which are a request or more of one user; threads
    that have ended are not in it."""
    total = 0
    for each in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has just ended
            total += int(each.read_text().split()[0])
    return total / 1e9


def _peak_mb(pid: int) -> float:
    """Peak resident memory of a process and its children, summed, MB."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                status = pathlib.Path(f"/proc/{each.pid}/status").read_text()
                found = status.partition("VmHWM:")[2].split()
                total += int(found[0]) if found else 0  # what has ended and is not waited for has none
    return total / 1024


def _figures(
    load: Load, truth: list[dict], answers: dict[str, Answer], before: _Sample, after: _Sample, memory_mb: float
) -> Figures:
    """Join the client's records with the truth by request id."""
    elapsed = after.at - before.at
    arrived = [row for row in truth if before.at <= row["arrival"] < after.at]
    ended = sum(row["last_byte"] is not None and before.at <= row["last_byte"] < after.at for row in truth)
    if not arrived or not ended:
        raise ClientFailed("no request came or ended in the window")
    both = [(answer, row) for row in arrived if (answer := answer_to(row, answers))]
    ttft = [
        a.ttft_ms - (r["first_token"] - r["arrival"]) * 1000
        for a, r in both
        if a.ttft_ms is not None and r["first_token"]
    ]
    latency = [a.latency_ms - (r["last_byte"] - r["arrival"]) * 1000 for a, r in both]
    client_s, endpoint_s = after.client_s - before.client_s, after.endpoint_s - before.endpoint_s
    late = [row["late_ms"] for row in arrived]
    return Figures(
        users=load.users,
        requests=len(arrived),
        lost=len(arrived) - len(both),
        ttft=_spread(ttft) if load.stream else None,
        latency=_spread(latency),
        requests_per_s=ended / elapsed,
        cpu_ms=1000 * client_s / ended,
        client_core=client_s / elapsed,
        endpoint_core=endpoint_s / elapsed,
        memory_mb=memory_mb,
        endpoint_late_p99_ms=float(np.percentile(late, 99)) if load.stream else None,
        others=max(0.0, after.busy_s - before.busy_s - client_s - endpoint_s) / elapsed,
    )


def answer_to(row: dict, answers: dict[str, Answer]) -> Answer | None:
    """What the client recorded of a request, by the endpoint's id of it or by its own that it sent along."""
    return answers.get(row["request_id"]) or answers.get(row.get("client_request_id"))  # type: ignore[arg-type]


def _spread(errors: list[float]) -> Spread | None:
    if not errors:
        return None
    p50, p99 = np.percentile(errors, [50, 99])
    return Spread(float(np.mean(errors)), float(p50), float(p99))
