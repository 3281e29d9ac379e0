"""Intervals of the mean latency, the same figure for the rule that ends a stage and for the report, and of rates."""

import random
import statistics

import pytest

from analysis.load import load_run
from analysis.pricing import prices_of_run
from analysis.results import results_of
from locustfiles.common.tally import Tally
from tests.analysis.made_run import P4D, made_run, record, window


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
    return result.row, result.intervals


def told(records) -> Tally:
    """What the rule that ends the stage has seen of them, in the order of their ends."""
    tally = Tally()
    for one in sorted(records, key=lambda r: r.started_at + r.latency_ms / 1000):
        tally.take(one.row())
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
    assert (low + high) / 2 == pytest.approx(row["intended_latency_mean_s"]) == pytest.approx(row["latency_mean_s"] + 0.04)
    assert (high - low) / 2 / row["intended_latency_mean_s"] == pytest.approx(told(records).relative_ci())


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
    low, high = intervals(tmp_path / "open", measured(120, users=None, rate=2.0), users=None, rate=2.0)[1]["throughput_per_s"]
    assert (high - low) / (high + low) < relative / 2


def test_tokens_of_answers_of_one_length_are_known_as_exactly_as_requests(tmp_path):
    # 24 tokens each, all within the last fiftieth of a second: in a batch of three seconds they bunch, requests do not
    draw, records = random.Random(6), []
    for user in range(4):
        at = 7 + draw.random()
        while at < 70:
            latency = draw.uniform(0.9, 1.1)
            times = {"ttft_ms": (latency - 0.02) * 1000, "last_token_ms": latency * 1000, "chunks": 24, "completion_tokens": 24}
            records.append(record(at, latency, phase="measure" if at >= 10 else "warmup", users=4, user=user, prompt_id=str(at), **times))
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
