"""How two stages differ in a figure: by the intervals of both, not by whether those overlap."""

import math

import pytest

from analysis.verdicts.difference import ERROR_RATE, difference
from analysis.verdicts.intervals import LATENCY_PER_TOKEN, THROUGHPUT, USD
from analysis.verdicts.proportions import Share, apart, effective, p_above, smallest_seen, wilson
from analysis.verdicts.quantiles import beyond, half_widths_of, widening
from analysis.words.columns import column
from analysis.words.spread import Spread
from tests.helpers.made_result import made_result

P95 = column(lambda f: f.latency.p95)
PER_10K = column(lambda f: f.cost.usd_per_10k_transactions)
PER_MINUTE = column(lambda f: f.throughput.transactions_per_minute)


def of_hour(per_minute: float, h: float, users: int):
    """An endpoint at $37.69 an hour whose transactions a minute are known to a factor of e^h."""
    rate = per_minute / 60
    usd = 37.69 / 3600 / rate
    return made_result(
        users=users,
        throughput=(rate, rate * math.exp(-h), rate * math.exp(h)),
        usd=(usd, usd * math.exp(-h), usd * math.exp(h)),
    )


def test_costs_whose_intervals_overlap_differ_where_the_interval_of_their_ratio_does_not_hold_1():
    # $275.10 and $191.56 per 10,000: ln(275.10 / 191.56) = 0.3619; each cost known to a factor of e^0.2305
    one = of_hour(37.69 / 60 / 0.027510, 0.2305, 1)
    four = of_hour(37.69 / 60 / 0.019156, 0.2305, 4)
    assert one.usd == pytest.approx(0.027510) and four.usd == pytest.approx(0.019156)
    assert one.intervals[USD][0] < four.intervals[USD][1]  # they overlap
    found = difference(one, four, USD)
    # sqrt(0.2305² + 0.2305²) = 0.3260: from e^(-0.3619 - 0.3260) = 0.5026 to e^(-0.3619 + 0.3260) = 0.9647
    assert found.ratio == pytest.approx(0.6963, abs=1e-4)
    assert (found.low, found.high) == (pytest.approx(0.5026, abs=1e-4), pytest.approx(0.9647, abs=1e-4))
    assert found.state == "lower" and difference(four, one, USD).state == "higher"
    assert difference(one, four, THROUGHPUT).state == "higher"


def test_a_stage_known_to_42_percent_only_does_not_differ_from_one_23_percent_cheaper():
    # $297.74 at 1 user, throughput known to ± 42 %: the cost from 297.74 / 1.42 on; $228.32 at 4 users, to ± 10 %
    rates = [37.69 / 3600 / (usd / 10_000) for usd in (297.74, 228.32)]
    one, four = (
        made_result(usd=(u / 1e4, u / 1e4 / (1 + h), u / 1e4 / (1 - h)), throughput=(r, r * (1 - h), r * (1 + h)))
        for u, h, r in zip((297.74, 228.32), (0.42, 0.10), rates, strict=True)
    )
    found = difference(one, four, USD)
    # ln(228.32 / 297.74) = -0.2655; above: four dearer by ln(1 / 0.9) = 0.1054 and one cheaper by ln 1.42 = 0.3507:
    # sqrt(0.1054² + 0.3507²) = 0.3662: up to e^0.1007 = 1.106; below by sqrt(ln(1.1)² + ln(1 / 0.58)²) = 0.5530
    assert (found.low, found.high) == (pytest.approx(0.4411, abs=1e-3), pytest.approx(1.1059, abs=1e-3))
    assert found.state == "no difference seen"
    # the wider half, 0.5530, is 2.0423 standard errors; (2.0423 + 0.8416) of those: e^0.7809 - 1
    assert found.smallest == pytest.approx(1.183, abs=2e-3)


def test_a_multiple_of_a_figure_has_its_interval():
    one, other = of_hour(20, 0.10, 1), of_hour(30, 0.10, 4)
    assert difference(one, other, PER_10K).high == pytest.approx(difference(one, other, USD).high)
    assert difference(one, other, PER_MINUTE).low == pytest.approx(difference(one, other, THROUGHPUT).low)


def test_a_percentile_without_an_upper_end_is_not_judged_by_it():
    def of(p95: float, low: float, high: float | None):
        return made_result(latency=Spread(mean=1.0, p95=p95, p95_low=low, p95_high=high, n=100))

    narrow, wide = of(2.0, 1.9, 2.1), of(3.0, 2.8, None)
    found = difference(narrow, wide, P95)
    # above 1.5 / e^sqrt(ln(3 / 2.8)² + ln(2.1 / 2)²) = 1.5 / e^0.0845; upwards it has no end
    assert found.low == pytest.approx(1.3784, abs=1e-3) and found.high is None and found.state == "higher"
    assert found.smallest is None
    back = difference(wide, narrow, P95)
    assert back.low is None and back.high == pytest.approx(1 / 1.3784, abs=1e-3) and back.state == "lower"
    nearer = difference(narrow, of(2.05, 1.9, None), P95)
    assert nearer.state == "not known"


