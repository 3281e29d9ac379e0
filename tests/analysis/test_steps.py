"""The figures of a stage, by hand."""

import dataclasses
import random

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.advice.analyse import analyse
from analysis.cost.pricing import prices_of_run
from analysis.metrics.stage_metrics import tpot_ms
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from analysis.words.columns import METRICS, STEP_COLUMNS
from tests.helpers.flat import flat, steps
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, record, steady, streamed, window


def row_of(path):
    run = load_run(path)
    (result,) = results_of(run, prices_of_run(run).of_target)
    return flat(result)


def test_a_stage_by_hand(tmp_path):
    # window [10, 20)
    records = [
        record(8, 4, phase="settle", prompt_tokens=400, completion_tokens=40),  # 2 of its 4 s are inside
        record(12, 4, prompt_tokens=100, completion_tokens=20),  # whole
        record(18, 4, prompt_tokens=300, completion_tokens=40, prompt_id="2"),  # 2 of 4 s
        record(13, 1, error="throttled", error_code="ThrottlingException", http_status=429),
        record(15, 1, error="cancelled", http_status=None),
        record(20, 1, phase="hold", prompt_tokens=100, completion_tokens=20),  # begun at b: outside
    ]
    row = row_of(made_run(tmp_path / "r", records, [window(1, 10, 20)]))
    assert (row["requests"], row["successes"], row["failures"], row["cancelled"]) == (4, 2, 1, 1)
    assert row["error_rate"] == pytest.approx(1 / 3)  # one failed of four less the cancelled one
    assert row["errors"] == "throttled 1"
    assert row["throughput_per_s"] == pytest.approx((0.5 + 1 + 0.5) / 10)
    assert row["transactions_per_minute"] == pytest.approx(12.0)
    # (2 + 4 + 2 + 1 + 1 + 0) s of requests in 10 s
    assert row["in_flight_mean"] == pytest.approx(1.0)
    # not streamed, so by [send, end]: (0.5 x 40 + 20 + 0.5 x 40) / 10, (0.5 x 400 + 100 + 0.5 x 300) / 10
    assert row["completion_tokens_per_s"] == pytest.approx(6.0)
    assert row["prompt_tokens_per_s"] == pytest.approx(45.0)
    # of the two successes that began in the window
    assert row["prompt_tokens_mean"] == 200
    assert row["completion_tokens_mean"] == 30
    assert row["latency_mean_s"] == 4.0
    # medians of 4000 / 20 = 200 and 4000 / 40 = 100 ms
    assert row["latency_per_output_token_p50_ms"] == 150.0
    # prompts 1, 2, 1, 1 of four requests
    assert (row["prompts_distinct"], row["prompt_repeat_share"]) == (2, 0.5)
    assert row["window_s"] == 10.0


def test_streamed_tokens_count_by_the_time_in_which_they_came(tmp_path):
    # window [10, 20): sent at 17, first token at 19, last at 23, end at 23
    records = [
        streamed(17, 6, ttft=2, tokens=40, prompt_tokens=100),
        streamed(11, 3, ttft=1, tokens=11, prompt_tokens=50),
    ]
    row = row_of(made_run(tmp_path / "r", records, [window(1, 10, 20)]))
    # output: 1 of [19, 23]'s 4 s -> 10 tokens, and 11 -> 21 / 10 s; prompt: both inside -> 150 / 10 s
    assert row["completion_tokens_per_s"] == pytest.approx(2.1)
    assert row["prompt_tokens_per_s"] == pytest.approx(15.0)
    # transactions: 3 of 6 s and 1 -> 1.5 / 10 s
    assert row["throughput_per_s"] == pytest.approx(0.15)
    # TPOT: (6000 - 2000) / 39 and (3000 - 1000) / 10 ms
    assert row["tpot_n"] == 2
    assert row["tpot_mean_ms"] == pytest.approx((4000 / 39 + 200) / 2)
    assert row["ttft_mean_s"] == pytest.approx(1.5)
    assert row["latency_n"] == 2


def frame(*records):
    return pd.DataFrame([dataclasses.asdict(r) for r in records]).astype({"ttft_visible_ms": "float64"})


def test_tpot_is_empty_with_one_delta_or_one_token():
    one_delta = streamed(0, 1, ttft=0.5, tokens=30, chunks=1)
    one_token = streamed(0, 1, ttft=0.5, tokens=1, chunks=2)
    whole = streamed(0, 1, ttft=0.5, tokens=11, chunks=11)
    # (1000 - 500) / (11 - 1)
    assert tpot_ms(frame(one_delta, one_token, whole)).fillna(-1).tolist() == [-1, -1, 50.0]


