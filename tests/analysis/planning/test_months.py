"""What a month costs: instances by the hour, reserved units, tokens; and where another option becomes the cheapest."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.planning.demand import Demand, constant
from analysis.planning.option import Option, Terms, counts_of, month_of
from analysis.planning.plan import crossings, swings

TERMS = Terms(headroom=0.2, spare=1, start_up_minutes=10)
#: carries 100 a minute, of which 80 are planned with
BOX = Option("box", "box", "instances", usd_per_hour=10.0, capacity_per_minute=100.0)
TOKENS = Option("tokens", "tokens", "tokens", usd_per_transaction=0.001)
#: six hours of nothing, twelve of 80 a minute, six of 400
DAY = Demand((0.0,) * 6 + (80.0,) * 12 + (400.0,) * 6)


def test_tokens_cost_what_their_transactions_do():
    # 600 x 60 x 730 = 26,280,000 a month
    assert month_of(TOKENS, constant(600), TERMS).usd == pytest.approx(26_280.0)


def test_instances_at_the_peak_keep_their_headroom_and_one_to_spare():
    # 600 / (100 x 0.8) = 7.5, so 8 and one to spare: 9 x $10 x 730
    month = month_of(BOX, constant(600), TERMS)
    assert (month.usd, month.instances) == (pytest.approx(65_700.0), (9, 9))


def test_a_rate_that_fills_instances_exactly_needs_no_more():
    assert counts_of(BOX, constant(240), TERMS) == [3 + 1]  # 240 / 80


def test_scaled_by_the_hour_an_added_instance_is_paid_for_its_start_up():
    # counts 2, 2, 6: 18 x 2 + 6 x 6 = 72 instance-hours a day; four are added a day, each for 10 minutes: 2/3 hour
    scaled = dataclasses.replace(BOX, scaled="hourly")
    assert month_of(scaled, DAY, TERMS) == (scaled, pytest.approx((72 + 4 / 6) * 730 / 24 * 10), (2, 6))


def test_scaled_to_zero_nothing_runs_in_hours_without_a_call_and_all_start_anew():
    # counts 0, 2, 6: 12 x 2 + 6 x 6 = 60 instance-hours a day; 2 and 4 are added a day: 1 hour
    scaled = dataclasses.replace(BOX, scaled="to zero")
    assert month_of(scaled, DAY, TERMS) == (scaled, pytest.approx((60 + 1) * 730 / 24 * 10), (0, 6))


def test_a_savings_plan_discounts_what_always_runs():
    # two always run: 2 x 730 x $10 x 25 % = $3,650 less
    whole = month_of(dataclasses.replace(BOX, scaled="hourly"), DAY, TERMS).usd
    assert month_of(dataclasses.replace(BOX, scaled="hourly", committed=0.25), DAY, TERMS).usd == pytest.approx(
        whole - 3650
    )


def test_reserved_units_have_none_to_spare():
    assert counts_of(dataclasses.replace(BOX, kind="reserved"), constant(600), TERMS) == [8]


def test_growth_is_from_month_to_month():
    # 100, 110, 121
    assert [Demand((100.0,), 0.1, 3).in_month(n).peak for n in (1, 2, 3)] == pytest.approx([100, 110, 121])


def test_the_crossing_is_where_an_instance_and_its_spare_are_cheaper_than_tokens():
    # two at $10 carry 80 a minute; $20 / ($0.01 x 60) = 33.3 a minute, then at 80 a third comes: $30 are 50 a minute's tokens
    dear = dataclasses.replace(TOKENS, usd_per_transaction=0.01)
    (found,) = crossings([dear, BOX], constant(40), TERMS)
    assert (found.peak_per_minute, found.cheapest, found.before) == (pytest.approx(100 / 3, rel=1e-5), "box", "tokens")


def test_the_same_option_at_every_load_crosses_nothing():
    assert crossings([TOKENS], constant(40), TERMS) == []


def test_a_winner_by_little_loses_when_its_price_rises_and_one_by_much_does_not():
    # at 40 a minute: two boxes are $14,600 a month; tokens at $0.008 are 1,752,000 x 0.008 = $14,016
    close = dataclasses.replace(TOKENS, usd_per_transaction=0.008)
    changed = {s.what for s in swings([close, BOX], constant(40), TERMS) if s.changed}
    assert "prices by tokens +20 %" in changed and "prices by tokens −20 %" not in changed
    assert not any(s.changed for s in swings([TOKENS, BOX], constant(40), TERMS))


def test_the_measurements_intervals_can_turn_the_order():
    # tokens known to 10 %: $14,016 to $15,417.60, boxes' number does not move
    close = dataclasses.replace(TOKENS, usd_per_transaction=0.008, uncertainty=0.1)
    last = swings([close, BOX], constant(40), TERMS)[-1]
    assert (last.cheapest, last.changed) == ("box", True)


@given(
    st.lists(st.floats(0, 1e4), min_size=24, max_size=24).filter(any),
    st.floats(0, 0.9),
    st.integers(0, 3),
    st.sampled_from(["hourly", "to zero"]),
)
def test_scaling_never_costs_more_than_the_peak_but_for_starting(rates, headroom, spare, scaled):
    demand, terms = Demand(tuple(rates)), Terms(headroom, spare, 0.0)
    peak = month_of(BOX, demand, terms)
    changing = month_of(dataclasses.replace(BOX, scaled=scaled), demand, terms)
    assert changing.usd <= peak.usd * (1 + 1e-9)
    assert changing.instances[1] == peak.instances[1]
