"""Percentiles and the ranks that bound them."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.metrics.percentiles import percentile, ranks, spread, with_failures
from analysis.words.spread import Spread
from locustfiles.contract.statistics.binomial import ALPHA, at_least, at_most, decide


def exactly(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


@settings(max_examples=150)
@given(n=st.integers(1, 300), share=st.floats(0, 1), p=st.sampled_from([0.01, 0.05, 0.5, 0.95, 0.99]))
def test_binomial_tails_agree_with_the_sum_of_their_terms(n, share, p):
    k = round(share * n)
    assert at_most(k, n, p) == pytest.approx(sum(exactly(i, n, p) for i in range(k + 1)), abs=1e-9)
    assert at_least(k, n, p) == pytest.approx(sum(exactly(i, n, p) for i in range(k, n + 1)), abs=1e-9)


@settings(max_examples=150)
@given(n=st.integers(1, 400), q=st.sampled_from([0.5, 0.95, 0.99]))
def test_ranks_are_the_tightest_that_keep_the_error_of_each_side(n, q):
    below = np.cumsum([exactly(i, n, q) for i in range(n + 1)])  # P(B <= i)
    low = max((r for r in range(1, n + 1) if below[r - 1] <= ALPHA), default=None)
    high = min((r for r in range(1, n + 1) if 1 - below[r - 1] <= ALPHA), default=None)
    assert ranks(n, q) == (low, high)


def test_the_interval_of_p95_has_an_upper_end_from_72_values_on_and_p99_from_368():
    # 0.95^71 = 0.0262 > 0.025 >= 0.95^72 = 0.0249; 0.99^367 = 0.02501 > 0.025 >= 0.99^368 = 0.0248
    assert ranks(71, 0.95)[1] is None
    assert ranks(72, 0.95)[1] == 72
    assert ranks(367, 0.99)[1] is None
    assert ranks(368, 0.99)[1] == 368


def test_the_median_of_a_hundred_values_lies_between_the_40th_and_the_61st():
    # the textbook ranks: P(B <= 39) = 0.0176, P(B <= 40) = 0.0284 for B binomial (100, 1/2)
    found = percentile(np.arange(1.0, 101.0), 0.5)
    assert (found.value, found.low, found.high) == (50.5, 40.0, 61.0)


def test_a_million_values_have_an_interval():
    # normal approximation: 950,000 +- 1.96 x sqrt(1e6 x 0.95 x 0.05) = 950,000 +- 427.2
    low, high = ranks(1_000_000, 0.95)
    assert low == pytest.approx(950_000 - 427, abs=3)
    assert high == pytest.approx(950_000 + 428, abs=3)


def test_mean_and_percentiles_are_numpys_linear_ones():
    values = np.array([4.0, 1.0, 3.0, 2.0])
    found = spread(values)
    assert (found.n, found.mean) == (4, 2.5)
    # position 0.95 x 3 = 2.85 between 3 and 4
    assert found.p95 == pytest.approx(3.85)
    assert found.p95_high is None
    assert spread(np.array([])) == Spread(n=0)


def test_a_limit_is_undecided_until_there_are_enough_values():
    # none above p95's limit: 0.95^71 > 0.025, so 71 values prove nothing
    assert decide(above=0, n=71, q=0.95) == "undecided"
    assert decide(above=0, n=72, q=0.95) == "met"
    # P(B >= 3), B binomial (10, 0.05) = 0.0115: three of ten above is proof enough
    assert decide(above=3, n=10, q=0.95) == "missed"
    assert decide(above=2, n=10, q=0.95) == "undecided"  # 0.0861
    assert decide(above=0, n=0, q=0.95) == "undecided"


@settings(max_examples=200)
@given(
    values=st.lists(st.integers(0, 50), min_size=1, max_size=120),
    limit=st.integers(0, 50),
    q=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_the_test_and_the_interval_never_contradict_each_other(values, limit, q):
    found = percentile(np.sort(np.array(values, dtype=float)), q)
    state = decide(sum(v > limit for v in values), len(values), q)
    assert (state == "met") == (found.high is not None and found.high <= limit)
    assert (state == "missed") == (found.low is not None and found.low > limit)


def all_of(values, failures):
    """p50, p90, p95, p99 and p99.9 of successes and failures together."""
    return dataclasses.astuple(with_failures(values, failures))


def test_a_failure_counts_as_infinity_among_the_percentiles():
    # 100 values: p95 lies at 0.95 x 99 = 94.05, between the 95th and the 96th; with 5 failures the 96th is one
    assert all_of(np.arange(1.0, 101.0), 0) == pytest.approx((50.5, 90.1, 95.05, 99.01, 99.901))
    assert all_of(np.arange(1.0, 96.0), 5) == (50.5, pytest.approx(90.1), math.inf, math.inf, math.inf)
    # 101 values: p95 is exactly the 96th, which succeeded, whatever the 97th did
    assert all_of(np.arange(1.0, 97.0), 5) == (51.0, 91.0, 96.0, math.inf, math.inf)
    assert all_of(np.array([]), 3) == (math.inf,) * 5
    assert all_of(np.array([]), 0) == (None,) * 5


@settings(max_examples=100)
@given(values=st.lists(st.integers(0, 50), min_size=1, max_size=60), failures=st.integers(0, 30))
def test_percentiles_with_failures_are_those_of_very_slow_answers(values, failures):
    slow = 1e12  # stands for never
    plain = np.percentile(np.array([*values, *[slow] * failures], dtype=float), [50, 90, 95, 99, 99.9])
    for found, expected in zip(all_of(np.array(values, dtype=float), failures), plain, strict=True):
        assert found == pytest.approx(expected) if expected < 1e6 else found == math.inf
