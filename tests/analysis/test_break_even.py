"""From how many transactions on an hourly endpoint is cheaper than a token price."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.advice.break_even import curve, intervals
from tests.helpers.first_study import run_of, stage_of, study
from tests.helpers.flat import steps
from tests.helpers.made_run import BEDROCK, P4D, PRICES


def test_the_first_studys_break_even_is_283_transactions_a_minute(tmp_path):
    # 374/min of 0.8 s keep 5 users busy; 190/min of 1.56 s keep as many
    tokens = {"target": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    stages = [stage_of(1, 100, 5, 374, 0, 0.802), stage_of(2, 200, 5, 190, 0, 1.56, **tokens)]
    report = run_of(tmp_path, stages)
    assert steps(report)["verdict"].tolist() == ["VALID", "VALID"]
    (pair,) = report.break_even
    assert pair.capacity_per_hour == pytest.approx(374 * 60, rel=1e-6)
    # 37.688 / 0.00221625 = 17,005.3/h = 283.4/min; of 374/min: 75.8 %
    assert pair.intervals[0][0] / 60 == pytest.approx(283.42, abs=0.01)
    assert pair.intervals[0][1] == pytest.approx(374 * 60, rel=1e-6)
    assert "is even at 283 transactions per minute, 75.78 % of 374 at 5 users, the best VALID level." in pair.text
    assert "Mind" not in pair.text
    assert pair.curve["usd_per_hour_hourly"].iloc[1] == 37.688


def test_a_capacity_from_a_suspect_stage_says_so(tmp_path):
    # 374/min of 0.92 s are 5.7 in flight where 8 users were planned: the study's figures are SUSPECT here
    stages = [
        stage_of(1, 100, 8, 374, 0, 0.92),
        stage_of(2, 200, 5, 190, 0, 1.56, target="bedrock", prompt_tokens=2923, completion_tokens=24),
    ]
    (pair,) = run_of(tmp_path, stages).break_even
    assert pair.capacity_per_hour == pytest.approx(374 * 60, rel=1e-6)
    assert "Mind: `p4d` at 8 users is SUSPECT." in pair.text
    assert "of 374 at 8 users, the best level." in pair.text


def test_the_capacity_is_that_of_the_best_level_that_keeps_the_limits_and_says_so(tmp_path):
    tokens = {"target": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    stages = [
        stage_of(1, 100, 5, 374, 0, 0.802),
        stage_of(2, 200, 20, 600, 0, 2.0),  # more, but beyond the limit
        stage_of(3, 300, 5, 190, 0, 1.56, **tokens),
    ]
    (pair,) = run_of(tmp_path, stages, slo={"latency_s": {"mean": 1.6}}).break_even
    assert pair.capacity_per_hour == pytest.approx(374 * 60, rel=1e-6)
    assert "of 374 at 5 users, the best VALID level that keeps the limits." in pair.text


def test_instances_measured_together_are_added_one_by_one(tmp_path):
    """Three instances of $10/h carried 600/min: each is taken to carry 200/min."""
    tokens = {"target": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    stages = [stage_of(1, 100, 10, 600, 0, 0.99), stage_of(2, 200, 5, 190, 0, 1.56, **tokens)]
    prices = PRICES | {"p4d": {"usd_per_hour": 10.0, "instance_count": 3}}
    (pair,) = run_of(tmp_path, stages, targets=[P4D | {"instance_count": 3}, BEDROCK], prices=prices).break_even
    assert (pair.usd_per_hour, pair.capacity_per_hour) == (10.0, pytest.approx(200 * 60, rel=1e-6))
    # 10 / 0.00221625 = 4,512.1/h = 75.2/min, 37.6 % of 200/min: two pay off from 150.4, below 200, so ever after
    assert pair.intervals == [(pytest.approx(4512.13, abs=0.01), None)]
    assert "hourly is cheaper above 75.2 transactions per minute" in pair.text
    assert (
        "$10/h an instance against $0.002216 a transaction is even at 75.2 transactions per minute, 37.6 % of the 200 that each of "
        "3 instances is taken to carry (600 together at 10 users, the best VALID level)." in pair.text
    )
    assert pair.curve.query("transactions_per_hour <= 12000")["usd_per_hour_hourly"].unique().tolist() == [10.0]


def test_the_published_price_is_even_at_82_percent_of_the_published_best_rate():
    # 37.688 / 0.002216 = 17,007.2/h = 283.45/min, 81.9 % of 346/min
    even = intervals(37.688, 346 * 60, 0.002216)[0][0]
    assert round(even / 60) == 283
    assert even / (346 * 60) == pytest.approx(0.819, abs=0.001)


def test_several_intervals_where_a_new_instance_must_first_fill_up():
    # H / c = 60/h of C = 100/h: k instances win above 60 k and carry 100 k; from k = 2 on
    # 60 (k + 1) <= 100 k, so they touch: (60, 100], then above max(100, 120)
    assert intervals(60.0, 100.0, 1.0) == [(60.0, 100.0), (120.0, None)]
    # 75 of 100: (75, 100], (150, 200], from k = 75 / 25 = 3 on: above max(200, 225)
    assert intervals(75.0, 100.0, 1.0) == [(75.0, 100.0), (150.0, 200.0), (225.0, None)]
    # half a capacity: the second instance wins from 100 on, where the first is full
    assert intervals(50.0, 100.0, 1.0) == [(50.0, None)]


def test_no_volume_pays_for_an_instance_that_cannot_earn_its_price():
    assert intervals(100.0, 100.0, 1.0) == []
    assert intervals(10.0, 100.0, 0.0) == []


@given(
    hourly=st.floats(0.5, 100),
    capacity=st.floats(10, 10_000),
    price=st.floats(1e-4, 0.5),
    volumes=st.lists(st.floats(0.001, 8), min_size=1, max_size=20),
)
def test_intervals_agree_with_the_definition(hourly, capacity, price, volumes):
    found = intervals(hourly, capacity, price)
    if len(found) > 10:
        return  # only the first ten are listed
    for v in (v * capacity for v in volumes):
        cheaper = hourly * math.ceil(v / capacity) < v * price
        near = [e for low, high in found for e in (low, high or low)] + [capacity * round(v / capacity)]
        if any(math.isclose(v, e, rel_tol=1e-9) for e in near) or math.isclose(
            hourly * math.ceil(v / capacity), v * price, rel_tol=1e-9
        ):
            continue
        assert any(low < v and (high is None or v <= high) for low, high in found) == cheaper


def test_the_curve_steps_where_an_instance_is_added():
    points = curve(60.0, 100.0, 1.0, up_to=300.0).set_index("transactions_per_hour")
    assert points.loc[100.0, "usd_per_hour_hourly"] == 60.0
    assert points.loc[math.nextafter(100.0, math.inf), "usd_per_hour_hourly"] == 120.0
    assert points.loc[300.0].tolist() == [180.0, 300.0]
    assert points.loc[0.0].tolist() == [60.0, 0.0]  # an endpoint is paid for without traffic


def test_without_a_stage_that_keeps_the_limits_there_is_no_break_even(tmp_path):
    (pair,) = study(tmp_path).break_even  # every p4d level failed requests
    assert pair.intervals == []
    assert pair.capacity_per_hour is None
    assert "no break-even, for no stage of `p4d` both keeps the limits" in pair.text


def test_many_apart_ranges_are_one_sentence_and_the_plot(tmp_path):
    # 37.688 / 0.00221625 = 283.4/min of 374/min carried: joined from k = 283.4 / 90.6 -> 4 on, above max(1122, 1133.7)
    tokens = {"target": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    (pair,) = run_of(
        tmp_path, [stage_of(1, 100, 5, 374, 0, 0.802), stage_of(2, 200, 5, 190, 0, 1.56, **tokens)]
    ).break_even
    assert len(pair.intervals) == 4
    assert (
        "hourly is cheaper above roughly 1,134 transactions per minute (from 283 on in parts: see the plot), with instances added"
        in pair.text
    )