def test_the_quickest_answers_count_in_tpot_like_all_others(tmp_path):
    """A peer drops answers whose tokens come faster than it holds possible, and so makes the service slower than it is."""
    # 50 ms a token, twice; 0.01 ms a token (1 ms for the 100 after the first); all in one read: not known
    records = [
        streamed(11, 1, ttft=0.5, tokens=11),
        streamed(14, 1, ttft=0.5, tokens=11),
        streamed(12, 0.501, ttft=0.5, tokens=101),
        streamed(13, 0.5, ttft=0.5, tokens=21),
    ]
    row = row_of(made_run(tmp_path / "r", records, [window(1, 10, 20)]))
    assert row["tpot_n"] == 3
    assert (row["tpot_mean_ms"], row["tpot_p50_ms"]) == (pytest.approx((50 + 50 + 0.01) / 3), pytest.approx(50))


def test_tpot_is_empty_where_billed_reasoning_was_not_shown():
    hidden = streamed(0, 1, ttft=0.5, tokens=11, hidden_reasoning=1)
    shown = streamed(0, 1, ttft=0.5, tokens=11, ttft_visible_ms=700.0, reasoning_tokens=4)
    # (1000 - 500) / (11 - 1)
    assert tpot_ms(frame(hidden, shown)).fillna(-1).tolist() == [-1, 50.0]


def test_what_the_record_says_of_reasoning_decides_and_not_the_targets_parameters(tmp_path):
    thinking = {"parameters": {"max_tokens": 100, "additionalModelRequestFields": {"thinking": {"type": "enabled"}}}}
    records = [
        streamed(11, 1, ttft=0.5, tokens=11),
        streamed(12, 1, ttft=0.5, tokens=21, hidden_reasoning=1, reasoning_tokens=15),
        streamed(13, 1, ttft=0.5, tokens=21, reasoning_tokens=5),
    ]
    row = row_of(made_run(tmp_path / "r", records, [window(1, 10, 20)], targets=[P4D | thinking]))
    assert row["tpot_n"] == 2
    # 500 / 10 and 500 / 20
    assert row["tpot_mean_ms"] == pytest.approx((50 + 25) / 2)
    assert row["reasoning_tokens_mean"] == 10.0  # of the two that tell


def test_reconnects_are_not_known_where_the_transport_does_not_tell(tmp_path):
    unknown = [record(11 + i, 1, reconnect=None) for i in range(3)]
    assert row_of(made_run(tmp_path / "a", unknown, [window(1, 10, 20)]))["reconnects"] is None
    some = [*unknown, record(15, 1, reconnect=1), record(16, 1, reconnect=0)]
    assert row_of(made_run(tmp_path / "b", some, [window(1, 10, 20)]))["reconnects"] == 1


def test_a_token_rate_is_empty_when_more_than_one_in_a_hundred_is_not_counted(tmp_path):
    counted = [record(10 + i * 0.05, 0.04, completion_tokens=10, prompt_tokens=5) for i in range(99)]
    one_lacks = made_run(tmp_path / "a", [*counted, record(19, 0.04)], [window(1, 10, 20)])
    assert row_of(one_lacks)["completion_tokens_per_s"] == pytest.approx(99.0)  # 99 x 10 tokens / 10 s
    two_lack = made_run(tmp_path / "b", [*counted, record(19, 0.04), record(19.1, 0.04)], [window(1, 10, 20)])
    assert row_of(two_lack)["completion_tokens_per_s"] is None
    assert row_of(two_lack)["completion_tokens_mean"] == 10


def test_a_stage_without_a_window_has_no_rate_and_no_cost(tmp_path):
    row = row_of(made_run(tmp_path / "r", [], [window(1, None, None)]))
    assert row["verdict"] == "INVALID"
    assert "it never got its measured window" in row["reasons"]
    assert row["throughput_per_s"] is None
    assert row["usd_per_transaction"] is None


def test_other_stages_do_not_leak_into_a_stage(tmp_path):
    """The endpoint's latency jumps from 0.5 s to 2 s between two stages that follow each other at once."""
    records = steady(1, 0, 30, 1, 0.5) + steady(2, 32, 62, 2, 2.0)
    stages = [window(1, 0, 30), window(2, 32, 62, users=2)]
    report = analyse([made_run(tmp_path / "r", records, stages)])
    assert steps(report)["latency_mean_s"].tolist() == [0.5, 2.0]
    # 1 user / 0.5 s; 2 users / 2 s, the second of which starts half a cycle late: 30 - 1 of its 30 s
    assert steps(report)["throughput_per_s"].tolist() == pytest.approx([2.0, 15 / 30 + 14.5 / 30])


