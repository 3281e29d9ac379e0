"""The verdict so far: the report's rules on what is there, and no alarm at what is only still under way."""

import itertools

import pytest

from analysis.live import judged
from analysis.live.figures import Watched
from locustfiles.contract.manifest import Problem
from tests.helpers.made_run import START, made_run, record, steady, streamed, window
from tests.helpers.watching import GOES_ON, rewritten, seen, settled, under_way


def so_far(path, records, at, load=GOES_ON, problem=None, slo=None, **stage):
    """Of stage 1, whose window began 10 s after the run; only records that have ended by `at` - 1 s are there."""
    there = [r for r in records if r.started_at + r.latency_ms / 1000 <= START + at - 1]
    folder = made_run(path, there, [window(1, 10, None, **stage)], slo=slo)
    under_way(folder, 1)
    if problem:
        rewritten(folder, lambda m: m.problems.append(problem))
    return seen(folder, load, at)["stage"]


@pytest.mark.parametrize("at", [16, 19.5, 23, 31, 40])
def test_requests_that_are_still_under_way_are_not_taken_for_users_that_are_missing(tmp_path, at):
    records = steady(1, 10, 60, 8, 2.5, lead=5)  # eight users, always under way
    found = so_far(tmp_path / "r", records, at, users=8)
    assert (found["verdict"], found["reasons"]) in [("VALID", []), (None, [])]
    assert (found["verdict"] == "VALID") == (
        at > 20
    )  # 20 of 8 / 2.5 = 3.2 a second take 6.25 s, and their ends 3.5 s more


def test_a_user_that_waits_longer_than_any_before_is_not_taken_for_missing(tmp_path):
    quick = [r for r in steady(1, 10, 60, 3, 0.5, lead=5) if r.user != 2 or r.started_at < START + 15]
    records = [*quick, record(15.3, 40, user=2, users=3)]  # its answer is not there at 40 s
    assert so_far(tmp_path / "r", records, 40, users=3)["verdict"] == "VALID"


def test_one_request_that_ran_into_its_deadline_does_not_hold_the_verdict_back(tmp_path):
    late = record(12, 60, user=9, error="read_timeout", http_status=None)  # its end comes at 72 s
    records = sorted([*steady(1, 10, 100, 4, 0.5, lead=2), late], key=lambda r: r.started_at + r.latency_ms / 1000)
    n = int(so_far(tmp_path / "r", records, 75, users=5)["judged"].split()[1])
    # 4 users, two requests a second each, from 10 s on; 0.5 s before 74 s those that began have ended: 4 x 2 x 63.5 and the late one
    assert n == pytest.approx(509, abs=4)


def test_users_that_are_missing_are_missed(tmp_path):
    found = so_far(tmp_path / "r", steady(1, 10, 60, 4, 0.5, lead=5), 30, users=8)  # four of eight
    assert found["verdict"] == "SUSPECT"
    assert found["reasons"][0].startswith("4.00 requests in flight where 8.00 were due")


def test_an_error_of_our_own_is_told_at_once(tmp_path):
    records = [*steady(1, 10, 60, 2, 0.5, lead=2), record(11, 0.2, error="internal", http_status=None, user=9)]
    found = so_far(tmp_path / "r", sorted(records, key=lambda r: r.started_at), 13.5, users=2)
    assert found["verdict"] == "INVALID"
    assert "1 request ended by a fault of the load generator itself" in found["reasons"][0]


def test_a_problem_of_the_run_is_told(tmp_path):
    records = steady(1, 10, 60, 2, 0.5, lead=2)
    found = so_far(tmp_path / "r", records, 30, users=2, problem=Problem("worker w1 went away; start it again"))
    assert found["verdict"] == "INVALID"
    assert found["reasons"][0].startswith("worker w1 went away")


def test_a_run_that_goes_on_is_not_called_cut_short_or_unclosed(tmp_path):
    found = so_far(tmp_path / "r", steady(1, 10, 60, 2, 0.5, lead=2), 30, users=2)
    assert (found["verdict"], found["reasons"], found["slo"]) == ("VALID", [], "none")
    # requests began at 10, 10.25, …; the last that are there ended at 29, so every one that began before 28.5 is: 37 x 2
    assert found["judged"] == "its 74 requests"


