"""The rules that end a stage's phases: settled, known well enough, limits kept. Simulations have a seed."""

import dataclasses
import math
import random
import statistics

import pytest

from locustfiles.common.slo import Limits, Slo
from locustfiles.common.tally import Tally
from tests.analysis.made_run import record, streamed


def settling(*latencies: float, failures: int = 0) -> Tally:
    return Tally(settled=len(latencies) + failures, settling=list(latencies))


def measured(latencies: list[float], failed: int = 0, ttfts: list[float] | None = None) -> Tally:
    return Tally(requests=len(latencies) + failed, failed=failed, latencies=latencies, ttfts=ttfts or [])


# --- what is taken in ---


def test_successes_failures_and_phases_are_told_apart():
    tally = Tally()
    for one in (
        record(1, 0.5, phase="warmup"),
        record(2, 0.25, phase="settle"),
        record(3, 0.75, phase="settle", error="throttled"),
        record(3, 9.0, phase="settle", error="cancelled"),  # our own stop is no finding
        streamed(11, 2.0, ttft=0.5, tokens=9),
        record(12, 1.0),
        record(13, 0.1, error="server"),
        record(14, 9.0, error="cancelled"),
        record(20, 3.0, phase="hold"),
    ):
        tally.take(one.row())
    assert (tally.settled, tally.settling) == (2, [0.25])
    assert (tally.requests, tally.failed) == (3, 1)
    assert (tally.latencies, tally.ttfts) == ([2.0, 1.0], [0.5])  # s


# --- settled ---


def test_nothing_is_steady_before_as_many_have_ended_as_are_in_flight():
    assert not settling().steady(1)
    assert not settling(*[1.0] * 7).steady(8)
    assert settling(*[1.0] * 8).steady(8)
    assert settling(*[1.0] * 6, failures=2).steady(8)  # a failure is an end too


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_a_series_that_drifts_is_not_steady(factor):
    # from 1 s to `factor` s over 20 requests: halves that differ by a third of 20 % and more, each almost without scatter
    drift = [factor ** (n / 19) for n in range(20)]
    assert not settling(*drift).steady(10)
    assert settling(*drift, *[factor] * 20).steady(10)  # as soon as it is over


def test_only_the_latest_are_looked_at():
    # a cold start of 30 s, then 20 alike: two halves of ten
    assert settling(*[30.0] * 5, *[1.0] * 20).steady(2)
    # the earlier half 15.5 s, its standard error sqrt(233.6 / 10) = 4.8 s
    assert not settling(*[30.0] * 5, *[1.0] * 15).steady(2)
    # with 40 users two halves of 40
    assert not settling(*[2.0] * 40, *[1.0] * 40).steady(40)
    assert settling(*[2.0] * 40, *[1.0] * 80).steady(40)


def test_a_step_of_a_tenth_is_none_and_of_an_eighth_is_one():
    # 0.1 of the later mean; no scatter
    assert settling(*[1.0] * 10, *[1.1] * 10).steady(1)
    assert not settling(*[1.0] * 10, *[1.125] * 10).steady(1)


