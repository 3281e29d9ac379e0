"""Ctrl-C and SIGTERM in mid-stage: what is in flight ends, what was measured is kept, whole."""

import collections
import signal

import pytest

from tests.runs import folders
from tests.runs.locust_process import cluster, one_locust

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
    assert all(stage["measure_from"] - 0.05 <= r.started_at < stage["measure_until"] + 0.05 for r in measured)
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
        code = process.wait(30)
    assert code == 0, process.text
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
        code, workers = crew.wait(40)
    assert (code, workers) == (0, [0, 0]), crew.text()
    assert_whole(tmp_path / "run", endpoint.stats()["requests"] - before, crew.text())
