"""Workers and masters that are paused, cut off or killed, and a line that loses messages: no record is lost or counted twice."""

import concurrent.futures
import contextlib
import itertools
import pathlib
import signal
import time

import pytest

from analysis.__main__ import main as analysis
from tests.helpers import folders
from tests.helpers.delay_proxy import delaying
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.locust_process import PATIENT, environment, free_port, locust
from tests.helpers.patience import LONGEST_S, until

NAMES = ("paused", "cut", "halted", "killed", "lossy")  # an endpoint for each run, so that its truth is its own
EMULATOR = {
    "engines": folders.EMULATOR["engines"],
    "endpoints": {name: {"engine": "quick", "dialect": "tgi"} for name in NAMES},
}
SWEEP = ROOT / "locustfiles" / "sweep.py"


#: a locustfile: ours, over a line that loses 30 %, doubles 20 % and delays 10 % of the messages that carry records and stages
LOSSY = """
import random
import sys

from locust.rpc import zmqrpc
from locustfiles.common.recording.messages import Acknowledged, Flush, StageAnnounced, StageClear
from locustfiles.sweep import StageShape, SweepUser  # noqa: F401  what Locust runs

LOST = {"stats", *(kind.KIND for kind in (Acknowledged, StageClear, StageAnnounced, Flush))}
draws, held = random.Random(len(sys.argv)), []
counts = {"lost": 0, "doubled": 0, "late": 0}


def lossy(send):
    def sending(self, message):
        if message.type not in LOST:
            return send(self, message)
        draw = draws.random()
        if draw < 0.3:
            counts["lost"] += 1
        elif draw < 0.5:
            counts["doubled"] += 1
            send(self, message)
            send(self, message)
        elif draw < 0.6:
            counts["late"] += 1
            held.append(message)  # overtaken by the next ones
        else:
            send(self, message)
        if held and draws.random() < 0.3:
            send(self, held.pop(0))
        print("line:", counts, flush=True) if sum(counts.values()) % 10 == 0 else None
    return sending


zmqrpc.Client.send = lossy(zmqrpc.Client.send)
zmqrpc.Server.send_to_client = lossy(zmqrpc.Server.send_to_client)
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with running_emulator(EMULATOR, truth=tmp_path_factory.mktemp("endpoint") / "truth.jsonl") as e:
        yield e


class Run:
    """One run in `folder`, which is the processes' working folder too; `ports`: where each worker reaches the master."""

    def __init__(
        self, stack: contextlib.ExitStack, scenario: pathlib.Path, ports: list[int], file: pathlib.Path = SWEEP
    ) -> None:
        self.stack, self.scenario, self.file = stack, scenario, file
        self.folder, self.port = scenario.parent, ports[0]
        self.path = self.folder / "run"
        self.master = self.start_master("master", len(ports))
        join = ["--worker", "--master-host", "127.0.0.1", "--master-port"]
        self.workers = [self._start(f"worker-{n}", *join, port) for n, port in enumerate(ports)]

    def start_master(self, name: str, workers: int, *more: str):
        arguments = [
            "--master",
            "--master-bind-host",
            "127.0.0.1",
            "--master-bind-port",
            self.port,
            "--run-dir",
            self.path,
            *more,
        ]
        return self._start(
            name, *arguments, "--headless", "--expect-workers", workers, "--expect-workers-max-wait", LONGEST_S
        )

    def _start(self, name: str, *arguments: object):
        command = ["-f", f"{PATIENT},{self.file}", "--scenario", self.scenario, *arguments]
        env = environment(PYTHONPATH=str(ROOT), TEST_LIVENESS_S="6")  # a pause of 10 s is longer, a start is not
        log = self.folder / f"{name}.log"
        return self.stack.enter_context(locust(*command, output=log, env=env, cwd=self.folder))

    @property
    def spools(self) -> list[pathlib.Path]:
        return sorted(self.folder.glob("swarmledger-spool-*.csv"))

    def text(self) -> str:
        return "\n".join(f"--- {p.name}\n{p.read_text(errors='replace')}" for p in sorted(self.folder.glob("*.log")))

    def await_rows(self, at_least: int) -> None:
        until(lambda: len(folders.rows_so_far(self.path)) >= at_least, lambda: self.text()[-4000:])


def two_stages(
    folder: pathlib.Path, endpoint, name: str, first_s: float, second: tuple[int, float] = (2, 2)
) -> pathlib.Path:
    """4 users for `first_s`, then `second`, (users, s): two targets, one endpoint."""
    loads = {"first": (4, first_s), "second": second}
    targets = [
        folders.sagemaker(name, name=target, load={"users": [users], "settle_s": 0.3, "measure_s": s})
        for target, (users, s) in loads.items()
    ]
    return folders.make_scenario(folder, endpoint.url, targets, {"users": [1], "measure_s": 1}, request_timeout_s=20)


