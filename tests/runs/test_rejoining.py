"""Workers whose master hears of them again: heartbeats that waited for it, workers that Locust has forgotten, and all silent at once."""

import signal

import locust.env
from locust import argument_parser

from locustfiles.common.recording.joining import Challenge, Hello, Proof, Stranger
from locustfiles.common.swarm import patient_master
from locustfiles.common.swarm.gate import UNANSWERED
from locustfiles.common.swarm.outsider import Outsider
from locustfiles.common.swarm.run_token import proof
from tests.helpers import folders
from tests.helpers.locust_page import await_page, post, stats
from tests.helpers.locust_process import cluster, environment, free_port
from tests.helpers.patience import until
from tests.helpers.zmq_client import connected
from tests.runs.test_web import await_closed

BEAT = {"state": "ready", "current_cpu_usage": 1.0, "current_memory_usage": 1}


def assert_it_is_let_in_after_a_silence(port: int, token: str) -> None:
    """A worker of an earlier master: what it sent while nobody listened comes at once, before it can have answered."""
    with connected(port, "returned") as worker:
        for _ in range(4 * UNANSWERED):
            worker.send("heartbeat", BEAT)
        kind, data = worker.hear()
        assert kind == Challenge.KIND
        worker.send(Proof.KIND, {"answers": [proof(token, data["challenge"], "returned")]})
        worker.send(Hello.KIND, Hello("content", "host", None, True).data())
        while (heard := worker.hear()[0]) == Challenge.KIND:  # the master's loop may have been late between two of them
            pass
        assert heard == Stranger.KIND  # and neither `quit` nor why it is refused
        worker.send("quit")


def test_workers_that_were_silent_are_let_in_again_and_serve_the_next_run(endpoint, tmp_path):
    load = {"users": [4], "settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 1}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    web, run = free_port(), tmp_path / "run"
    url, env = (
        f"http://127.0.0.1:{web}",
        environment(TEST_LIVENESS_S="5", TEST_FORGOTTEN_S="1", SWARMLEDGER_TOKEN="t0ken"),
    )
    with cluster(scenario, run, "--web-port", web, headless=False, env=env) as crew:
        await_page(url)
        here = lambda: len([w for w in stats(url)["workers"] if w["state"] == "ready"])  # noqa: E731
        until(lambda: here() == 2, crew.text)
        assert_it_is_let_in_after_a_silence(crew.port, "t0ken")
        crew.workers[1].send(signal.SIGSTOP)
        until(lambda: len(stats(url)["workers"]) == 1, crew.text)  # forgotten
        crew.workers[1].send(signal.SIGCONT)
        until(lambda: here() == 2, crew.text)
        assert "The master does not know this worker (any more): joining it anew" in crew.workers[1].text
        assert post(url, "/swarm", user_count=1, spawn_rate=1)["success"]
        await_closed(run)
        crew.master.send(signal.SIGTERM)
        assert crew.wait()[1] == [0, 0], crew.text()
    manifest, found = folders.manifest(run), folders.rows(run)
    assert manifest["status"] == "complete", crew.text()
    assert len({r.worker for r in found if r.phase != "warmup"}) == 2 and folders.each_once(found)  # two users each
    assert [w["produced"] == w["received"] > 0 for w in manifest["workers"]] == [True, True]


def test_a_run_goes_on_when_all_its_workers_were_silent_for_a_while(endpoint, tmp_path):
    """A host that was paused or overloaded. Locust ends a test in that moment."""
    before = endpoint.stats()["requests"]
    load = {"users": [2, 4], "settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 2}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    run = tmp_path / "run"
    with cluster(scenario, run, env=environment(TEST_LIVENESS_S="3")) as crew:
        until(lambda: len(folders.rows_so_far(run)) > 5, crew.text)
        for worker in crew.workers:
            worker.send(signal.SIGSTOP)
        until(lambda: crew.master.text.count("setting state to missing") >= 2, crew.text)
        for worker in crew.workers:
            worker.send(signal.SIGCONT)
        code, workers = crew.wait()
    manifest, found = folders.manifest(run), folders.rows(run)
    assert (manifest["status"], workers) == ("complete", [0, 0]), crew.text()
    assert [s["users"] for s in manifest["stages"]] == [2, 4] and folders.each_once(found)
    assert [w["produced"] == w["received"] > 0 for w in manifest["workers"]] == [True, True]
    assert len(found) == endpoint.stats()["requests"] - before


def test_a_run_whose_workers_are_all_gone_ends_and_says_so(endpoint, tmp_path):
    load = {"users": [2], "settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 600}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    run = tmp_path / "run"
    with cluster(scenario, run, workers=1, env=environment(TEST_LIVENESS_S="5")) as crew:
        until(lambda: len(folders.rows_so_far(run)) > 5, crew.text)
        crew.workers[0].send(signal.SIGKILL)
        assert crew.master.wait() == 2, crew.text()
    texts = [p["text"] for p in folders.manifest(run)["problems"]]
    assert "no worker was heard for 30 s: the run ends; see that the workers are up, then go on with --resume" in texts
    assert crew.master.text.count("ERROR/swarmledger: no worker was heard for 30 s") == 1
    assert folders.manifest(run)["status"] == "stopped"


def test_a_worker_builds_one_argument_parser_and_not_one_for_each_option_of_each_spawn(monkeypatch):
    monkeypatch.setattr(locust.env, "MasterRunner", locust.env.MasterRunner)  # both are put back
    monkeypatch.setattr(argument_parser, "default_args_dict", argument_parser.default_args_dict)
    built, build = [], argument_parser.setup_parser_arguments
    monkeypatch.setattr(argument_parser, "setup_parser_arguments", lambda parser: built.append(parser) or build(parser))
    patient_master._default_arguments.cache_clear()
    patient_master.use()
    options = argument_parser.default_args_dict()
    assert [o for o in options if o not in argument_parser.default_args_dict()] == [] and len(options) > 50
    assert len(built) == 1


def test_heartbeats_count_against_a_client_only_one_at_a_time_and_while_it_listens():
    client = Outsider()
    assert [client.beats("running"), client.beats("spawning")] == [False, False]  # it may be ending its users
    assert [client.beats("ready"), client.beats("ready"), client.heartbeats] == [True, False, 1]  # the second at once
