"""Cautions on who sent the load: users not in flight, event loops, CPU, workers, clocks, and requests sent late."""

import dataclasses

import pytest

from analysis.verdicts.verdict import expected_in_flight
from locustfiles.contract.manifest import WorkerEntry, WorkerLoad
from tests.helpers.made_run import P4D, START, record, steady, streamed, window
from tests.helpers.verdicts import healthy, verdict


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


def test_lag_beyond_8_percent_of_the_median_ttft_makes_it_suspect_beyond_5_with_boto3(tmp_path):
    def lagging(lag_ms, **keys):
        records = [streamed(10 + i * 0.5, 0.5, ttft=0.1, tokens=5, prompt_id=str(i), lag_ms=lag_ms) for i in range(60)]
        return verdict(tmp_path / f"{lag_ms}{keys}", records, window(1, 10, 40, users=1), scenario_keys=keys)

    assert lagging(12.0) == (
        "SUSPECT",
        "the load generator itself was late (its event loop lagged 12.0 ms at p99, 12 % of the median TTFT)",
    )
    assert lagging(7.0) == ("VALID", "")
    assert lagging(7.0, transport="boto3") == (
        "SUSPECT",
        "the load generator itself was late (its event loop lagged 7.00 ms at p99, 7 % of the median TTFT)",
    )
    assert lagging(4.0, transport="boto3") == ("VALID", "")


def test_a_worker_that_stood_still_makes_it_suspect_although_its_tail_is_right(tmp_path):
    def stood_still(lag_ms):
        return verdict(
            tmp_path / f"{lag_ms:g}", healthy(), window(1, 10, 40, users=2, workers=[WorkerLoad("local", 0.2, lag_ms)])
        )

    # 3 s of the window's 30 s; 0.5 s are 1.67 %
    assert stood_still(3000.0) == ("SUSPECT", "the load generator stood still for 3,000 ms, 10 % of the window")
    assert stood_still(500.0) == ("VALID", "")


def test_a_worker_without_cpu_to_spare_makes_it_suspect(tmp_path):
    stage = window(1, 10, 40, users=2, workers=[WorkerLoad("local", 0.93, 1.0), WorkerLoad("other", 0.4, 1.0)])
    state, why = verdict(tmp_path, healthy(), stage)
    assert (state, why) == ("SUSPECT", "the load generator used 93 % of a core in the window")


def test_a_single_late_moment_in_a_thousand_requests_is_let_pass(tmp_path):
    records = steady(1, 10, 40, 2, 0.05, lead=2)
    assert sum(r.phase == "measure" for r in records) > 1000
    late = [record(12.0, 0.05, prompt_id="late", lag_ms=40.0)]
    assert verdict(tmp_path, records + late) == ("VALID", "")


def test_a_starved_process_makes_it_suspect_however_slow_the_endpoint(tmp_path):
    state, why = verdict(tmp_path, steady(1, 10, 210, 2, 5.0, lead=5, lag_ms=60.0), window(1, 10, 210, users=2))
    assert (state, why) == (
        "SUSPECT",
        "the load generator itself was short of CPU (its event loop lagged 60.0 ms in the median)",
    )


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
    assert f" % of {n} requests were sent outside the window by the corrected clocks" in why


def two_workers(first_of_the_second, lead=2, **offsets):
    """Users 1 and 2 on workers a and b, requests of 0.5 s; b sends from so many s after the run's start."""
    a = steady(1, 10, 40, 1, 0.5, lead=2, worker="a")
    b = [r for r in steady(1, 10, 40, 1, 0.5, lead=lead, worker="b") if r.started_at - START >= first_of_the_second]
    return [*a, *b], [WorkerEntry(w, "h", offsets.get(w, 0.0), len(x), len(x), 0) for w, x in (("a", a), ("b", b))]


def test_a_worker_that_joins_in_mid_stage_makes_it_suspect(tmp_path):
    records, workers = two_workers(first_of_the_second=20.0)
    state, why = verdict(tmp_path, records, workers=workers)
    # 10 s of the window's 30 without it
    assert state == "SUSPECT"
    assert "worker b joined in mid-stage (first request 10.0 s after the window began)" in why


def test_a_worker_that_is_there_from_the_start_is_not_late(tmp_path):
    records, workers = two_workers(first_of_the_second=0)
    assert verdict(tmp_path / "settled", records, workers=workers) == ("VALID", "")
    # it settled no request, but its first one came 1 s into the window: within 5 % of 30 s
    records, workers = two_workers(first_of_the_second=11.0)
    assert "joined" not in verdict(tmp_path / "soon", records, workers=workers)[1]


def test_without_a_settle_phase_no_worker_is_late(tmp_path):
    records, workers = two_workers(first_of_the_second=20.0)
    measured = [r for r in records if r.phase != "settle"]
    workers = [
        WorkerEntry(w.id, w.host, 0.0, n, n, 0) for w in workers if (n := sum(r.worker == w.id for r in measured))
    ]
    assert "joined" not in verdict(tmp_path, measured, workers=workers)[1]


def test_an_unknown_clock_offset_makes_it_suspect(tmp_path):
    records, workers = two_workers(first_of_the_second=0, b=None)
    assert verdict(tmp_path, records, workers=workers) == ("SUSPECT", "the clock offset of worker b is not known")


def test_a_clock_that_is_far_off_makes_it_suspect_although_it_is_corrected(tmp_path):
    def off(ms):
        records, workers = two_workers(first_of_the_second=0, b=ms)
        ahead = [dataclasses.replace(r, started_at=r.started_at + ms / 1000) if r.worker == "b" else r for r in records]
        return verdict(tmp_path / f"{ms:g}", ahead, workers=workers)

    # the window has 30 s: 6 s are 20 % of it, 2 s are 6.7 %
    assert off(6000.0) == ("SUSPECT", "the clock of worker b was off by 6.00 s, 20 % of the window")
    assert off(-6000.0)[0] == "SUSPECT"
    assert off(2000.0) == ("VALID", "")


def open_loop(delay_ms, late_share):
    """10 requests/s, constant; so large a share of them sent late."""
    return [
        record(
            8 + i / 10, 0.5, prompt_id=str(i), users=None, rate=10.0, phase="settle" if i < 20 else "measure",
            schedule_delay_ms=delay_ms if (i % 100) < 100 * late_share else 0.2,
        )
        for i in range(320)
    ]  # fmt: skip


def test_requests_sent_later_than_due_make_an_open_loop_suspect(tmp_path):
    def open_verdict(name, *how):
        load = {"rate": [10.0], "settle_s": 0.0, "measure_s": 30.0}
        return verdict(
            tmp_path / name,
            open_loop(*how),
            window(1, 10, 40, users=None, rate=10.0),
            targets=[P4D | {"stream": False}],
            scenario_keys={"load": load},
        )

    # the median latency is 500 ms; without streaming 10 % of it are 50 ms
    state, why = open_verdict("late", 80.0, 0.05)
    assert (state, why) == ("SUSPECT", "requests were sent late (80.0 ms after they were due, p99)")
    assert open_verdict("a little", 40.0, 0.05) == ("VALID", "")