def test_the_steps_table_has_every_defined_column_in_order_and_typed(tmp_path):
    report = analyse([made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)])])
    assert tuple(steps(report).columns) == STEP_COLUMNS
    assert len(set(STEP_COLUMNS)) == len(STEP_COLUMNS)
    assert str(steps(report)["requests"].dtype) == "Int64"
    assert steps(report)["ttft_mean_s"].isna().all()  # not streamed: not known, and not 0
    assert all(m.definition and m.better in ("", "lower", "higher") for m in METRICS)


REPORTED = [
    "requests",
    "successes",
    "failures",
    "error_rate",
    "throughput_per_s",
    "completion_tokens_per_s",
    "prompt_tokens_per_s",
    "latency_p95_s",
    "latency_p95_low_s",
    "ttft_p50_s",
    "tpot_mean_ms",
    "in_flight_mean",
    "usd_per_transaction",
    "prompts_distinct",
]
SPOT = st.tuples(
    st.integers(50, 300),
    st.integers(1, 80),
    st.floats(0.1, 1),
    st.integers(2, 40),
    st.sampled_from([None, "server", "throttled"]),
)


def made_spots(spots):
    """Streamed requests around the window [10, 20)."""
    return [
        streamed(
            tenth / 10,
            length / 10,
            round(part * length / 10, 3),
            tokens,
            prompt_tokens=10,
            prompt_id=str(tenth % 7),
            target="bedrock",
            error=error,
            phase="measure" if 100 <= tenth < 200 else "settle" if tenth < 100 else "hold",
        )
        for tenth, length, part, tokens, error in spots
    ]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spots=st.lists(SPOT, min_size=1, max_size=25), seed=st.integers(0, 9), shift=st.integers(-50_000, 50_000))
def test_figures_do_not_depend_on_record_order_nor_on_when_the_run_was(tmp_path_factory, spots, seed, shift):
    tmp = tmp_path_factory.mktemp("runs")
    records = made_spots(spots)
    one = made_run(tmp / "one", records, [window(1, 10, 20, target="bedrock")], targets=[BEDROCK])
    mixed = random.Random(seed).sample(records, len(records))
    moved = [dataclasses.replace(r, started_at=r.started_at + shift) for r in mixed]
    stages = [
        dataclasses.replace(
            window(1, 10, 20, target="bedrock"), measure_from=START + 10 + shift, measure_until=START + 20 + shift
        )
    ]
    two = made_run(tmp / "two", moved, stages, targets=[BEDROCK], started_at=START + shift)
    first, second = row_of(one), row_of(two)
    for column in REPORTED:
        same = (
            second[column] is None
            if first[column] is None
            else second[column] == pytest.approx(first[column], rel=1e-6, abs=1e-6)
        )
        assert same, column


def slow_share(start, end, a, b):
    if start == end:
        return 1.0 if a <= start < b else 0.0
    return max(0.0, min(end, b) - max(start, a)) / (end - start)


def slow_rates(records, a, b):
    """The rates of a stage by their definitions, one record after the other."""
    sums = dict.fromkeys(("throughput_per_s", "completion_tokens_per_s", "prompt_tokens_per_s", "in_flight_mean"), 0.0)
    for r in records:
        sent = r.started_at - START
        end, first, last = sent + r.latency_ms / 1000, sent + r.ttft_ms / 1000, sent + r.last_token_ms / 1000
        sums["in_flight_mean"] += max(0.0, min(end, b) - max(sent, a))
        if r.error is None:
            sums["throughput_per_s"] += slow_share(sent, end, a, b)
            sums["completion_tokens_per_s"] += r.completion_tokens * slow_share(first, last, a, b)
            sums["prompt_tokens_per_s"] += r.prompt_tokens * slow_share(sent, first, a, b)
    return {name: value / (b - a) for name, value in sums.items()}


@settings(max_examples=25)
@given(spots=st.lists(SPOT, min_size=1, max_size=25))
def test_rates_agree_with_a_plain_implementation(tmp_path_factory, spots):
    records = made_spots(spots)
    path = made_run(
        tmp_path_factory.mktemp("r") / "r", records, [window(1, 10, 20, target="bedrock")], targets=[BEDROCK]
    )
    row = row_of(path)
    # times are kept to the microsecond, latencies to it as well: a share of 1 ms and more is good to 0.1 %
    for name, expected in slow_rates(records, 10.0, 20.0).items():
        assert row[name] == pytest.approx(expected, rel=2e-3, abs=1e-5), name


def test_records_split_over_workers_give_the_same_figures(tmp_path):
    records = steady(1, 10, 40, 4, 0.7, completion_tokens=5, prompt_tokens=9)
    split = [dataclasses.replace(r, worker=f"w{i % 3}") for i, r in enumerate(records)]
    one, two = (
        row_of(made_run(tmp_path / name, rs, [window(1, 10, 40, users=4)]))
        for name, rs in (("a", records), ("b", split))
    )
    assert {c: one[c] for c in REPORTED} == {c: two[c] for c in REPORTED}
