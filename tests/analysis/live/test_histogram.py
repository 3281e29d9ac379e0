"""Percentiles from counts: within 0.1 % of the exact ones, and the same however the counts were put together."""

import numpy as np
import pytest

from analysis.live.histogram import COARSE, FINE, LEAST, Bins, Histogram
from analysis.metrics.percentiles import percentile

WITHIN = 0.001


def filled(values, width=FINE):
    made = Histogram(Bins(width))
    made.add(np.asarray(values, dtype=float))
    return made


@pytest.mark.parametrize("n", [1, 2, 19, 72, 500, 20_000])
def test_percentiles_and_their_intervals_are_within_a_tenth_of_a_percent(n):
    values = np.random.default_rng(n).lognormal(-1, 1.5, n)
    for q in (0.5, 0.95, 0.99):
        found, exact = filled(values).percentile(q), percentile(np.sort(values), q)
        for told, true in zip(found, exact, strict=True):
            assert (told is None) == (true is None)  # "wide" where the exact one is
            assert told is None or told == pytest.approx(true, rel=WITHIN)


def test_a_histogram_of_parts_is_that_of_the_whole():
    values = np.random.default_rng(1).exponential(2.0, 1000)
    one, other = filled(values[:300]), filled(values[300:])
    assert (one.counts + other.counts == filled(values).counts).all()


def test_what_is_not_known_is_not_counted_and_nothing_has_no_percentile():
    assert filled([]).percentile(0.5) is None
    assert filled([np.nan]).quantiles(0.5, 0.95) == [None, None]
    assert filled([np.nan, 4.0]).n == 1


def test_times_of_nothing_and_beyond_all_measure_have_a_place():
    found = filled([0.0, 0.0, 0.0, 1e9])
    assert found.percentile(0.5).value == 0.0
    assert found.quantiles(1.0)[0] == pytest.approx(1e5, rel=WITHIN)
    assert filled([LEAST / 10]).percentile(0.5).value == 0.0


def test_charts_have_coarser_bins():
    values = np.random.default_rng(2).lognormal(0, 1, 3000)
    found = filled(values, COARSE).quantiles(0.5, 0.95)
    assert found == pytest.approx(list(np.quantile(values, [0.5, 0.95])), rel=0.01)
    assert Bins(COARSE).number * 5 < Bins(FINE).number
