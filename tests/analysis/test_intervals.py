"""Intervals of the mean latency, the same figure for the rule that ends a stage and for the report, and of rates."""

import random
import statistics

import pytest

from analysis.cost.pricing import prices_of_run
from analysis.report.text_tables import call_table
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from analysis.words import format as show
from locustfiles.common.recording.stage_tally import Tally
from tests.helpers.flat import ends, flat
from tests.helpers.made_run import P4D, made_run, record, window
from tests.helpers.run_parts import arrived


def measured(n: int, **other) -> list:
    """`n` requests, one every half second from 10 s on, of 0.5 to 1.5 s; written in an order that is not that of their ends."""
    draw = random.Random(5)
    records = [record(10 + i / 2, draw.uniform(0.5, 1.5), prompt_id=str(i), **other) for i in range(n)]
    draw.shuffle(records)
    return records


def intervals(path, records, **window_keys):
    targets = [P4D | {"load": {"rate": [2], "measure_s": 60}}] if "rate" in window_keys else None
    run = load_run(made_run(path, records, [window(1, 10, 70, ended_by="precision", **window_keys)], targets))
    (result,) = results_of(run, prices_of_run(run).of_target)
    return flat(result), ends(result)


def told(records) -> Tally:
    """What the rule that ends the stage has seen of them, in the order of their ends."""
    tally = Tally()
    for one in sorted(records, key=lambda r: r.started_at + r.latency_ms / 1000):
        tally.take(arrived(one))
    return tally


def test_the_report_gives_the_interval_that_the_stage_was_ended_for(tmp_path):
    records = measured(120)
    row, found = intervals(tmp_path / "r", records)
    low, high = found["latency_mean_s"]
    mean = statistics.fmean(r.latency_ms for r in records) / 1000
    assert (low + high) / 2 == pytest.approx(mean) == pytest.approx(row["latency_mean_s"])
    assert (high - low) / 2 / mean == pytest.approx(told(records).relative_ci())
    # at least as wide as of independent requests
    assert (high - low) / 2 >= 1.9599 * statistics.stdev(r.latency_ms for r in records) / 1000 / 120**0.5
    assert "intended_latency_mean_s" not in found


def test_in_the_open_loop_it_is_of_the_times_from_when_requests_were_due(tmp_path):
    records = measured(120, users=None, rate=2.0, schedule_delay_ms=40.0)
    row, found = intervals(tmp_path / "r", records, users=None, rate=2.0)
    low, high = found["intended_latency_mean_s"]
    assert (
        (low + high) / 2 == pytest.approx(row["intended_latency_mean_s"]) == pytest.approx(row["latency_mean_s"] + 0.04)
    )
    assert (high - low) / 2 / row["intended_latency_mean_s"] == pytest.approx(told(records).relative_ci())


def test_with_retries_the_interval_of_calls_is_the_one_that_the_stage_was_ended_for(tmp_path):
    # of 60 calls every third is throttled for 0.1 s and answered 0.2 s later in 0.4 s: 0.7 s; the others take 0.4 s
    records = []
    for n in range(60):
        again, at = n % 3 == 0, 10 + n
        if again:
            records.append(record(at, 0.1, call=n + 1, error="throttled", http_status=429))
        spot = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_id": str(n)}
        records.append(record(at + 0.3 * again, 0.4, call=n + 1, attempt=1 + again, **spot))
    keys = {"retry": {"attempts": 3, "base_s": 0.2, "max_s": 1.0}}
    run = load_run(made_run(tmp_path / "r", records, [window(1, 10, 70, ended_by="precision")], scenario_keys=keys))
    (result,) = results_of(run, prices_of_run(run).of_target)
    low, high = ends(result)["call_latency_mean_s"]
    assert (
        (low + high) / 2
        == pytest.approx((20 * 0.7 + 40 * 0.4) / 60)
        == pytest.approx(flat(result)["call_latency_mean_s"])
    )
    words = call_table([result], False)["User-perceived: latency mean"].tolist()
    assert words == [f"0.500 s ({show.seconds(low)} – {show.seconds(high)})"]
    tally = Tally(retry=run.scenario.retry)
    for one in sorted(records, key=lambda r: r.started_at + r.latency_ms / 1000):
        tally.take(arrived(one))
    assert (high - low) / 2 / 0.5 == pytest.approx(tally.relative_ci())


def test_a_mean_latency_is_never_known_to_be_below_zero(tmp_path):
    # 22 quick ones and four of half a minute: mean 4.2 s, and the spread alone is 1.96 x 10.9 / sqrt(26) = 4.2 s
    slow = [0.2] * 12 + [0.3] * 10 + [30.0, 35.0, 40.0, 1.0]
    low, high = intervals(tmp_path / "r", [record(10 + 2 * i, s, prompt_id=str(i)) for i, s in enumerate(slow)])[1][
        "latency_mean_s"
    ]
    mean = sum(slow) / 26
    assert low == 0.0 and high > 2 * mean


def test_below_twenty_successes_there_is_none(tmp_path):
    assert "latency_mean_s" in intervals(tmp_path / "20", measured(20))[1]
    assert intervals(tmp_path / "19", measured(19))[1] == {}


def test_a_closed_loops_throughput_is_known_no_better_than_its_latencies(tmp_path):
    records = measured(120)
    seconds = [r.latency_ms / 1000 for r in records]
    low, high = intervals(tmp_path / "closed", records)[1]["throughput_per_s"]
    # two requests a second all the time, so the batches say nothing; t of 119 degrees of freedom: 1.9801
    relative = 1.9801 * statistics.stdev(seconds) / statistics.fmean(seconds) / 120**0.5
    assert (high - low) / (high + low) == pytest.approx(relative, rel=1e-4)
    # in the open loop requests come when they are due, however long they take
    low, high = intervals(tmp_path / "open", measured(120, users=None, rate=2.0), users=None, rate=2.0)[1][
        "throughput_per_s"
    ]
    assert (high - low) / (high + low) < relative / 2


def test_tokens_of_answers_of_one_length_are_known_as_exactly_as_requests(tmp_path):
    # 24 tokens each, all within the last fiftieth of a second: in a batch of three seconds they bunch, requests do not
    draw, records = random.Random(6), []
    for user in range(4):
        at = 7 + draw.random()
        while at < 70:
            latency = draw.uniform(0.9, 1.1)
            times = {
                "ttft_ms": (latency - 0.02) * 1000,
                "last_token_ms": latency * 1000,
                "chunks": 24,
                "completion_tokens": 24,
            }
            records.append(
                record(
                    at,
                    latency,
                    phase="measure" if at >= 10 else "warmup",
                    users=4,
                    user=user,
                    prompt_id=str(at),
                    **times,
                )
            )
            at += latency
    row, found = intervals(tmp_path / "r", records, users=4)
    low, high = found["throughput_per_s"]
    assert high - low < 0.04 * row["throughput_per_s"]
    tokens = found["completion_tokens_per_s"]
    # the figure itself may count up to four answers of 240 more or less at the window's edges
    assert row["completion_tokens_per_s"] == pytest.approx(24 * row["throughput_per_s"], rel=4 / 240)
    ends = (min(24 * low, row["completion_tokens_per_s"]), max(24 * high, row["completion_tokens_per_s"]))
    assert tokens == pytest.approx(ends)
    assert found["usd_per_1m_output_tokens"] == pytest.approx([37.688 / 3600 * 1e6 / end for end in reversed(tokens)])
