"""Stop pressed twice in the web UI: the second waits for the first, and the run ends as by one."""

import concurrent.futures

import pytest

from tests.helpers import folders
from tests.helpers.locust_page import await_page, await_state, post
from tests.helpers.locust_process import cluster, free_port, one_locust
from tests.helpers.patience import until
from tests.runs.test_web import await_closed

LOAD = {"users": [4], "settle_s": 0.2, "measure_s": 60}


def press_stop_twice(url: str, process) -> None:
    """Both while two seconds of requests are in flight."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(post, url, "/stop")
        process.until("Draining") if "--master" in process.popen.args else None
        second = pool.submit(post, url, "/stop")
        assert first.result()["success"] and second.result()["success"]


@pytest.mark.parametrize("workers", [0, 2])
def test_stop_pressed_twice_ends_the_run_once_and_well(endpoint, tmp_path, workers):
    before, web = endpoint.stats()["requests"], free_port()
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("slow")], LOAD)
    url, run, more = f"http://127.0.0.1:{web}", tmp_path / "run", ("--web-host", "127.0.0.1", "--web-port", web)
    started = (
        cluster(scenario, run, *more, workers=workers, headless=False)
        if workers
        else one_locust(scenario, run, "--web-port", web, headless=False)
    )
    with started as crew:
        master = crew.master if workers else crew
        await_page(url)
        if workers:
            master.until("2 workers connected")
        assert post(url, "/swarm", user_count=1, spawn_rate=1)["success"]
        folders.await_requests(endpoint, before + 9)
        press_stop_twice(url, master)
        await_closed(run)
        await_state(url, "stopped")
        sent = endpoint.stats()["requests"] - before
        master.popen.terminate()
        code = master.wait()
    manifest, found = folders.manifest(run), folders.rows(run)
    assert (manifest["status"], manifest["problems"]) == ("stopped", []), master.text[-4000:]
    assert len(found) == sent and not any(r.error for r in found)
    assert code != 2 and "Traceback" not in master.text
    until(lambda: sent == endpoint.stats()["requests"] - before, "no more requests")