def test_what_is_not_known_or_infinite_has_no_difference():
    one = made_result(latency=Spread(p95=2.0, p95_low=1.9, p95_high=2.1, n=100))
    assert difference(one, made_result(), P95) is None
    assert difference(one, made_result(latency=Spread(p95=math.inf, n=1)), P95) is None
    assert difference(one, one, LATENCY_PER_TOKEN) is None
    bare = difference(one, made_result(latency=Spread(p95=2.2, n=3)), P95)
    assert (bare.low, bare.high, bare.state) == (None, None, "not known") and bare.ratio == pytest.approx(1.1)


def test_a_cost_without_an_interval_is_known_as_a_count_of_its_successes_is():
    one, other = made_result(usd=0.010, requests=16), made_result(usd=0.014, requests=16)
    found = difference(one, other, USD)
    # each to 2 / sqrt(16) = 50 %: from usd / 1.5 to usd / 0.5; upwards sqrt(ln(2)² + ln(1.5)²) = 0.8033
    assert found.high == pytest.approx(1.4 * math.exp(0.8033), rel=1e-3) and found.state == "no difference seen"
    assert "counts" in found.method


def test_figures_known_exactly_differ_however_little():
    same = made_result(usd=(0.01, 0.01, 0.01))
    dearer = made_result(usd=(0.0101, 0.0101, 0.0101))
    assert difference(same, dearer, USD).state == "higher"
    again = difference(same, same, USD)
    assert (again.low, again.high, again.smallest, again.state) == (1.0, 1.0, 0.0, "no difference seen")
    free = made_result(usd=(0.0, 0.0, 0.0))
    assert difference(free, free, USD).state == "no difference seen"
    assert difference(free, dearer, USD).state == "not known"


def test_an_interval_of_more_confidence_is_wider():
    found = difference(of_hour(20, 0.1, 1), of_hour(24, 0.1, 4), USD)
    assert found.state == "lower" and found.at(0.95).high == pytest.approx(found.high)
    # t with 30 degrees of freedom: 2.0423 at 95 %, 2.7500 at 99 %; 1.3465 of 0.1414 = 0.1904 beyond ln 1.2 = 0.1823
    assert widening(0.99) == pytest.approx(2.7500 / 2.0423, rel=1e-3)
    assert found.at(0.99).high == pytest.approx(math.exp(0.1904 - 0.1823), rel=1e-3)
    assert found.at(0.99).state == "no difference seen"
    assert beyond(1.0) == pytest.approx(0.025) and half_widths_of(0.025) == pytest.approx(1.0)


def test_shares_differ_as_in_newcombes_table():
    # 56 of 70 and 48 of 80: 0.2, from 0.0524 to 0.3339 (method 10)
    low, high = apart(Share(48 / 80, 80), Share(56 / 70, 70))
    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
    # 9 of 10 and 3 of 10: 0.6, from 0.1705 to 0.8090
    low, high = apart(Share(0.3, 10), Share(0.9, 10))
    assert (low, high) == (pytest.approx(0.1705, abs=1e-4), pytest.approx(0.8090, abs=1e-4))


def test_failures_where_there_were_none_are_a_difference_without_a_ratio():
    none, some, many = (made_result(requests=600, failures=n) for n in (0, 2, 12))
    found = difference(none, many, ERROR_RATE)
    # Wilson: 12 of 600 from 1.15 % to 3.47 %, 0 of 600 to 3.8415 / 603.84 = 0.64 %; 2 % - sqrt(0.85² + 0.64²) = 0.94 %
    assert found.low == pytest.approx(0.0094, abs=1e-4) and found.state == "higher" and found.ratio is None
    # 2 of 600 are 0.33 %, from 0.09 % on: 0.33 - sqrt(0.24² + 0.64²) = -0.35
    few = difference(none, some, ERROR_RATE)
    assert few.low == pytest.approx(-0.0035, abs=1e-4) and few.state == "no difference seen"
    # 5 of 600 just differ: 5 - sqrt((5 - 2.14)² + 3.82²) = 0.23; 6.9 expected are 5 or more four times of five (Poisson: 83 %)
    assert few.smallest == smallest_seen(Share(0, 600), 600) == pytest.approx(6.9 / 600, abs=1e-5)
    both = difference(none, none, ERROR_RATE)
    assert both.state == "no difference seen" and both.smallest == few.smallest
    assert many.figures.outcome.error_rate > found.at(0.999).low < found.low


def test_the_p_value_of_shares_is_where_the_interval_just_holds_0():
    one, other = Share(0.01, 500), Share(0.04, 500)
    p = p_above(one, other)
    z = 1.0
    while apart(one, other, z)[0] > 0:
        z += 0.001
    assert p == pytest.approx(0.5 * math.erfc(z / 2**0.5), rel=0.01)
    assert p_above(one, other, by=0.03) == p_above(other, one) == 0.5 and p < p_above(one, other, by=0.01) < 0.5


def test_how_many_independent_requests_an_interval_stands_for_is_found_again():
    for value, n in ((0.0, 50), (0.02, 700), (0.5, 90), (1.0, 30)):
        assert effective(value, *wilson(Share(value, n))) == pytest.approx(n, rel=1e-6)