def test_noise_without_drift_is_steady_nearly_always_and_drift_in_noise_is_seen():
    draw, steady, seen = random.Random(3), 0, 0
    for _ in range(400):
        # deviation of a log-normal: 0.4 of the mean; two standard errors let pass 95 %
        steady += settling(*(draw.lognormvariate(0, 0.4) for _ in range(20))).steady(10)
        # the second ten half as long: 0.5 apart, standard error sqrt((0.2^2 + 0.1^2) / 10) = 0.07
        seen += not settling(*(draw.lognormvariate(0, 0.2) / (1 + n // 10) for n in range(20))).steady(10)
    assert steady >= 0.91 * 400
    assert seen >= 0.98 * 400


def test_where_all_fail_there_is_no_latency_to_wait_for():
    assert not settling(failures=9).steady(5)
    assert settling(failures=10).steady(5)


def test_one_user_is_steady_when_two_halves_of_a_few_are_alike():
    assert settling(3.0, 3.0, 3.1, 3.0).steady(1)
    assert not settling(9.0, 9.0, 3.0, 3.0).steady(1)


def test_two_requests_that_are_unlike_are_not_steady():
    """One user of a slow endpoint, a cold start: the halves differ by two thirds, and one value has no standard error."""
    assert not settling(9.0, 3.0).steady(1)
    assert settling(9.0, 3.0, 3.0).steady(1)  # the last two agree


# --- known well enough ---


def test_the_relative_interval_by_hand():
    # batches of two: nine of mean 1, the last of mean 2. Mean 1.1, deviation sqrt((9 x 0.1^2 + 0.9^2) / 9) = 0.316228;
    # 2.262157 x 0.316228 / sqrt(10) / 1.1 = 0.2262157 / 1.1
    values = [0.5, 1.5] * 9 + [1.0, 3.0]
    assert measured(values).relative_ci() == pytest.approx(0.2056506)
    # what does not fill a batch is left out at the beginning
    assert measured([100.0] * 9 + values).relative_ci() == pytest.approx(0.2056506)
    # failures have no latency
    assert measured(values, failed=50).relative_ci() == pytest.approx(0.2056506)


def test_below_twenty_successes_nothing_is_said():
    assert measured([]).relative_ci() is None
    assert measured([1.0, 1.2] * 9 + [1.0], failed=30).relative_ci() is None
    assert measured([1.0] * 20).relative_ci() == 0.0


def coverage(series, true_mean: float, runs: int) -> float:
    """How often the interval holds the true mean."""
    held = 0
    for _ in range(runs):
        values = series()
        size = len(values) // 10 * 10
        mean = statistics.fmean(values[-size:])
        held += abs(mean - true_mean) <= measured(values).relative_ci() * mean
    return held / runs


def autoregressive(draw: random.Random, n: int, phi: float) -> list[float]:
    """Latencies around 10 s, each remembering the one before: correlation phi^k at distance k."""
    values, at = [], draw.gauss(0, 1)
    for _ in range(n):
        values.append(10 + at)
        at = phi * at + draw.gauss(0, (1 - phi * phi) ** 0.5)
    return values


def test_the_interval_holds_the_mean_of_independent_latencies_95_times_in_100():
    draw = random.Random(11)
    # exponential latencies, as skew as a queue's; standard error of a share of 0.95 in 1500: 0.56 %
    assert coverage(lambda: [draw.expovariate(1.0) for _ in range(200)], 1.0, 1500) == pytest.approx(0.95, abs=0.025)
    assert coverage(lambda: [draw.gauss(10, 1) for _ in range(200)], 10.0, 1500) == pytest.approx(0.95, abs=0.017)


def test_the_interval_is_honest_for_latencies_that_remember_where_a_batch_is_longer_than_the_memory():
    draw = random.Random(12)
    # phi 0.5: (1 + phi) / (1 - phi) = 3 requests tell as much as one alone; batches of 30 are ten times that
    assert coverage(lambda: autoregressive(draw, 300, 0.5), 10.0, 600) > 0.90
    # an interval that takes requests as independent is sqrt(3) too narrow: 2 x Phi(1.96 / sqrt(3)) - 1 = 74 %
    naive = 0
    for _ in range(600):
        values = autoregressive(draw, 300, 0.5)
        naive += abs(statistics.fmean(values) - 10) <= 1.96 * statistics.stdev(values) / 300**0.5
    assert naive / 600 < 0.80


def test_the_limit_of_the_interval_is_a_memory_as_long_as_a_batch():
    draw = random.Random(13)
    # phi 0.9: 19 requests tell as much as one; batches of 20 are not independent, and too much is claimed
    assert 0.65 < coverage(lambda: autoregressive(draw, 200, 0.9), 10.0, 300) < 0.90
    # with batches of 200 it is right again
    assert coverage(lambda: autoregressive(draw, 2000, 0.9), 10.0, 150) > 0.89


def test_asking_again_and_again_until_the_interval_is_narrow_claims_some_of_it_too_early():
    draw, held, runs = random.Random(14), 0, 200
    for _ in range(runs):
        tally = Tally()
        while (known := tally.relative_ci()) is None or known > 0.05:
            tally.latencies += [draw.lognormvariate(0, 0.4) for _ in range(2 + len(tally.latencies) // 50)]
        mean = statistics.fmean(tally.latencies)
        held += abs(mean - math.exp(0.08)) <= 0.05 * mean  # a log-normal's mean: e^(0.4^2 / 2)
    assert 0.80 < held / runs < 0.95  # a window that is ended by `relative_ci` holds its mean 87 times in 100, not 95


# --- limits kept ---

P95 = Slo(latency_s=Limits(p95=2.0))


@pytest.mark.parametrize(
    ("within", "above", "failed", "state"),
    [
        (71, 0, 0, "undecided"),  # 0.95^71 = 0.0262
        (72, 0, 0, "met"),  # 0.95^72 = 0.0249
        (108, 1, 0, "undecided"),  # 0.95^109 + 109 x 0.05 x 0.95^108 = 0.00373 + 0.02140
        (109, 1, 0, "met"),  # 0.95^110 + 110 x 0.05 x 0.95^109 = 0.00354 + 0.02052
        (108, 0, 1, "undecided"),  # a failure is above every limit
        (109, 0, 1, "met"),
        (8, 2, 0, "undecided"),  # P(2 or more of 10) = 0.0861
        (7, 3, 0, "missed"),  # P(3 or more of 10) = 0.0115
        (7, 0, 3, "missed"),
        (7, 1, 2, "missed"),
        (0, 0, 2, "missed"),  # 0.05^2 = 0.0025
        (0, 0, 1, "undecided"),  # 0.05
    ],
)
def test_a_limit_on_p95_is_decided_by_the_binomial_test(within, above, failed, state):
    assert measured([2.0] * within + [2.001] * above, failed).keeps(P95) == state  # limits are inclusive


def test_a_limit_on_p99_needs_368_and_one_on_the_median_6():
    # 0.99^367 = 0.02501, 0.99^368 = 0.02476; 0.5^5 = 0.031, 0.5^6 = 0.0156
    assert measured([1.0] * 367).keeps(Slo(latency_s=Limits(p99=2.0))) == "undecided"
    assert measured([1.0] * 368).keeps(Slo(latency_s=Limits(p99=2.0))) == "met"
    assert measured([1.0] * 5).keeps(Slo(latency_s=Limits(p50=2.0))) == "undecided"
    assert measured([1.0] * 6).keeps(Slo(latency_s=Limits(p50=2.0))) == "met"


def test_means_and_error_rates_are_compared_as_they_are():
    mean, errors = Slo(latency_s=Limits(mean=1.5)), Slo(error_rate=0.01)
    assert measured([1.0, 2.0]).keeps(mean) == "met"
    assert measured([1.0, 2.001]).keeps(mean) == "missed"
    assert measured([1.0] * 99, failed=1).keeps(errors) == "met"
    assert measured([1.0] * 98, failed=1).keeps(errors) == "missed"  # 1 / 99
    assert measured([], failed=3).keeps(mean) != "met"


def test_a_limit_on_ttft_is_of_ttfts_and_failures():
    ttft = Slo(ttft_s=Limits(p95=0.5))
    assert measured([9.0] * 72, ttfts=[0.5] * 72).keeps(ttft) == "met"
    assert measured([9.0] * 70, failed=2, ttfts=[0.5] * 70).keeps(ttft) == "undecided"
    assert measured([0.1] * 7, failed=3, ttfts=[0.1] * 7).keeps(ttft) == "missed"
    assert measured([0.1] * 500).keeps(ttft) == "undecided"  # nothing is streamed: it cannot be told


def test_all_limits_together_are_the_worst_of_them():
    slo = Slo(latency_s=Limits(mean=1.5, p95=2.0), error_rate=0.0)
    assert measured([1.0] * 72).keeps(slo) == "met"
    assert measured([1.0] * 71).keeps(slo) == "undecided"
    assert measured([1.6] * 71).keeps(slo) == "missed"  # by the mean, whatever is open of p95
    assert measured([1.0] * 200, failed=1).keeps(slo) == "missed"
    assert measured([1.0]).keeps(Slo()) == "met"


def test_without_a_measured_request_nothing_is_decided():
    for slo in (P95, Slo(error_rate=0.0), Slo(latency_s=Limits(mean=1.0))):
        assert Tally().keeps(slo) == "undecided"


def test_in_the_open_loop_a_time_runs_from_when_the_request_was_due():
    found = Tally()
    row = dataclasses.replace(record(0, 1), phase="measure", users=None, rate=2.0, latency_ms=500.0, ttft_ms=100.0, last_token_ms=400.0, schedule_delay_ms=4000.0)
    found.take(row.row())
    assert (found.latencies, found.ttfts) == ([4.5], [4.1])  # 0.5 and 0.1 s after the send, which was 4 s late
