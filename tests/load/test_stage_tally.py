"""The rules that end a stage's phases: settled, known well enough, limits kept. Simulations have a seed."""

import heapq
import math
import random
import statistics
import typing

import pytest

from locustfiles.common.recording.stage_tally import Tally
from locustfiles.contract.scenario.retry import Retry
from locustfiles.contract.scenario.slo import Limits, Slo
from tests.helpers.made_run import record, streamed
from tests.helpers.run_parts import arrived, measured


def settling(*latencies: float, failures: int = 0) -> Tally:
    return Tally(settled=len(latencies) + failures, settling=list(latencies), failing=failures)


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
        tally.take(arrived(one))
    assert (tally.settled, tally.settling) == (2, [0.25])
    assert (tally.requests, tally.failed) == (3, 1)
    assert (list(tally.latencies), list(tally.ttfts)) == ([2.0, 1.0], [0.5])  # s


# --- calls of several attempts ---


def attempt(at: float, latency: float, number: int, call: int = 1, **more):
    return arrived(record(at, latency, attempt=number, call=call, **more))


def test_with_retries_a_call_is_one_request_from_its_first_send_to_its_last_byte():
    tally = Tally(retry=Retry(attempts=3))
    tally.take(attempt(0.0, 0.5, 1, error="throttled"))
    assert (tally.requests, tally.failed) == (0, 0)  # another attempt follows
    tally.take(attempt(0.25, 9.0, 1, call=2))
    tally.take(attempt(0.5, 9.0, 1, worker="other"))  # with the same number
    tally.take(attempt(2.0, 0.5, 2, error="server"))
    tally.take(arrived(streamed(4.0, 1.0, ttft=0.25, tokens=9, attempt=3, call=1)))
    # 4 + 1 s after the first send; its first output after 4 + 0.25 s
    assert (tally.requests, tally.failed) == (3, 0)
    assert (list(tally.latencies), list(tally.ttfts)) == (pytest.approx([9.0, 9.0, 5.0]), pytest.approx([4.25]))
    assert tally.keeps(Slo(error_rate=0.0)) == "met"
    assert tally.keeps(Slo(latency_s=Limits(mean=23 / 3 + 0.01))) == "met"
    assert tally.keeps(Slo(latency_s=Limits(mean=23 / 3 - 0.01))) == "missed"


def test_a_call_whose_attempts_all_fail_is_one_failure_and_one_that_is_not_tried_again_at_once():
    tally = Tally(retry=Retry(attempts=2))
    tally.take(attempt(0, 0.1, 1, error="throttled"))
    tally.take(attempt(1, 0.1, 2, error="throttled"))
    tally.take(attempt(2, 0.1, 1, call=2, error="client"))
    tally.take(attempt(3, 0.1, 1, call=3, error="throttled"))
    tally.take(attempt(4, 0.1, 2, call=3, error="cancelled"))  # our own stop is no finding
    tally.take(attempt(5, 0.1, 2, call=4))  # its first attempt is not known: the report leaves it out as well
    assert (tally.requests, tally.failed) == (2, 2)
    assert not tally.latencies


def test_a_call_belongs_to_the_phase_in_which_it_began():
    tally = Tally(retry=Retry(attempts=2))
    tally.take(attempt(0, 0.5, 1, phase="settle", error="server"))
    tally.take(attempt(1, 0.5, 2, phase="measure"))
    tally.take(attempt(1, 0.5, 1, call=2, phase="measure", error="server"))
    tally.take(attempt(2, 0.5, 2, call=2, phase="hold"))
    assert (tally.settled, tally.settling) == (1, [1.5])
    assert (tally.requests, list(tally.latencies)) == (1, [1.5])


# --- settled ---


def test_nothing_is_steady_before_as_many_have_ended_as_are_in_flight():
    assert not settling().steady(1)
    assert not settling(*[1.0] * 7).steady(8)
    assert settling(*[1.0] * 8).steady(8)
    assert settling(*[1.0] * 6, failures=2).steady(8)  # a failure is an end too


def test_a_server_that_is_gone_while_it_settles_is_not_waited_for():
    slower = [1.0, 2.0] * 2  # drifts for ever, for nothing more comes
    assert not settling(1.0, 2.0, failures=9).steady(1)
    assert settling(1.0, 2.0, failures=10).steady(1)
    assert not settling(*slower, *[9.0] * 4, failures=15).steady(8)
    assert settling(*slower, *[9.0] * 4, failures=16).steady(8)
    assert settling(failures=2).steady(1)  # nothing has ever worked
    tally = Tally()
    for at in range(12):  # the second call of two works: ten failures since
        tally.take(arrived(record(at, 0.5, phase="settle", error=None if at == 1 else "connect")))
    assert (tally.failing, tally.steady(1)) == (10, True)


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
    # forty batches of one: 36 of 1, two times two of 3. Mean 1.2, squares 36 x 0.2^2 + 4 x 1.8^2 = 14.4. Neighbours:
    # 34 x 0.04 + 2 x 3.24 - 3 x 0.36 = 6.76, correlation 6.76 / 14.4 = 0.469444, (1 + r) / (1 - r) = 2.769634;
    # 2.022691 x sqrt(14.4 / 39 / 40 x 2.769634) = 0.323414
    values = [1.0] * 18 + [3.0] * 2 + [1.0] * 18 + [3.0] * 2
    assert measured(values).relative_ci() == pytest.approx(0.323414 / 1.2, rel=1e-4)
    # failures have no latency
    assert measured(values, failed=50).relative_ci() == pytest.approx(0.323414 / 1.2, rel=1e-4)
    # what does not fill a batch is left out of the batches at the beginning, not out of the mean: 49.2 / 41
    assert measured([1.2, *values]).relative_ci() == pytest.approx(0.323414 / 1.2, rel=1e-4)