def test_cost_and_limits_so_far_by_hand(tmp_path):
    records = steady(1, 10, 200, 2, 0.5, lead=2)
    limits = {"latency_s": {"p50": 1.0}, "error_rate": 0.1}
    found = so_far(tmp_path / "r", records, 60, users=2, slo=limits)
    # 2 users / 0.5 s = 4 a second at 37.688 $ an hour: 37.688 / 3600 / 4 x 10,000
    assert found["usd_per_10k"] == pytest.approx(26.172, rel=1e-4)
    assert found["usd_per_10k_low"] <= found["usd_per_10k"] <= found["usd_per_10k_high"]
    assert found["slo"] == "met"
    assert found["cost_reason"] is None


def test_why_the_cost_is_not_known_is_told(tmp_path):
    records = [record(10 + i / 10, 0.5, error="server", http_status=500) for i in range(100)]
    found = so_far(tmp_path / "r", records, 21, users=5)
    assert (found["usd_per_10k"], found["cost_reason"]) == (None, "no success was measured")
    assert found["reasons"][0].startswith("no success, so nothing was measured")


def test_of_very_many_records_the_last_are_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(judged, "MOST", 100)
    records = steady(1, 10, 200, 4, 0.5, lead=2)  # 8 a second
    found = so_far(tmp_path / "r", sorted(records, key=lambda r: r.started_at + r.latency_ms), 100, users=4)
    assert (found["verdict"], found["reasons"]) == ("VALID", [])
    n = int(found["judged"].removeprefix("its last ").removesuffix(" requests"))
    # of 100 records those that began before the first of them ended, and those that began in the last 0.5 s, are only load
    assert 88 <= n <= 96
    assert found["requests"] > 600


def with_worker(cpu, lag_ms, at_most_s):
    """What the load says of a stage and the only process that sends."""
    stage = {"stage": 1, "phase": "measure", "phase_began_at": START + 10, "at_most_s": at_most_s}
    return GOES_ON | {"stage": stage, "workers": [{"worker": "local", "cpu": cpu, "lag_ms": lag_ms}]}


def test_workers_that_the_load_says_are_short_of_cpu_are_told(tmp_path):
    load = with_worker(0.97, 3.0, 50.0)
    found = so_far(tmp_path / "r", steady(1, 10, 60, 2, 0.5, lead=2), 30, load=load, users=2)
    assert "97 % of a core" in found["reasons"][0]


@pytest.mark.parametrize(("at_most_s", "verdict"), [(50.0, "VALID"), (20.0, "SUSPECT")])
def test_a_pause_is_measured_by_the_whole_window_that_is_to_come(tmp_path, at_most_s, verdict):
    # 0.6 s are more than 2 % of the 18.5 s that are looked at, and of 20 s; not of 50 s
    load = with_worker(0.3, 600.0, at_most_s)
    found = so_far(tmp_path / "r", steady(1, 10, 60, 2, 0.5, lead=2), 30, load=load, users=2)
    assert found["verdict"] == verdict


def test_an_open_loop_is_judged_by_its_rate(tmp_path):
    records = [streamed(9 + i / 4, 1.0, 0.3, 10, schedule_delay_ms=1.0, prompt_id=str(i)) for i in range(200)]
    found = so_far(tmp_path / "r", records, 40, users=None, rate=8.0)  # half of it is sent
    assert any("requests/s were sent where 8 were planned" in reason for reason in found["reasons"])


def test_a_verdict_costs_a_small_part_of_the_time(tmp_path, monkeypatch):
    folder = made_run(tmp_path / "r", steady(1, 10, 30, 2, 0.5, lead=2), [window(1, 10, None, users=2)])
    under_way(folder, 1)
    looks, at = [], [30.0]
    judge = judged.Judged._judge
    monkeypatch.setattr(judged.Judged, "_judge", lambda self, *args: looks.append(at[0]) or judge(self, *args))
    watched = Watched(str(folder), clock=lambda: START + at[0])
    for _ in range(20):
        settled(watched)
        at[0] += 0.25
    watched.close()
    gaps = [after - before for before, after in itertools.pairwise(looks)]
    assert 1 <= len(looks) <= 5
    assert all(gap >= judged.EVERY_S for gap in gaps)
