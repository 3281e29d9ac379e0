"""Whether figures became worse by more than a tolerance: at each level, over levels, and with one error rate for all of it."""

import math

import pytest

from analysis.verdicts.difference import ERROR_RATE, difference
from analysis.verdicts.intervals import LATENCY_PER_TOKEN, THROUGHPUT, USD
from analysis.verdicts.quantiles import POWER, T_95, half_widths_of
from analysis.verdicts.regressions import holm, how_many_tell, over_levels, regressions
from analysis.words.columns import column
from analysis.words.spread import Spread
from tests.helpers.made_result import made_result

P50 = column(lambda f: f.latency.p50)


def level(users: int, p50: float, h: float, per_s: float = 1.0, **other):
    """Its median known to a factor of e^h, its throughput to 10 %."""
    spread = Spread(p50=p50, p50_low=p50 * math.exp(-h), p50_high=p50 * math.exp(h), n=100)
    return made_result(users=users, latency=spread, throughput=(per_s, per_s / 1.1, per_s * 1.1), **other)


def test_each_level_is_asked_and_then_all_of_them_together():
    pairs = [(level(u, 1.0, 0.1), level(u, 1.1, 0.1)) for u in (1, 2, 4, 8)]
    together, *each = regressions(pairs, [P50], tolerance=0.0)
    assert together.pair is None and [r.pair[0].figures.users for r in each] == [1, 2, 4, 8]
    # each ratio 1.1 is known to e^sqrt(0.02) = e^0.1414, the four of them together to half of that: 0.0953 - 0.0707 > 0
    assert [r.state for r in each] == ["undecided"] * 4
    assert together.difference.ratio == pytest.approx(1.1)
    assert together.difference.low == pytest.approx(math.exp(0.0953 - 0.0707), rel=1e-3)
    assert together.difference.state == "higher"
    # for itself p < 2.5 %, among five asked not below 5 %: 0.0953 / 0.0707 x 2.0423 = 2.75, of t with 30 degrees p = 0.005
    assert together.p == pytest.approx(0.005, abs=2e-4) and together.adjusted == pytest.approx(5 * together.p)
    assert together.state == "regressed"


def test_a_level_that_tells_more_counts_more():
    pairs = [(level(1, 1.0, 0.4), level(1, 2.0, 0.4)), (level(8, 1.0, 0.1), level(8, 1.0, 0.1))]
    together = regressions(pairs, [P50])[0]
    # widths 0.4 and 0.1 (x sqrt(2)): weights 1 to 16, ln 2 / 17 = 0.0408
    assert math.log(together.difference.ratio) == pytest.approx(math.log(2) / 17)


def test_worse_is_lower_where_more_is_better():
    pairs = [(level(u, 1.0, 0.1, per_s=10.0), level(u, 1.0, 0.1, per_s=5.0)) for u in (1, 2)]
    assert {r.state for r in regressions(pairs, [THROUGHPUT])} == {"regressed"}
    back = [(now, base) for base, now in pairs]
    assert {r.state for r in regressions(back, [THROUGHPUT])} == {"not worse"}


def test_within_the_tolerance_it_is_not_worse_and_what_samples_cannot_tell_is_undecided():
    exact, loose = (level(1, 1.0, h) for h in (0.01, 0.2))
    slower = level(1, 1.02, 0.01)
    # 2 % slower, known to e^0.0141: up to ln 1.02 + 0.0141 = 0.0339 < ln 1.05 = 0.0488
    (found,) = regressions([(exact, slower)], [P50], tolerance=0.05)
    assert found.state == "not worse" and found.difference.state == "higher"
    (found,) = regressions([(loose, slower)], [P50], tolerance=0.05)
    assert found.state == "undecided"
    # one question: 5 % of error on its one side is 1.697 / 2.0423 = 0.8311 half-widths, of sqrt(0.2² + 0.01²) = 0.20025
    assert half_widths_of(0.05) == pytest.approx(0.8311, abs=1e-3)
    assert found.smallest == pytest.approx(1.05 * math.exp(0.20025 * (0.8311 + POWER / T_95)) - 1, rel=1e-3)


