"""A search whose limits are close, whose calls are retried, that is interrupted, or that loses a worker for a while."""

import itertools
import signal
import time

import pytest

from analysis.advice.analyse import analyse
from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.flat import steps
from tests.helpers.locust_process import cluster, environment, one_locust

ENDPOINTS = {
    "quick": {"engine": "quick", "dialect": "tgi"},
    "throttled": {"engine": "quick", "dialect": "tgi", "faults": {"throttle": 0.3}, "fault_seed": 5},
}
QUICK = {"settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 2}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    config = {"engines": folders.EMULATOR["engines"], "endpoints": ENDPOINTS}
    with running_emulator(config, truth=tmp_path_factory.mktemp("server") / "truth.jsonl") as e:
        yield e


def made(folder, server, find: dict, endpoint: str = "quick", more: dict | None = None, **load: object):
    target = folders.sagemaker(endpoint)
    return folders.make_scenario(
        folder, server.url, [target], {"find": find} | QUICK | load, prompts=400, **(more or {})
    )


def the_finding(run) -> dict:
    (finding,) = folders.manifest(run)["findings"]
    return finding


def test_a_search_measures_on_until_its_limits_are_decided_and_the_report_says_what_it_said(server, tmp_path):
    """One user makes 15 requests a second of 65 ms. p95 needs 72 of them: 37 in 2.5 s are too few, twice as many less those
    of the hold between may do, four times as many do."""
    slo = {"latency_s": {"p95": 0.5}}
    scenario = made(tmp_path, server, {"up_to": 1, "slo": slo}, measure_s=2.5, more={"slo": slo})
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 0, process.text
    finding, stages = the_finding(tmp_path / "run"), folders.manifest(tmp_path / "run")["stages"]
    assert (finding["answer"], finding["confirmed"], finding["outcomes"]) == (1, True, {"1": ["met", "met"]})
    rows = folders.rows(tmp_path / "run")
    for stage in stages:
        a, b = stage["measure_from"], stage["measure_until"]
        assert (stage["outcome"], stage["ended_by"], stage["whole"]) == ("met", "time", True)
        assert 5 <= b - a < 5.5 or 10 <= b - a < 10.5
        mine = [r for r in rows if r.stage == stage["stage"]]
        assert sum(r.phase == "measure" for r in mine) >= 72
        between = [r.started_at for r in mine if r.phase == "hold" and r.started_at < b]
        assert (
            len(between) <= 20
        )  # load goes on while the look waits for what was under way, which is one call of 65 ms
        assert stage["hold_until"] >= b
        sent = sorted(r.started_at for r in mine if a <= r.started_at < b)
        assert max(y - x for x, y in itertools.pairwise(sent)) < 0.5
    assert set(steps(analyse([str(tmp_path / "run")], None, None))["slo"]) == {"met"}


def test_with_retries_search_and_report_judge_calls(server, tmp_path):
    """30 % of the attempts are throttled, and none of a thousand calls five times in a row (0.3^5 = 0.24 %, on average two):
    at most 5 % of the calls fail."""
    slo = {"error_rate": 0.05, "latency_s": {"mean": 0.5}}
    retry = {"retry": {"attempts": 5, "base_s": 0.02, "max_s": 0.1}, "slo": slo}
    scenario = made(
        tmp_path, server, {"up_to": 2}, "throttled", retry, abort_stage={"error_rate": 0.1, "after_requests": 10}
    )
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 0, process.text
    rows = [r for r in folders.rows(tmp_path / "run") if r.phase == "measure"]
    assert 0.2 < sum(r.error == "throttled" for r in rows) / len(rows) < 0.4
    finding, manifest = the_finding(tmp_path / "run"), folders.manifest(tmp_path / "run")
    assert (finding["answer"], finding["fails_at"], finding["confirmed"]) == (2, None, True), finding
    assert {s["ended_by"] for s in manifest["stages"]} == {"time"}  # not one was aborted
    found = steps(analyse([str(tmp_path / "run")], None, None))
    assert list(found["slo"]) == [s["outcome"] for s in manifest["stages"]] == ["met"] * 3


def test_an_interrupted_search_goes_on_with_what_it_has(server, tmp_path):
    """1, 2, and 4 twice; killed in the third stage."""
    scenario = made(tmp_path, server, {"up_to": 4, "slo": {"latency_s": {"p50": 0.5}}, "at_most_s": 60})
    run = tmp_path / "run"
    with one_locust(scenario, run) as process:
        process.until("Stage 3")
        time.sleep(0.5)
        process.send(signal.SIGKILL)
        process.wait()
    before = folders.manifest(run)
    assert [(s["users"], s["whole"], s["outcome"]) for s in before["stages"][:2]] == [
        (1, True, "met"),
        (2, True, "met"),
    ]
    with one_locust(scenario, run, "--resume", output=tmp_path / "resumed.log") as process:
        assert process.wait() == 0, process.text
    after, finding = folders.manifest(run), the_finding(run)
    assert [(s["stage"], s["users"]) for s in after["stages"]] == [(1, 1), (2, 2), (4, 4), (5, 4)]
    assert [s["stage"] for s in after["abandoned"]] == [3]
    assert after["stages"][:2] == before["stages"][:2]
    assert finding["outcomes"] == {"1": ["met"], "2": ["met"], "4": ["met", "met"]}
    assert (finding["stages"], finding["answer"], finding["confirmed"]) == ([1, 2, 4, 5], 4, True)
    assert "Stage 3 (number 4): " in process.text and "Stage 4 (number 5): " in process.text


@pytest.mark.timed
def test_a_stage_whose_worker_was_away_decides_nothing_and_is_measured_again(server, tmp_path):
    """1 user, then 2 twice. The second worker is stopped for 5 s, in which Locust calls it missing, in the second stage."""
    scenario = made(tmp_path, server, {"up_to": 2, "slo": {"latency_s": {"p50": 0.5}}}, measure_s=8)
    run = tmp_path / "run"
    with cluster(scenario, run, env=environment(TEST_LIVENESS_S="3")) as crew:
        crew.master.until("Stage 2")
        folders.await_requests(server, server.stats()["requests"] + 30)  # of its two users
        crew.workers[1].send(signal.SIGSTOP)
        began = time.monotonic()
        time.sleep(5)
        crew.workers[1].send(signal.SIGCONT)
        away_s = time.monotonic() - began
        code, _ = crew.wait()
        said = crew.text()
    assert code == 2, said
    manifest, finding = folders.manifest(run), the_finding(run)
    (problem,) = manifest["problems"]
    assert problem["stages"] == [2]
    still_s = float(problem["text"].split("stood still for ")[1].split()[0])
    assert away_s - 0.2 <= still_s <= away_s + 2 + 2 * folders.lag_s([r for r in folders.rows(run) if r.stage == 1])
    assert [s["outcome"] for s in manifest["stages"]][:2] == ["met", None]
    assert finding["outcomes"]["2"][0] == "undecided"
    assert finding["confirmed"] is False
    assert finding["why"] == "stage 2 cannot be trusted (see the run's problems); --resume measures it again"
    with one_locust(scenario, run, "--resume", output=tmp_path / "resumed.log") as process:
        assert process.wait() == 0, process.text
    after, finding = folders.manifest(run), the_finding(run)
    assert (after["status"], after["problems"]) == ("complete", [])
    assert [s["stage"] for s in after["abandoned"]] == [2]
    assert 2 not in finding["stages"] and 1 in finding["stages"]
    assert (finding["answer"], finding["confirmed"], finding["outcomes"]["2"]) == (2, True, ["met", "met"])
    assert not analyse([str(run)], None, None).invalid