def assert_the_records_are_the_truth(endpoint, name: str, found: list[folders.Row]) -> None:
    """Every request that the endpoint answered stands in the file once, and nothing else does."""
    ids = [r.request_id for r in found]
    assert len(set(ids)) == len(ids)
    truth = folders.truth_of(endpoint, set(ids))
    assert len(truth) == len(ids)
    sent = {row["request_id"] for row in endpoint.truth_rows() if row["target"] == name}
    assert set(ids) == sent
    assert len({(r.worker, r.call, r.attempt) for r in found}) == len(found)


def stopped(run: Run, process, seconds: float) -> None:
    """One of the run's processes stands still for so long."""
    run.await_rows(80)
    process.send(signal.SIGSTOP)
    time.sleep(seconds)
    process.send(signal.SIGCONT)


def cut_off(run: Run, proxy) -> list[str]:
    """The second worker's line is cut for 12 s; what its spool holds towards their end."""
    run.await_rows(80)
    proxy.cut()
    began = time.monotonic()
    run.workers[1].until("has been silent for 10 s")
    run.workers[1].until("has not acknowledged")
    seen = [spool.read_text() for spool in run.spools]
    assert proxy.relayed == 1
    time.sleep(max(0.0, 12 - (time.monotonic() - began)))
    proxy.restore()
    return seen


@pytest.fixture(scope="module")
def away(endpoint, tmp_path_factory):
    """Four runs at once: in one a worker is stopped for 10 s, in the next a worker is cut off from its master for 12 s, in the
    third the master is stopped for as long, in the last the line loses, doubles and swaps messages."""
    with contextlib.ExitStack() as stack:
        port = free_port()
        proxy = stack.enter_context(delaying(("127.0.0.1", port), delay_s=0.0))
        paused = Run(
            stack, two_stages(tmp_path_factory.mktemp("paused"), endpoint, "paused", first_s=16), [free_port()] * 2
        )
        cut = Run(stack, two_stages(tmp_path_factory.mktemp("cut"), endpoint, "cut", first_s=17), [port, proxy.port])
        halted = Run(
            stack, two_stages(tmp_path_factory.mktemp("halted"), endpoint, "halted", first_s=17), [free_port()] * 2
        )
        scenario = two_stages(tmp_path_factory.mktemp("lossy"), endpoint, "lossy", first_s=4)
        (scenario.parent / "lossy.py").write_text(LOSSY)
        lossy = Run(stack, scenario, [free_port()] * 2, file=scenario.parent / "lossy.py")
        with concurrent.futures.ThreadPoolExecutor() as pool:  # each as soon as it has begun, however late another does
            pool.submit(stopped, paused, paused.workers[1], 10)
            pool.submit(stopped, halted, halted.master, 12)
            seen = pool.submit(cut_off, cut, proxy).result()
        codes = {run: (run.master.wait(), [w.wait() for w in run.workers]) for run in (paused, cut, halted, lossy)}
        yield paused, cut, halted, lossy, codes, seen


def assert_only_the_first_stage_is_concerned(run: Run, codes: tuple, why: str) -> None:
    manifest = folders.manifest(run.path)
    assert codes == (2, [0, 0]), run.text()
    assert manifest["status"] == "complete"
    (problem,) = manifest["problems"]
    assert why in problem["text"] and problem["stages"] == [1]
    assert any(w["id"] in problem["text"] for w in manifest["workers"])
    assert [w["produced"] == w["received"] > 0 and w["lost"] == 0 for w in manifest["workers"]] == [True, True]
    assert [s["whole"] for s in manifest["stages"]] == [False, True] and len(manifest["stages"][1]["workers"]) == 2
    assert "Traceback" not in run.text()


def test_a_worker_that_was_paused_for_10_s_has_lost_nothing_and_its_stage_says_so(endpoint, away):
    run, _, _, _, codes, _ = away
    assert_only_the_first_stage_is_concerned(run, codes[run], "stood still for 1")
    assert_the_records_are_the_truth(endpoint, "paused", folders.rows(run.path))
    assert run.spools == []
    assert max(r.latency_ms for r in folders.rows(run.path)) > 9000  # as its users saw it


def test_a_worker_that_was_cut_off_for_12_s_idles_spools_comes_back_and_has_lost_nothing(endpoint, away):
    _, run, _, _, codes, seen = away
    assert_only_the_first_stage_is_concerned(run, codes[run], "was silent for 1")
    found = folders.rows(run.path)
    assert_the_records_are_the_truth(endpoint, "cut", found)
    assert len(seen) == 1 and run.spools == []  # it was there, and went when the master had acknowledged everything
    assert f"python -m analysis merge {run.path}" in run.workers[1].text
    far = sorted(r.started_at for r in found if r.worker in seen[0])
    gaps = [b - a for a, b in itertools.pairwise(far)]
    assert 0.5 < max(gaps) < 10  # it idled from 10 s of silence until it was back
    assert len(seen[0].splitlines()) > 5 + 50  # ten seconds of its two users at 65 ms are some 300