def test_the_more_is_asked_the_surer_each_answer_has_to_be():
    # by hand, of three: 0.01 x 3, 0.02 x 2, 0.04 x 1 (not below the one before)
    assert holm([0.02, None, 0.01, 0.04]) == [pytest.approx(0.04), None, pytest.approx(0.03), pytest.approx(0.04)]
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    alone = regressions([(level(1, 1.0, 0.1), level(1, 1.32, 0.1))], [P50])
    # 0.2776 / 0.1414 = 1.963 half-widths: p = 0.0002 alone, among 400 more that do not differ 0.08
    others = [(level(u, 1.0, 0.1), level(u, 1.0, 0.1)) for u in range(2, 402)]
    among = regressions([(level(1, 1.0, 0.1), level(1, 1.32, 0.1)), *others], [P50])
    assert alone[0].state == "regressed" and among[1].p == pytest.approx(alone[0].p)
    assert among[1].state == "undecided" and among[1].smallest > alone[0].smallest


def test_error_rates_are_asked_in_points_and_no_failures_on_both_sides_are_no_regression():
    none, some, many = (made_result(requests=600, failures=n) for n in (0, 8, 40))
    # 0 of 600 twice: up to 0.64 points (Wilson: 3.84 / 603.84), within one point; 8 of 600: up to 2.6; 40 of 600: from 4.9 - 0.9
    assert regressions([(none, none)], [ERROR_RATE])[0].state == "not worse"
    assert regressions([(none, some)], [ERROR_RATE])[0].state == "undecided"
    assert regressions([(none, many)], [ERROR_RATE])[0].state == "regressed"
    # 6.7 % to 8.3 %: worse by less than the 50 % of it that are allowed
    worse = made_result(requests=600, failures=50)
    (found,) = regressions([(many, worse)], [ERROR_RATE], tolerance=0.5)
    assert found.tolerance == pytest.approx(0.5 * 40 / 600) and found.state == "undecided"
    few = made_result(requests=20, failures=0)
    assert regressions([(few, few)], [ERROR_RATE])[0].state == "undecided"


def test_error_rates_of_levels_together_are_weighted_by_their_requests():
    pairs = [
        (made_result(users=u, requests=n, failures=f), made_result(users=u, requests=n, failures=g))
        for u, n, f, g in ((1, 100, 0, 5), (2, 300, 0, 15))
    ]
    together = regressions(pairs, [ERROR_RATE])[0]
    # 20 of 400
    one, other = together.difference.shares
    assert (one.value, other.value) == (0.0, pytest.approx(0.05)) and other.n == pytest.approx(400)
    assert together.state == "regressed" and together.smallest < 0.06


def test_what_only_one_run_has_is_not_known_and_what_neither_has_is_not_asked():
    bare = made_result()
    (found,) = regressions([(level(1, 1.0, 0.1), bare)], [P50])
    assert (found.state, found.difference, found.p, found.smallest) == ("not known", None, None, None)
    assert regressions([(bare, bare)], [P50, USD, LATENCY_PER_TOKEN]) == []
    no_interval = made_result(latency=Spread(p50=1.0, n=4))
    assert regressions([(no_interval, no_interval)], [P50])[0].state == "not known"
    assert over_levels([]) is None and how_many_tell([]) == 0
    # a level without an interval weighs nothing in the mean, and is not counted
    unsure, sure = difference(no_interval, no_interval, P50), difference(level(1, 1.0, 0.1), level(1, 2.0, 0.1), P50)
    assert how_many_tell([unsure, sure, sure]) == 2 and over_levels([unsure, sure]).ratio == pytest.approx(2.0)
    with pytest.raises(ValueError, match="no better and worse"):
        regressions([], [column(lambda f: f.throughput.in_flight_mean)])


def test_figures_known_exactly_are_judged_exactly():
    one, dearer = (made_result(usd=(usd, usd, usd)) for usd in (0.0100, 0.0104))
    assert [regressions([(one, dearer)], [USD], t)[0].state for t in (0.0, 0.03, 0.04, 0.05)] == [
        "regressed",
        "regressed",
        "not worse",
        "not worse",
    ]
