"""The page's buttons with workers and in a search: what they end, and what the figures then are worth."""

import pytest

from tests.helpers import folders
from tests.helpers.locust_process import cluster, one_locust
from tests.helpers.patience import until
from tests.helpers.stage_buttons import await_phase, load, press, started

LOAD = {"users": [4, 6], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 600}
TARGETS = [folders.sagemaker("quick")]


def own_workers(scenario, run, *more: object, **kw):
    return one_locust(scenario, run, "--processes", 2, *more, **kw)


@pytest.mark.parametrize("locust", [cluster, own_workers], ids=["cluster", "processes"])
def test_with_workers_a_stage_is_skipped_whole_and_the_run_stopped_in_the_next(endpoint, tmp_path, locust):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, LOAD)
    with started(scenario, tmp_path / "run", "--expect-workers", 2, locust=locust) as (crew, url):
        await_phase(url, 1, "measure")
        until(
            lambda: [w["cpu"] for w in load(url)["workers"] if w["cpu"] is not None and w["lag_ms"] is not None][1:],
            "both told",
        )
        shown = load(url)
        assert press(url, "skip")[0] == 200
        await_phase(url, 2, "measure")
        assert press(url, "stop")[0] == 200
        code = crew.wait()
        text = crew.text() if locust is cluster else crew.text
    assert (code[0] if locust is cluster else code) == 4, text
    assert [w["users"] for w in shown["workers"]] == [2, 2]
    assert shown["users"]["planned"] == shown["users"]["running"] == 4
    assert all(w["heard_s_ago"] is not None and 0 <= w["in_flight"] <= 2 for w in shown["workers"])
    manifest, found = folders.manifest(tmp_path / "run"), folders.rows(tmp_path / "run")
    assert (manifest["status"], manifest["problems"]) == ("stopped", [])
    assert [(s["ended_by"], s["whole"]) for s in manifest["stages"]] == [("skip", True), ("stop", False)]
    assert len(manifest["stages"][0]["workers"]) == 2
    assert len(found) == endpoint.stats()["requests"] - before and folders.each_once(found)
    assert not any(r.error for r in found) and "Traceback" not in text


def test_a_search_goes_on_below_a_level_that_was_skipped_and_confirms_nothing_by_it(endpoint, tmp_path):
    """Every level is skipped: 1 user is the first, nothing is below it, and it is measured twice."""
    find = {"up_to": 4, "slo": {"latency_s": {"p50": 60}}}
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, TARGETS, {"find": find, **LOAD, "users": None} | {"repeat": 1}
    )
    with started(scenario, tmp_path / "run") as (process, url):
        for place in (1, 2):
            shown = await_phase(url, place, "measure")
            assert press(url, "skip")[0] == 200
        assert process.wait() == 0, process.text
    assert shown["run"]["stages_planned"] is shown["run"]["left_s"] is None
    manifest = folders.manifest(tmp_path / "run")
    assert [(s["users"], s["ended_by"], s["outcome"], s["whole"]) for s in manifest["stages"]] == 2 * [
        (1, "skip", "undecided", True)
    ]
    (finding,) = manifest["findings"]
    assert (finding["answer"], finding["fails_at"], finding["confirmed"]) == (None, 1, False)
    assert finding["why"] == "stages 1, 2 were skipped: nobody knows whether that level keeps the limits; search again"


def test_a_run_that_is_to_end_after_its_stage_ends_a_search_without_a_finding(endpoint, tmp_path):
    find = {"up_to": 4, "slo": {"latency_s": {"p50": 60}}}
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, {"find": find, **LOAD, "users": None})
    with started(scenario, tmp_path / "run") as (process, url):
        await_phase(url, 1, "measure")
        assert press(url, "end-after")[0] == 200
        assert press(url, "skip")[0] == 200
        assert process.wait() == 4, process.text
    manifest = folders.manifest(tmp_path / "run")
    assert (manifest["status"], len(manifest["stages"]), manifest["findings"]) == ("stopped", 1, [])
