"""Master, workers and endpoint on machines of their own (network namespaces), 20 ms apart, one clock 3 s ahead."""

import contextlib
import itertools
import os
import pathlib
import subprocess
import sys
import time

import pytest
import yaml

from analysis.runs.run_reader import load_run
from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import LOCUST, PATIENT, environment
from tests.helpers.patience import LONGEST_S, repeated, until

HOSTS = ("hub", "endpoint", "master", "near", "ahead")
ADDRESS = {host: f"10.213.7.{n}" for n, host in enumerate(HOSTS, start=1)}
DELAY_MS = 20
AHEAD_S = 3.0
PYTHON = sys.executable

#: a locustfile: ours, in a process whose wall clock is ahead
AHEAD = f"""
from locustfiles.common.calls import clock

class Ahead(clock.Clock):
    def __init__(self):
        super().__init__()
        self._offset += {AHEAD_S}

clock.Clock = Ahead

from locustfiles.sweep import StageShape, SweepUser  # noqa: E402, F401  what Locust runs
"""


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def why_not() -> str | None:
    """What keeps this machine from having namespaces; None where nothing does."""
    name = f"sl{os.getpid()}-try"
    try:
        ip("netns", "add", name)
    except OSError as e:
        return str(e)
    try:
        ip("-n", name, "link", "add", "lan", "type", "bridge")
        ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "other")
    except OSError as e:
        return str(e)
    finally:
        ip("netns", "del", name)
    return None


@contextlib.contextmanager
def machines():
    """A namespace for each of HOSTS with an address of its own, on one bridge in the hub's. host -> its namespace."""
    names = {host: f"sl{os.getpid()}-{host}" for host in HOSTS}
    with contextlib.ExitStack() as stack:
        for name in names.values():
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
            ip("-n", name, "link", "set", "lo", "up")
        hub = names["hub"]
        ip("-n", hub, "link", "add", "lan", "type", "bridge")
        ip("-n", hub, "addr", "add", f"{ADDRESS['hub']}/24", "dev", "lan")
        ip("-n", hub, "link", "set", "lan", "up")
        for host in HOSTS[1:]:
            ip("-n", hub, "link", "add", f"to-{host}", "type", "veth", "peer", "name", "lan", "netns", names[host])
            ip("-n", hub, "link", "set", f"to-{host}", "master", "lan", "up")
            ip("-n", names[host], "addr", "add", f"{ADDRESS[host]}/24", "dev", "lan")
            ip("-n", names[host], "link", "set", "lan", "up")
        yield names