def test_the_interval_is_never_narrower_than_that_of_independent_latencies():
    # batches of two, all of mean 1: they say nothing of a scatter that is there. Eighty squares of 0.5^2, deviation
    # sqrt(20 / 79) = 0.503155; 1.959964 x 0.503155 / sqrt(80)
    assert measured([0.5, 1.5] * 40).relative_ci() == pytest.approx(0.110257, rel=1e-4)


def test_below_twenty_successes_nothing_is_said():
    assert measured([]).relative_ci() is None
    assert measured([1.0, 1.2] * 9 + [1.0], failed=30).relative_ci() is None
    assert measured([1.0] * 20).relative_ci() == 0.0


def test_nothing_is_said_of_a_window_whose_tenth_is_shorter_than_requests_are_long():
    def after(seconds: int) -> Tally:
        """Five users with requests of 2 s each."""
        tally = Tally()
        for at in range(0, seconds, 2):
            for _ in range(5):
                tally.take(arrived(record(at, 2.0)))
        return tally

    assert after(18).relative_ci() is None  # 45 requests
    assert after(20).relative_ci() == 0.0  # 10 x 2 s


def test_it_is_looked_at_again_only_when_there_are_five_percent_more():
    tally = measured([0.5, 1.5] * 20)
    first = tally.relative_ci()
    tally.latencies += [9.0]
    assert tally.relative_ci() == first  # 41 of 40
    tally.latencies += [9.0]
    assert tally.relative_ci() > first


def coverage(series, true_mean: float, runs: int) -> float:
    """How often the interval holds the true mean."""
    held = 0
    for _ in range(runs):
        values = series()
        mean = statistics.fmean(values)
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
    # phi 0.5: (1 + phi) / (1 - phi) = 3 requests tell as much as one alone; batches of 7 are twice that, and their likeness is seen
    assert coverage(lambda: autoregressive(draw, 300, 0.5), 10.0, 600) > 0.90
    # an interval that takes requests as independent is sqrt(3) too narrow: 2 x Phi(1.96 / sqrt(3)) - 1 = 74 %
    naive = 0
    for _ in range(600):
        values = autoregressive(draw, 300, 0.5)
        naive += abs(statistics.fmean(values) - 10) <= 1.96 * statistics.stdev(values) / 300**0.5
    assert naive / 600 < 0.80


def test_batches_that_are_alike_widen_the_interval_up_to_a_memory_as_long_as_the_series():
    draw = random.Random(13)
    # phi 0.9: 19 requests tell as much as one; batches of 5 are alike, and that is seen
    assert coverage(lambda: autoregressive(draw, 200, 0.9), 10.0, 300) > 0.90
    # the limit: phi 0.99, 199 requests tell as much as one, and there are no more than that
    assert coverage(lambda: autoregressive(draw, 200, 0.99), 10.0, 200) < 0.85


def independent(draw: random.Random) -> typing.Iterator[tuple[float, float]]:
    """(sent, latency) of Poisson arrivals, 8/s, in the order of their ends; log-normal latencies of mean 1 s, deviation 0.42 s."""
    due, ends = 0.0, []
    while True:
        due += draw.expovariate(8.0)
        while ends and ends[0][0] <= due:
            end, sent = heapq.heappop(ends)
            yield sent, end - sent
        heapq.heappush(ends, (due + draw.lognormvariate(-0.08, 0.4), due))


def closed_loop(draw: random.Random) -> typing.Iterator[tuple[float, float]]:
    """(sent, latency) of ten users, in the order of their ends; log-normal latencies of mean 1 s and deviation 0.8 s."""
    ends = [(draw.lognormvariate(-0.25, 0.7), 0.0) for _ in range(10)]
    heapq.heapify(ends)
    while True:
        end, sent = ends[0]
        yield sent, end - sent
        heapq.heapreplace(ends, (end + draw.lognormvariate(-0.25, 0.7), end))


@pytest.mark.parametrize(
    ("arrivals", "precision", "true_mean", "runs"),
    [(independent, 0.05, 1.0, 200), (closed_loop, 0.10, math.exp(-0.25 + 0.7**2 / 2), 200)],
)
def test_who_asks_again_and_again_until_the_interval_is_narrow_still_gets_one_that_holds_the_mean(
    arrivals, precision, true_mean, runs
):
    draw, held, requests = random.Random(14), 0, 0
    for _ in range(runs):
        tally = Tally(first_sent=0.0)
        for sent, latency in arrivals(draw):
            tally.latencies.append(latency)
            tally.last_ended = sent + latency
            if (known := tally.relative_ci()) is not None and known <= precision:
                break
        mean = statistics.fmean(tally.latencies)
        held += abs(mean - true_mean) <= known * mean
        requests += len(tally.latencies)
    # standard error of a share of 0.95 in 200: 1.5 %. Ten batches alone, asked at every percent more: 83 and 75 in 100
    assert held >= 0.93 * runs
    # independent requests of this deviation need (1.96 x 0.416 / 0.05)^2 = 266; (1.96 x 0.795 / 0.1)^2 = 243
    assert 240 <= requests / runs <= 340
