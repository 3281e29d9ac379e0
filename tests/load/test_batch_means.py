"""Intervals of rates and of means hold the truth 95 times in 100. Simulations have a seed."""

import typing

import numpy as np
import pytest

from locustfiles.contract.statistics.batch_means import BATCHES, rate_half_width
from locustfiles.contract.statistics.student_t import interval_of_mean, t_975


def test_students_t_agrees_with_its_table():
    assert [t_975(n) for n in (1, 2, 9)] == [12.706, 4.303, 2.262157]
    assert [round(t_975(n), 3) for n in (10, 15, 30, 100)] == [2.228, 2.131, 2.042, 1.984]
    assert [round(t_975(n), 4) for n in (19, 39)] == [2.0930, 2.0227]


# --- rates ---


def test_batches_that_are_not_alike_are_twenty_values():
    rates = [1.0, 3.0] * 10
    # mean 2, each 1 from it: sd = sqrt(20 / 19), t of 19 degrees of freedom 2.0930; a negative correlation narrows nothing
    assert rate_half_width(rates) == pytest.approx(2.0930 * (20 / 19) ** 0.5 / 20**0.5, rel=1e-4)
    assert rate_half_width([2.0] * 20) == 0.0


def test_batches_that_are_alike_count_as_fewer():
    rates = [1.0, 1.0, 3.0, 3.0] * 5
    # of 19 products of neighbours 10 are 1 and 9 are -1: r = 1 / 20, with what it is too low by 0.05 + 1.2 / 20 = 0.11
    # q = 1.11 / 0.89 = 1.24719; 19 / q = 15.2 degrees of freedom: 2.1314
    assert rate_half_width(rates) == pytest.approx(2.1314 * (20 / 19 / 20 * 1.24719) ** 0.5, rel=1e-4)
    # a step: r = 18 / 20, at most 0.8: q = 9, 19 / 9 = 2.1 degrees of freedom: 4.303
    assert rate_half_width([1.0] * 10 + [3.0] * 10) == pytest.approx(4.303 * (20 / 19 / 20 * 9) ** 0.5)


def batches(sent: np.ndarray, latency: np.ndarray, window_s: float, n: int) -> np.ndarray:
    """Rates of n equal batches of [0, window_s), each request by the share of it that lies in them."""
    edges = np.linspace(0, window_s, n + 1)[:, None]
    return np.diff(np.clip((edges - sent) / latency, 0, 1).sum(axis=1)) * n / window_s


def long_answers(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Twenty-five users with log-normal latencies of mean 2.5 s, a tenth of the window, and deviation 0.85 s."""
    latency = 2.5 * draw.lognormal(-0.055, 0.3317, (25, 30))
    return (np.cumsum(latency, axis=1) - latency - 15 + 2.5 * draw.random((25, 1))).ravel(), latency.ravel()


def slow_times(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two users at an endpoint whose latency wanders by 20 % and remembers for a second, a twenty-fifth of the window."""
    pace = np.empty(500)  # every tenth of a second: e^-0.1 = 0.905
    at = draw.normal()
    for i, step in enumerate(draw.normal(size=500)):
        pace[i] = at
        at = 0.904837 * at + 0.425757 * step
    found = []
    for _ in range(2):
        now = draw.random()
        while now < 34:
            latency = 0.25 * draw.lognormal(-0.02, 0.2) * np.exp(0.2 * pace[int(10 * now)])
            found.append((now - 8, latency))
            now += latency
    sent, latency = np.array(found).T
    return sent, latency


@pytest.mark.parametrize("loop", [long_answers, slow_times])
def test_the_interval_of_a_closed_loops_rate_holds_it_where_ten_independent_batches_do_not(loop):
    draw, found = np.random.default_rng(21), []
    for _ in range(800):
        sent, latency = loop(draw)
        rates, tenths = batches(sent, latency, 25.0, BATCHES), batches(sent, latency, 25.0, 10)
        found.append((rates.mean(), rate_half_width(rates), t_975(9) * tenths.std(ddof=1) / 10**0.5))
    rate, half, old = np.array(found).T
    # shares of requests have no bias, so the mean of 800 windows is the truth; standard error of a share of 0.95 in 800: 0.8 %
    assert np.mean(abs(rate - rate.mean()) <= half) >= 0.93
    assert np.mean(abs(rate - rate.mean()) <= old) < 0.90
    assert np.median(half) <= 2 * np.median(old)


# --- means of few values ---


def log_normal(draw: np.random.Generator, shape: tuple[int, int], cv: float) -> np.ndarray:
    return draw.lognormal(-np.log1p(cv**2) / 2, np.log1p(cv**2) ** 0.5, shape)


def gamma(draw: np.random.Generator, shape: tuple[int, int], cv: float) -> np.ndarray:
    return draw.gamma(1 / cv**2, cv**2, shape)


@pytest.mark.parametrize("n", [5, 10, 20])
@pytest.mark.parametrize("cv", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("values_of", [log_normal, gamma])
def test_the_interval_of_a_few_skew_values_mean_holds_it(values_of: typing.Callable, cv: float, n: int):
    values = values_of(np.random.default_rng(22), (5000, n), cv)
    ends = [interval_of_mean(row.mean(), row.std(ddof=1) / n**0.5, n) for row in values]
    # standard error of a share of 0.95 in 5000: 0.3 %
    assert np.mean([low <= 1 <= high for low, high in ends]) >= 0.93
    if values_of is log_normal and cv == 1.0:  # Student's t without the logarithm: 86 to 90 in 100
        half = t_975(n - 1) * values.std(axis=1, ddof=1) / n**0.5
        assert np.mean(abs(values.mean(axis=1) - 1) <= half) < 0.91


def test_the_mean_of_nothing_but_zeros_is_known():
    assert interval_of_mean(0.0, 0.0, 20) == (0.0, 0.0)
