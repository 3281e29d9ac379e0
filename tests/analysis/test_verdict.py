import pytest

from analysis.report import analyse
from analysis.verdict import THRESHOLDS, expected_in_flight
from locustfiles.common.run_folder import WorkerEntry
from tests.analysis.made_run import BEDROCK, START, made_run, record, steady, streamed, window


def verdict(tmp_path, records, stage=None, **keys):
    report = analyse([made_run(tmp_path / "r", records, [stage or window(1, 10, 40, users=2)], **keys)])
    return report.steps["verdict"][0], report.steps["reasons"][0]


def healthy(**other):
    return steady(1, 10, 40, 2, 0.5, lead=2, **other)


def test_a_healthy_stage_is_valid(tmp_path):
    assert verdict(tmp_path, healthy()) == ("VALID", "")


def test_an_internal_error_in_any_phase_makes_it_invalid(tmp_path):
    records = [*healthy(), record(9, 0.1, phase="settle", error="internal")]
    assert verdict(tmp_path, records) == (
        "INVALID",
        "1 requests ended by a fault of the load generator itself (class internal)",
    )


def test_what_the_load_side_found_wrong_makes_it_invalid(tmp_path):
    found = verdict(tmp_path, healthy(), problems=["A worker is missing."])
    assert found == ("INVALID", "A worker is missing")


def test_users_that_were_not_in_flight_make_it_suspect(tmp_path):
    state, why = verdict(tmp_path, healthy(), window(1, 10, 40, users=3))
    assert state == "SUSPECT"
    assert why == "2.00 requests in flight where 3.00 were due"


def test_think_time_is_allowed_for(tmp_path):
    # 2 users, 0.5 s in flight of every 1.0 s: 1 in flight is due
    records = [
        record(8 + u / 2 + i, 0.5, prompt_id=f"{u}-{i}", phase="settle" if i < 2 else "measure")
        for u in range(2)
        for i in range(32)
    ]
    load = {"users": [2], "think_s": 0.5, "settle_s": 0.0, "measure_s": 30.0}
    assert verdict(tmp_path / "a", records, scenario_keys={"load": load}) == ("VALID", "")
    assert verdict(tmp_path / "b", records)[1] == "1.00 requests in flight where 2.00 were due"


def test_the_pause_after_a_failure_is_allowed_for():
    # 10 users, 0.2 s per request, half of them fail and pause 0.1 s: 0.2 of every 0.25 s
    assert expected_in_flight(10, 0.2, 0.0, 0.1, 0.5) == pytest.approx(8.0)
    assert expected_in_flight(10, 0.2, 0.6, 0.1, 0.0) == pytest.approx(2.5)


def test_lag_beyond_a_tenth_of_the_median_ttft_makes_it_suspect(tmp_path):
    records = [streamed(10 + i * 0.5, 0.5, ttft=0.1, tokens=5, prompt_id=str(i), lag_ms=12.0) for i in range(60)]
    state, why = verdict(tmp_path, records, window(1, 10, 40, users=1))
    assert (state, why) == ("SUSPECT", "event-loop lag p99 12.0 ms is 12 % of the median TTFT")


def test_a_single_late_moment_in_a_thousand_requests_is_let_pass(tmp_path):
    records = steady(1, 10, 40, 2, 0.05, lead=2)
    assert sum(r.phase == "measure" for r in records) > 1000
    late = [record(12.0, 0.05, prompt_id="late", lag_ms=40.0)]
    assert verdict(tmp_path, records + late) == ("VALID", "")


def test_a_starved_process_makes_it_suspect_however_slow_the_endpoint(tmp_path):
    state, why = verdict(tmp_path, steady(1, 10, 210, 2, 5.0, lead=5, lag_ms=60.0), window(1, 10, 210, users=2))
    assert (state, why) == ("SUSPECT", "median event-loop lag is 60.0 ms")