def test_a_master_that_was_paused_for_12_s_says_that_its_workers_idled(endpoint, away):
    _, _, run, _, codes, _ = away
    assert codes[run] == (2, [0, 0]), run.text()
    manifest, found = folders.manifest(run.path), folders.rows(run.path)
    (problem,) = manifest["problems"]
    assert problem["text"].startswith("the master was paused for 1") and problem["stages"] == [1]
    assert "has been silent for 10 s" in run.text()
    assert_the_records_are_the_truth(endpoint, "halted", found)
    sent = sorted(r.started_at for r in found if r.stage == 1)
    assert max(b - a for a, b in itertools.pairwise(sent)) > 0.5  # four users of 65 ms: a gap that is theirs alone
    assert manifest["status"] == "complete" and all(s["whole"] for s in manifest["stages"])


@pytest.mark.timed
def test_workers_of_a_killed_master_join_its_successor_or_leave_a_file_and_what_they_kept_is_merged(
    endpoint, tmp_path, capsys
):
    with contextlib.ExitStack() as stack:
        run = Run(stack, two_stages(tmp_path, endpoint, "killed", first_s=1.5, second=(3, 3)), [free_port()] * 3)
        until(lambda: sum(r.stage == 2 for r in folders.rows_so_far(run.path)) > 20, run.text)
        run.master.send(signal.SIGKILL)
        run.master.popen.wait()
        run.workers[2].send(signal.SIGTERM)  # one leaves
        folders.await_requests(
            endpoint, endpoint.stats()["requests"] + 40
        )  # the others go on: nobody takes their records
        before = len(folders.rows(run.path))
        second = run.start_master("master-again", 2, "--resume")
        codes = second.wait(), [w.wait() for w in run.workers]
    assert codes == (0, [0, 0, 2]), run.text()
    assert "python -m analysis merge" in run.workers[2].text
    manifest, found = folders.manifest(run.path), folders.rows(run.path)
    assert (manifest["status"], manifest["problems"]) == ("complete", []), run.text()
    assert [p["status"] for p in manifest["parts"]] == ["broken off", "complete"]
    assert [(s["stage"], s["target"], s["whole"]) for s in manifest["stages"]] == [
        (1, "first", True),
        (3, "second", True),
    ]
    assert [s["stage"] for s in manifest["abandoned"]] == [2]
    assert len(found) > before
    assert len({(r.worker, r.call, r.attempt) for r in found}) == len(found)
    assert len({r.worker for r in found}) == 3  # two of them in both parts
    assert all(
        w["clock_offset_ms"] is not None for w in manifest["workers"]
    )  # though the killed master never closed its part
    assert [w["produced"] is None for w in manifest["workers"]] == [True] * 3 + [False] * 2
    assert len(run.spools) == 3  # of the records of the stage that was broken off
    kept = sum(len(spool.read_text().splitlines()) - 5 for spool in run.spools)
    assert analysis(["merge", str(run.path), *map(str, run.spools)]) == 0
    merged = folders.rows(run.path)
    assert len(found) < len(merged) <= len(found) + kept
    assert_the_records_are_the_truth(endpoint, "killed", merged)
    after = folders.manifest(run.path)
    assert after["stages"] == manifest["stages"] and after["problems"] == []
    assert sum(w["received"] for w in after["workers"]) == len(merged)
    assert all(w["received"] == w["produced"] and w["lost"] == 0 for w in after["workers"])
    capsys.readouterr()
    assert analysis(["merge", str(run.path), *map(str, run.spools)]) == 0
    assert capsys.readouterr().out.count("nothing to add") == len(run.spools)
    assert folders.rows(run.path) == merged


def test_a_run_over_a_line_that_loses_doubles_and_swaps_messages_has_every_record_once(endpoint, away, capsys):
    _, _, _, run, codes, _ = away
    assert codes[run][0] == 0, run.text()
    assert all("line: {'lost': " in p.text for p in (run.master, *run.workers))
    found, manifest = folders.rows(run.path), folders.manifest(run.path)
    assert_the_records_are_the_truth(endpoint, "lossy", found)
    assert folders.each_once(found)
    assert (manifest["status"], manifest["problems"]) == ("complete", [])
    assert all(w["produced"] == w["received"] and w["lost"] == 0 for w in manifest["workers"])
    assert all(s["whole"] for s in manifest["stages"])
    assert set(codes[run][1]) <= ({0, 2} if run.spools else {0})
    for spool in run.spools:  # its last acknowledgement was lost: the worker could not know
        assert analysis(["merge", str(run.path), str(spool)]) == 0
        assert "nothing to add" in capsys.readouterr().out
    assert folders.rows(run.path) == found