class Processes:
    """What runs on the machines; `start` gives the process and the file with its output."""

    def __init__(self, stack: contextlib.ExitStack, names: dict[str, str], folder: pathlib.Path) -> None:
        self.stack, self.names, self.folder = stack, names, folder

    def start(self, host: str, *command: object) -> tuple[subprocess.Popen, pathlib.Path]:
        output = self.folder / f"{host}.log"
        with open(output, "wb") as file:
            popen = subprocess.Popen(
                ["ip", "netns", "exec", self.names[host], *map(str, command)],
                cwd=ROOT, env=environment(PYTHONPATH=str(ROOT)), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.stack.callback(_end, popen)
        return popen, output


def _end(popen: subprocess.Popen) -> None:
    if popen.poll() is None:
        popen.terminate()
        try:
            popen.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


def says(output: pathlib.Path, what: str) -> None:
    said = lambda: output.read_text(errors="replace")  # noqa: E731
    until(lambda: what in said(), said)


def swept(folder: pathlib.Path, seconds: float) -> tuple[pathlib.Path, list[dict]]:
    """(run folder, truth log) of a sweep over the machines."""
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(machines())
        on = Processes(stack, names, folder)
        (folder / "emulator.yaml").write_text(yaml.safe_dump(folders.EMULATOR))
        truth = folder / "truth.jsonl"
        emulator = [PYTHON, "-m", "scripts.emulator", "--config", folder / "emulator.yaml", "--truth", truth]
        endpoint, said = on.start("endpoint", *emulator, "--host", ADDRESS["endpoint"], "--port", 8800)
        says(said, "listening on")
        relay = [
            PYTHON,
            "-m",
            "tests.helpers.delay_proxy",
            "--listen",
            f"{ADDRESS['hub']}:5557",
            "--to",
            f"{ADDRESS['master']}:5557",
        ]
        says(on.start("hub", *relay, "--delay-ms", DELAY_MS)[1], "relaying")
        (folder / "ahead.py").write_text(AHEAD)
        load = {"users": [2, 4], "settle_s": 0.5, "measure_s": seconds}
        scenario = folders.make_scenario(
            folder, f"http://{ADDRESS['endpoint']}:8800", [folders.sagemaker("quick")], load
        )
        sweep = [LOCUST, "-f", f"{PATIENT},{ROOT / 'locustfiles/sweep.py'}", "--scenario", scenario]
        bind = [
            "--master",
            "--master-bind-host",
            ADDRESS["master"],
            "--headless",
            "--expect-workers",
            2,
            "--expect-workers-max-wait",
            LONGEST_S,
        ]
        master, log = on.start("master", *sweep, *bind, "--run-dir", folder / "run")
        join = ["--worker", "--master-host", ADDRESS["hub"]]
        workers = [
            on.start("near", *sweep, *join)[0],
            on.start("ahead", LOCUST, "-f", folder / "ahead.py", "--scenario", scenario, *join)[0],
        ]
        text = lambda: "\n".join(p.read_text(errors="replace") for p in folder.glob("*.log"))  # noqa: E731
        codes = master.wait(LONGEST_S), [w.wait() for w in workers]
        assert codes == (0, [0, 0]), text()
        assert "Traceback" not in text()
        _end(endpoint)
        return folder / "run", [yaml.safe_load(line) for line in truth.read_text().splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    if reason := why_not():
        pytest.skip(f"network namespaces cannot be made here (that takes root, `ip`, bridge and veth): {reason}")
    return swept(tmp_path_factory.mktemp("machines"), 3)


def offsets(path: pathlib.Path) -> dict[str, float]:
    """worker -> its clock minus the master's, ms: that of one worker is 3 s ahead, all machines share the rest."""
    return {w["id"]: w["clock_offset_ms"] for w in folders.manifest(path)["workers"]}


def test_records_from_machines_20_ms_away_are_the_endpoints_truth(run):
    path, truth = run
    found, manifest = folders.rows(path), folders.manifest(path)
    assert len(found) > 100 and folders.each_once(found) and not any(r.error for r in found)
    assert sorted(r.request_id for r in found) == sorted(row["request_id"] for row in truth)
    assert (manifest["status"], manifest["problems"]) == ("complete", [])
    assert len(offsets(path)) == 2 and all(w["produced"] == w["received"] > 0 for w in manifest["workers"])


def test_clock_offsets_are_estimated_over_a_delayed_line(run, tmp_path_factory):
    """Of ten pings the quickest counts: where a busy machine held up all ten, another run is looked at. Who forgets the line
    is 20 ms off."""
    again = (swept(tmp_path_factory.mktemp("again"), 0.5) for _ in itertools.count())
    paths = (path for path, _ in itertools.chain([run], again))

    @repeated
    def close() -> None:
        near, ahead = sorted(offsets(next(paths)).values())
        assert abs(near) < DELAY_MS / 3
        assert abs(ahead - 1000 * AHEAD_S) < DELAY_MS / 3

    close()


def test_corrected_start_times_agree_with_the_endpoints_arrivals(run):
    path, truth = run
    # the endpoint's clock is the machine's monotonic one, ours Unix time: the machine knows what lies between them
    between = time.time() - time.perf_counter()
    arrived = {row["request_id"]: row["arrival"] + between for row in truth}
    raw = {r.request_id: r.started_at - arrived[r.request_id] for r in folders.rows(path)}
    assert max(raw.values()) > AHEAD_S - 0.1  # as the worker's clock has it
    records = load_run(path).records
    late = [started - arrived[i] for i, started in zip(records["request_id"], records["started_at"], strict=True)]
    assert len(late) == len(truth)
    late.sort()
    # A busy machine holds up a single call on its way in or out; an error of the clocks shifts all of a worker's, a third and more.
    quarter = len(late) // 4
    assert -0.05 < late[quarter] and late[-quarter - 1] < 0.05, (late[:5], late[-5:])
    assert -AHEAD_S / 2 < late[0] and late[-1] < AHEAD_S / 2, (late[:5], late[-5:])
