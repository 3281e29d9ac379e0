"""Workers that a platform starts: their exit code says whether they are to be started again, or are done with their run."""

import signal

from tests.helpers import folders
from tests.helpers.locust_process import cluster, environment

GRACE = {"SWARMLEDGER_GRACE_S": "30"}


def test_a_worker_that_is_moved_or_whose_master_is_wants_to_be_started_again(endpoint, tmp_path):
    before, load = endpoint.stats()["requests"], {"users": [4], "settle_s": 0, "measure_s": 600}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    with cluster(scenario, tmp_path / "run", workers=2, env=environment(**GRACE)) as crew:
        folders.await_requests(endpoint, before + 20)
        moved, stayed = crew.workers
        moved.until_it_catches(signal.SIGTERM)
        moved.send(signal.SIGTERM)
        assert moved.wait() == 4, crew.text()
        crew.master.send(signal.SIGTERM)
        assert (crew.master.wait(), stayed.wait()) == (4, 4), crew.text()
    assert folders.manifest(tmp_path / "run")["problems"] == []


def test_a_worker_of_a_complete_run_is_done(endpoint, tmp_path):
    load = {"users": [2], "settle_s": 0, "measure_s": 0.5}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    with cluster(scenario, tmp_path / "run", workers=2, env=environment(**GRACE)) as crew:
        assert crew.wait() == (0, [0, 0]), crew.text()