def test_few_successes_make_it_suspect(tmp_path):
    records = steady(1, 10, 40, 1, 2.0, lead=2)
    assert verdict(tmp_path, records, window(1, 10, 40)) == ("SUSPECT", "only 15 successes")


def test_repeated_prompts_make_it_suspect(tmp_path):
    repeated = [
        record(r.started_at - START, 0.5, prompt_id=str(i % 50), phase=r.phase) for i, r in enumerate(healthy())
    ]
    n = sum(r.phase == "measure" for r in repeated)
    state, why = verdict(tmp_path, repeated)
    assert state == "SUSPECT"
    assert n > 100 and "of the prompts were repeats (50 different ones)" in why


def test_prompts_read_from_a_cache_make_it_suspect(tmp_path):
    records = healthy(target="bedrock", prompt_tokens=800, completion_tokens=5, cache_read_tokens=200)
    # 200 of 1000
    prices = {"bedrock": {"input": 0.001, "output": 0.001, "cache_read": 0.0001}}
    found = verdict(tmp_path, records, window(1, 10, 40, users=2, target="bedrock"), targets=[BEDROCK], prices=prices)
    assert found == ("SUSPECT", "20 % of the prompt tokens were read from a cache")


def test_reconnects_make_it_suspect(tmp_path):
    n = sum(r.phase == "measure" for r in healthy())
    assert verdict(tmp_path, healthy(reconnect=1)) == ("SUSPECT", f"{n} of {n} requests had to open a connection")


def test_load_left_over_from_another_stage_makes_it_suspect(tmp_path):
    left_over = record(9, 6, stage=7, phase="hold")  # 5 s of the 65 s of requests in the window
    state, why = verdict(tmp_path, [*healthy(), left_over])
    assert (state, why) == ("SUSPECT", "7.69 % of the load came from other stages' requests")


def test_clocks_that_do_not_fit_the_window_make_it_suspect(tmp_path):
    workers = [WorkerEntry("local", "h", 20_000.0, len(healthy()), len(healthy()), 0)]  # an offset of 20 s that is none
    state, why = verdict(tmp_path, healthy(), workers=workers)
    n = sum(r.phase == "measure" for r in healthy())
    # 20 s early: those sent from 10 to 29.7 s fall before the window's start at 10 s, less 0.25 s
    assert state == "SUSPECT"
    assert f" of {n} requests were sent outside the window by the corrected clocks" in why


def test_a_run_that_was_never_closed_is_suspect_and_its_last_stage_invalid(tmp_path):
    records = healthy() + steady(2, 60, 90, 2, 0.5, lead=2)
    stages = [window(1, 10, 40, users=2), window(2, 60, 90, users=2, started_at=START + 58)]
    workers = [WorkerEntry("local", "h", 0.0, None, len(records), None)]
    report = analyse([made_run(tmp_path / "r", records, stages, status="running", ended_at=None, workers=workers)])
    assert report.steps["verdict"].tolist() == ["SUSPECT", "INVALID"]
    assert any(n.startswith("Run r was never closed: it was killed, or is still running.") for n in report.notes)


def test_a_window_that_a_kill_left_open_says_so_with_the_requests_so_far(tmp_path):
    records = [record(11 + i, 0.5, prompt_id=str(i)) for i in range(7)]
    stage = window(1, 10, None, ended_by=None)
    report = analyse([made_run(tmp_path / "r", records, [stage], status="running", ended_at=None)])
    why = (
        "the run was killed, or is still running, during its measured window, which so has no end "
        "(7 requests were measured so far)"
    )
    assert report.steps["reasons"][0] == why
    assert f"No cost for stage 1 (`p4d`, `en`, 1 user): {why}." in report.notes
    assert "never got its measured window" not in " ".join(report.notes)


def test_every_threshold_says_why():
    assert all(t.why.endswith(".") and t.limit > 0 for t in THRESHOLDS.values())
