"""The master's port: whoever is none of the run's workers is refused with a line, and ends, falsifies and delays nothing."""

import contextlib
import re
import signal

import pytest

from locustfiles.common.recording.joining import Challenge, Hello, Knock, Proof, Refused
from locustfiles.common.recording.messages import RecordsReport
from locustfiles.common.swarm.run_token import proof
from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import PATIENT, environment, free_port, locust
from tests.helpers.patience import LONGEST_S, until
from tests.helpers.run_parts import record
from tests.helpers.zmq_client import connected

PLAIN = """
from locust import User, task


class Plain(User):
    @task
    def nothing(self):
        pass
"""


class Attacked:
    """A run of one worker whose master anybody reaches; it begins when that worker is started."""

    def __init__(self, stack: contextlib.ExitStack, folder, endpoint) -> None:
        self.stack, self.folder, self.port, self.path = stack, folder, free_port(), folder / "run"
        load = {"users": [3], "settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 3}
        self.scenario = folders.make_scenario(folder, endpoint.url, [folders.sagemaker("quick")], load)
        own = ["--run-dir", self.path, "--headless", "--master", "--master-bind-port", self.port]
        waiting = ["--expect-workers", 1, "--expect-workers-max-wait", LONGEST_S]
        self.master = self._start("master", ROOT / "locustfiles/sweep.py", *own, *waiting)
        self.master.until("Waiting for workers to be ready")

    def _start(self, name: str, file, *arguments: object, **env: str):
        file = f"{PATIENT},{file}"
        scenario = () if name == "plain" else ("--scenario", self.scenario)
        command = ["-f", file, *scenario, *arguments]
        return self.stack.enter_context(
            locust(*command, output=self.folder / f"{name}.log", env=environment(**env), cwd=self.folder)
        )

    def start_worker(self, name: str, file=ROOT / "locustfiles/sweep.py", **env: str):
        return self._start(name, file, "--worker", "--master-host", "127.0.0.1", "--master-port", self.port, **env)

    def said(self, line: str) -> None:
        self.master.until(line)


def before_it_begins(run: Attacked) -> None:
    """All that Locust would heed, of a client that shows no token; and what is no message at all."""
    with connected(run.port, "stranger") as stranger:
        stranger.socket.send(b"\x93\xa5hello")  # ends before its second part
        stranger.socket.send_multipart([b"one", b"part", b"too many"])
        run.said("a message that cannot be read is dropped")
        stranger.send("client_ready", "2.47.0")
        assert stranger.hear() == ("ack", None)
        stranger.send("heartbeat", {"state": "ready", "current_cpu_usage": 0})
        kind, data = stranger.hear()
        assert kind == Challenge.KIND and list(data) == ["challenge"]
        for kind in ("quit", "client_stopped", "spawning_complete", "exception", "stats"):
            stranger.send(kind, {"user_classes_count": {"SweepUser": 50}})
        run.said("client 'stranger' sent `'quit'` and has not shown this run's token: ignored")
        stranger.send("locustfile", {"version": "2.47.0"})
        kind, data = stranger.hear()
        assert kind == "locustfile" and "hands out no locustfile" in data["error"]
    with connected(run.port, "guesser") as guesser:
        guesser.send("client_ready", "2.47.0")
        guesser.send(Knock.KIND, {})
        assert guesser.hear() == ("ack", None)
        challenge = guesser.hear()[1]["challenge"]
        guesser.send(Proof.KIND, {"answers": [proof("a guess", challenge, "guesser")]})
        kind, data = guesser.hear()
        assert kind == Refused.KIND and "has not the token of this master" in data["why"]
        guesser.send(Hello.KIND, Hello("another", "h", None, False).data())  # of a worker it would call the run off


def while_it_runs(run: Attacked, worker: str) -> None:
    """Invented records, in its own name and in the worker's; and the worker's leave."""
    run_id = folders.manifest(run.path)["run_id"]
    rows = [record(n).row() for n in range(1, 2001)]
    report = {RecordsReport.KIND: RecordsReport(run_id, 0, rows, 2000).data(), "user_classes_count": {}, "stats": []}
    with connected(run.port, "forger") as forger:
        for name in ("forger", worker):
            forger.send("stats", report, in_the_name_of=name)
            forger.send("quit", None, in_the_name_of=name)
            forger.send("client_stopped", None, in_the_name_of=name)
        run.said("sent `'quit'` in the name of")
        kind, _ = forger.hear()
        assert kind == Challenge.KIND  # and no acknowledgement


@pytest.fixture(scope="module")
def attacked(endpoint, tmp_path_factory):
    """(the run, codes of master, worker, plain worker, worker with another token and without one, requests at the endpoint)"""
    before = endpoint.stats()["requests"]
    with contextlib.ExitStack() as stack:
        run = Attacked(stack, tmp_path_factory.mktemp("attacked"), endpoint)
        (run.folder / "plain.py").write_text(PLAIN)
        (run.folder / "elsewhere").mkdir()  # another machine, or another user's
        plain = run.start_worker("plain", run.folder / "plain.py")
        other = run.start_worker("other", SWARMLEDGER_TOKEN="of another run")
        without = run.start_worker("without", TMPDIR=str(run.folder / "elsewhere"))
        before_it_begins(run)
        codes = {"plain": plain.wait(), "other": other.wait(), "without": without.wait()}
        token = re.search(r"SWARMLEDGER_TOKEN=(\w+) ", run.master.text)[1]
        worker = run.start_worker("worker", TMPDIR=str(run.folder / "elsewhere"), SWARMLEDGER_TOKEN=token)
        until(lambda: any(r.phase == "measure" for r in folders.rows_so_far(run.path)), lambda: run.master.text[-3000:])
        while_it_runs(run, folders.rows_so_far(run.path)[0].worker)
        codes |= {"master": run.master.wait(), "worker": worker.wait()}
    return run, codes, endpoint.stats()["requests"] - before


def test_a_run_is_what_its_own_worker_sent_whoever_else_reports_or_leaves(attacked):
    run, codes, sent = attacked
    assert (codes["master"], codes["worker"]) == (0, 0), run.master.text[-4000:]
    found, manifest = folders.rows(run.path), folders.manifest(run.path)
    assert len(found) == sent > 20 and folders.each_once(found)
    assert (manifest["status"], manifest["problems"]) == ("complete", [])
    (worker,) = manifest["workers"]
    assert {r.worker for r in found} == {worker["id"]} and worker["produced"] == worker["received"] == sent
    assert int(folders.total(run.path)["Request Count"]) == sent
    assert worker["versions"] == {}  # the master's own
    assert "Traceback" not in run.master.text


def test_a_plain_locust_worker_is_sent_away_and_both_sides_say_what_it_lacks(attacked):
    run, codes, _ = attacked
    assert codes["plain"] == 0  # Locust's own, which was told to quit
    why = "it runs without Swarmledger's locustfile, or with another version of it; start it with locust -f locustfiles/sweep.py"
    assert f"(Locust '2.47.0') is refused: {why}" in run.master.text
    assert f"refused by the master: {why}" in (run.folder / "plain.log").read_text()


@pytest.mark.parametrize("name", ["other", "without"])
def test_a_worker_without_the_runs_token_ends_with_a_line_and_so_does_not_the_run(attacked, name):
    run, codes, _ = attacked
    assert codes[name] == 1
    (line,) = [line for line in (run.folder / f"{name}.log").read_text().splitlines() if line.startswith("error:")]
    assert "has not the token of this master; start it with SWARMLEDGER_TOKEN set to the master's" in line
    assert run.master.text.count("is refused: it has not this run's token") == 3  # with the guesser


def test_the_token_stands_in_one_line_of_the_master_and_nowhere_else(attacked):
    run, _, _ = attacked
    token = re.search(r"SWARMLEDGER_TOKEN=(\w+) ", run.master.text)[1]
    holding = [p for p in run.folder.rglob("*") if p.is_file() and token in p.read_text(errors="replace")]
    assert [p.name for p in holding] == ["master.log"] and run.master.text.count(token) == 1


def test_ports_are_those_of_this_machine_alone_unless_told_otherwise(endpoint, tmp_path):
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("quick")], {"users": [1], "measure_s": 1}
    )
    web, port = free_port(), free_port()
    arguments = ["-f", ROOT / "locustfiles/sweep.py", "--scenario", scenario, "--run-dir", tmp_path / "run"]
    with locust(
        *arguments, "--master", "--master-bind-port", port, "--web-port", web, output=tmp_path / "log"
    ) as process:
        process.until("Starting web interface at http://127.0.0.1:")
        process.until("Workers of this user on this machine join by themselves")
        listening = {line.split()[1] for line in open(f"/proc/{process.popen.pid}/net/tcp") if line.split()[3] == "0A"}
        assert f"0100007F:{port:04X}" in listening
        process.until_it_catches(signal.SIGTERM)
        process.send(signal.SIGTERM)
        process.wait()
