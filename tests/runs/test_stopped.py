"""Ctrl-C and SIGTERM in mid-stage: what is in flight ends, what was measured is kept, whole."""

import collections
import json
import signal

import pytest

from tests.helpers import folders
from tests.helpers.locust_process import cluster, one_locust

LOAD = {"users": [20], "settle_s": 0.2, "measure_s": 60}
TARGETS = [folders.sagemaker("slow")]  # 2 s a request


def assert_whole(folder, sent: int, text: str) -> None:
    found, manifest = folders.rows(folder), folders.manifest(folder)
    assert len(found) == sent, text
    assert folders.each_once(found)
    assert collections.Counter(r.error for r in found) == {None: sent}, text  # nothing was cancelled or cut
    assert all(r.completion_tokens == 10 for r in found)
    assert (manifest["status"], manifest["problems"]) == ("stopped", [])
    (stage,) = manifest["stages"]
    assert stage["ended_by"] == "stop"
    measured = [r for r in found if r.phase == "measure"]
    assert len({(r.worker, r.user) for r in measured}) == 20
    slack = 0.25 + 2 * folders.lag_s(found)  # of 2 s rounds
    assert all(stage["measure_from"] - slack <= r.started_at < stage["measure_until"] + slack for r in measured)
    assert sum(w["received"] for w in manifest["workers"]) == sum(w["produced"] for w in manifest["workers"]) == sent
    assert int(folders.total(folder)["Request Count"]) == sent
    assert "Traceback" not in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_a_signal_to_a_single_process_lets_everything_in_flight_end(endpoint, tmp_path, number):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, LOAD)
    with one_locust(scenario, tmp_path / "run") as process:
        folders.await_requests(endpoint, before + 85)  # it has settled, and the fifth round of 20 is under way
        process.send(number)
        code = process.wait()
    assert code == 4, process.text
    assert_whole(tmp_path / "run", endpoint.stats()["requests"] - before, process.text)


@pytest.mark.parametrize("how", ["master SIGTERM", "all SIGINT"])
def test_a_signal_to_a_master_or_to_all_lets_everything_in_flight_end(endpoint, tmp_path, how):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, LOAD)
    with cluster(scenario, tmp_path / "run") as crew:
        folders.await_requests(endpoint, before + 85)
        if how == "all SIGINT":  # what a terminal does
            crew.interrupt()
        else:
            crew.master.send(signal.SIGTERM)
        code, workers = crew.wait()
    assert (code, workers) == (4, [0, 0]), crew.text()
    assert_whole(tmp_path / "run", endpoint.stats()["requests"] - before, crew.text())


def test_a_signal_in_a_warm_up_call_ends_the_run_before_its_first_stage(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, LOAD)
    with one_locust(scenario, tmp_path / "run") as process:
        folders.await_requests(endpoint, before + 1)  # it takes 2 s
        process.send(signal.SIGINT)
        assert process.wait() == 4, process.text
    (warmup,) = folders.rows(tmp_path / "run")
    assert (warmup.phase, warmup.error) == ("warmup", "cancelled")
    manifest = folders.manifest(tmp_path / "run")
    assert (manifest["status"], manifest["stages"], manifest["problems"]) == ("stopped", [], [])
    assert endpoint.stats()["requests"] == before + 1


def test_users_that_end_first_are_not_started_again_while_the_others_drain(endpoint, tmp_path):
    # 20 tokens/s after 1.5 s: answers of 10 tokens take 2 s, of 140 tokens 8.5 s, longer than missing users are waited for
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, LOAD)
    lines = [json.dumps({"prompt": f"Number {n}", "parameters": {"max_tokens": (10, 140)[n % 2]}}) for n in range(40)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines))
    with cluster(scenario, tmp_path / "run") as crew:
        folders.await_requests(endpoint, before + 60)
        crew.master.send(signal.SIGINT)
        crew.master.until("Draining")
        sent = endpoint.stats()["requests"]
        code, workers = crew.wait()
    assert (code, workers) == (4, [0, 0]), crew.text()
    assert (
        endpoint.stats()["requests"] - sent <= 6
    )  # on their way when it was counted; users that come back would be some twenty
    found = folders.rows(tmp_path / "run")
    assert len(found) == endpoint.stats()["requests"] - before and folders.each_once(found)
    assert not list(tmp_path.glob("swarmledger-spool-*"))


FAILING = """
import time
from locustfiles.sweep import *
from locustfiles.common.swarm.user import LLMUser
began, draw = time.monotonic(), LLMUser.draw
def failing(self, payload):
    if time.monotonic() - began > 3:
        raise ZeroDivisionError("a bug")
    return draw(self, payload)
LLMUser.draw = failing
"""


def test_a_bug_in_a_user_makes_the_run_untrusted(endpoint, tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD | {"users": [2], "measure_s": 4}
    )
    with one_locust(scenario, tmp_path / "run", locustfile=tmp_path / "failing.py") as process:
        assert process.wait() == 2, process.text
    (problem,) = folders.manifest(tmp_path / "run")["problems"]
    assert problem["text"].startswith("users failed inside Swarmledger (") and "a bug" in problem["text"]
