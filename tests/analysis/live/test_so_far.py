"""The stage under way, by hand and against the exact figures of the same requests."""

import random

import pytest

from analysis.cost.pricing import prices_of_run
from analysis.live.figures import Watched
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from tests.helpers.flat import flat
from tests.helpers.made_run import START, made_run, record, streamed, window
from tests.helpers.watching import GOES_ON, seen, settled, under_way

PHASE = {
    "measure": {"phase": "measure", "phase_began_at": START + 10.0},
    "hold": {"phase": "hold", "phase_began_at": START + 20.0},
}


def so_far(path, records, at, load=GOES_ON, **stage):
    """Of stage 1, whose window began 10 s after the run."""
    folder = made_run(path, records, [window(1, 10, None, **stage)])
    under_way(folder, 1)
    return seen(folder, load, at)["stage"]


def told(phase):
    return GOES_ON | {"stage": {"stage": 1} | PHASE[phase]}


def test_the_stage_under_way_by_hand(tmp_path):
    records = [
        record(8, 4, phase="settle", prompt_tokens=400, completion_tokens=40),  # ends at 12, in the window
        record(11, 4, prompt_tokens=100, completion_tokens=20, cache_read_tokens=300),
        record(12, 4, prompt_tokens=300, completion_tokens=40),
        record(13, 1, error="throttled", error_code="ThrottlingException", http_status=429),
        record(14, 1, error="throttled", error_code="ThrottlingException", http_status=429),
        record(13, 1, error="server", http_status=500),
        record(15, 1, error="cancelled", http_status=None),
    ]  # fmt: skip
    found = so_far(tmp_path / "r", records, at=18, load=told("measure"))
    assert (found["stage"], found["measured_s"]) == (1, pytest.approx(8.0))  # 18 - 10
    assert (found["requests"], found["successes"], found["failures"]) == (6, 2, 3)
    assert found["errors"] == [["throttled", 2], ["server", 1]]
    assert found["error_rate"] == pytest.approx(3 / 5)  # without the cancelled one
    assert found["throttle_share"] == pytest.approx(2 / 5)
    # three successes ended since the window began: at 12, 15 and 16; the last record is of 16 s, 18 - 2 s late is 16, too
    assert found["requests_per_s"] == pytest.approx(3 / 6)
    assert found["output_tokens_per_s"] == pytest.approx((40 + 20 + 40) / 6)
    # of the two that began in it: 100 + 300 cached, and 300
    assert found["prompt_tokens_mean"] == pytest.approx(350)
    assert found["completion_tokens_mean"] == pytest.approx(30)
    assert found["cache_read_share"] == pytest.approx(300 / 700)
    assert found["latency_p50_s"] == pytest.approx(4.0, rel=0.001)
    assert found["latency_p95_s_high"] is None  # two values bound no p95
    assert found["ttft_p50_s"] is None  # nothing was streamed
    assert found["n"] == {"latency": 2, "ttft": 0, "tpot": 0}


def test_a_rate_is_not_known_where_more_than_a_hundredth_has_no_count(tmp_path):
    records = [record(10 + i / 10, 0.5, completion_tokens=None if i == 3 else 10) for i in range(50)]
    found = so_far(tmp_path / "r", records, at=18)
    assert found["output_tokens_per_s"] is None
    assert found["requests_per_s"] is not None
    assert found["completion_tokens_mean"] == 10


def test_percentiles_are_those_of_the_report_within_a_tenth_of_a_percent(tmp_path):
    rng, records = random.Random(3), []
    for i in range(900):
        latency = rng.lognormvariate(0, 0.7)
        bursts = {"chunks": 9, "last_token_ms": latency * 300 + 0.2} if i % 3 == 0 else {}  # a third came at once
        records.append(streamed(10 + i / 100, latency, 0.3 * latency, rng.randrange(2, 60), **bursts))
    folder = made_run(tmp_path / "r", records, [window(1, 10, 20)])
    run = load_run(folder)
    exact = flat(results_of(run, prices_of_run(run).of_target)[0])
    under_way(folder, 1)
    found = seen(folder, at=30)["stage"]
    for name, unit in (("latency", "s"), ("ttft", "s"), ("tpot", "ms")):
        assert found["n"][name] == exact[f"{name}_n"]
        for level in ("p50", "p95"):
            for end in ("", "_low", "_high"):
                assert found[f"{name}_{level}_{unit}{end}"] == pytest.approx(
                    exact[f"{name}_{level}{end}_{unit}"], rel=0.001
                )


def test_without_a_load_that_tells_the_window_begins_with_its_first_request(tmp_path):
    records = [record(9, 0.5, phase="settle"), record(10.5, 1), record(11, 1), record(12, 1)]
    found = so_far(tmp_path / "r", records, at=14)
    assert found["measured_s"] == pytest.approx(13 - 10.5)  # to the last end
    assert found["requests"] == 3


def test_in_the_hold_the_measured_time_grows_no_more(tmp_path):
    records = [record(10.5, 1), record(19, 1), record(21, 1, phase="hold")]
    found = so_far(tmp_path / "r", records, at=25, load=told("hold"))
    assert found["measured_s"] == pytest.approx(20 - 10.5)
    assert found["requests"] == 2


def test_a_stage_without_a_request_yet_is_there_and_knows_nothing(tmp_path):
    found = so_far(tmp_path / "r", [], at=3)
    assert found["requests"] == found["successes"] == 0
    known = {name for name, value in found.items() if value not in (None, [], 0)}
    assert known == {"stage", "n"}


def test_the_next_stage_begins_from_nothing(tmp_path):
    records = [record(11, 1), record(12, 1), record(31, 1, stage=2)]
    folder = made_run(tmp_path / "r", records, [window(1, 10, 20), window(2, 30, None, started_at=START + 25)])
    watched = Watched(str(folder), clock=lambda: START + 33)
    under_way(folder, 2)
    figures = settled(watched)
    assert (figures["stage"]["stage"], figures["stage"]["requests"]) == (2, 1)
    assert [each["stage"] for each in figures["stages"]] == [1]
    watched.close()
