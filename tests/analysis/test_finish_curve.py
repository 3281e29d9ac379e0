"""When things finish that may fail, or be cut off while they are under way."""

import numpy as np
import pytest

from analysis.metrics.finish_curve import FinishCurve
from analysis.metrics.percentiles import percentile

Q = (0.5, 0.9, 0.95)


def curve(*entries):
    """(time, + finished, - failed, ~ cut)"""
    times, how = zip(*entries, strict=True)
    how = np.array(how)
    return FinishCurve(np.array(times, dtype=float), how != "~", how == "+")


def test_one_that_was_cut_leaves_its_weight_to_those_that_took_longer():
    # of four the first counts for 1/4; the second is cut at 3 s, so the last two share the other 3/4
    found = curve((2, "+"), (3, "~"), (4, "+"), (6, "+"))
    assert found.weights.tolist() == pytest.approx([1 / 4, 0, 3 / 8, 3 / 8])
    assert found.followed == pytest.approx(1.0)
    # 2/4 + 4 x 3/8 + 6 x 3/8 = 4.25, where those that finished alone have 4
    assert found.mean(found.time_s) == pytest.approx(4.25)
    # shares that have finished: 1/4 at 2 s, 5/8 at 4 s, 1 at 6 s
    assert [found.percentile(q).value for q in (0.25, 0.5, 0.95)] == [2, 4, 6]


def test_one_that_failed_never_finishes_and_its_cost_is_spread_over_those_that_did():
    found = curve((2, "+"), (3, "-"), (4, "+"), (5, "-"))
    assert found.weights.tolist() == pytest.approx([1 / 4] * 4)
    assert found.percentile(0.5).value == 4 and found.percentile(0.51) is None
    assert found.mean(found.time_s) == pytest.approx(3.0)
    # (10 + 20 + 30 + 40) / 2
    assert found.per_finished(np.array([10.0, 20, 30, 40])) == pytest.approx(50.0)


def test_where_the_longest_were_cut_their_share_could_not_be_followed():
    found = curve((2, "+"), (3, "+"), (5, "~"), (5, "~"))
    assert found.followed == pytest.approx(0.5)
    assert found.percentile(0.5).value == 3 and found.percentile(0.9) is None


def test_at_one_time_what_ended_comes_before_what_was_cut():
    # of three two are followed beyond 2 s or end there: 1/3 each, and the third's is not known
    assert curve((2, "~"), (2, "+"), (1, "+")).weights.tolist() == pytest.approx([0, 1 / 3, 1 / 3])


def test_without_any_that_finished_there_are_no_percentiles_and_no_mean():
    found = curve((2, "~"), (3, "-"))
    assert (
        found.percentile(0.5) is None and found.mean(found.time_s) is None and found.per_finished(found.time_s) is None
    )


@pytest.mark.parametrize("n", [1, 7, 100, 501])
def test_without_cuts_and_failures_it_is_the_plain_percentile_with_its_interval(n):
    times = np.random.default_rng(n).permutation(np.arange(1.0, n + 1))
    found = FinishCurve(times, np.ones(n, bool), np.ones(n, bool))
    assert found.mean(times) == pytest.approx(times.mean())
    for q in Q:
        plain, own = percentile(np.sort(times), q), found.percentile(q)
        assert (own.low, own.high) == (plain.low, plain.high)
        assert own.value == np.quantile(times, q, method="inverted_cdf")


def test_means_and_intervals_hold_where_a_third_is_cut():
    """Of exponential times of mean 10 s that are cut at random times up to 25 s, and of which every tenth fails."""
    rng, means, naive, held, runs = np.random.default_rng(3), [], [], 0, 400
    for _ in range(runs):
        true, cut = np.minimum(rng.exponential(10, 200), 24.0), rng.uniform(0, 25, 200)
        failing = rng.random(200) < 0.1
        ended = true <= cut
        found = FinishCurve(np.minimum(true, cut), ended, ended & ~failing)
        if found.followed > 0.95:
            means.append(found.mean(found.time_s))
            naive.append(found.time_s[found.finished].mean())
        p50 = found.percentile(0.5)
        # of all that begin half have finished when 1 - exp(-t / 10) = 0.5 / 0.9: t = 8.109
        held += p50.low <= 8.109 <= p50.high
    # mean of min(exponential, 24): 10 (1 - exp(-2.4)) = 9.09; its standard error over the runs is some 0.05
    assert np.mean(means) == pytest.approx(9.09, abs=0.35) and np.mean(naive) < 7.5
    assert 0.93 < held / runs <= 0.99


def test_what_each_brings_to_a_ratio_without_cuts_is_its_residual():
    found = curve((2, "+"), (3, "-"), (4, "+"), (5, "-"))
    # ratio (10 + 20 + 30 + 40) / 2 = 50; (values - 50 x finished) / (2 / 4)
    pulls = found.pulls(np.array([10.0, 20, 30, 40]))
    assert pulls.tolist() == pytest.approx([-80, 40, -40, 80])


def test_how_well_a_mean_is_known_with_cuts_is_as_by_leaving_each_out_in_turn():
    draw = np.random.default_rng(5)
    time, until = draw.gamma(4, 1, 400), draw.uniform(2, 14, 400)
    ended, finished = time <= until, draw.random(400) < 0.9
    times, usd = np.minimum(time, until), 3 + time + draw.normal(0, 0.5, 400)

    def without(n):
        kept = np.arange(400) != n
        return FinishCurve(times[kept], ended[kept], (ended & finished)[kept]).per_finished(usd[kept])

    each = np.array([without(n) for n in range(400)])
    jackknife = np.sqrt(399 / 400 * ((each - each.mean()) ** 2).sum())
    pulls = FinishCurve(times, ended, ended & finished).pulls(usd)
    assert pulls.mean() == pytest.approx(0, abs=1e-9)
    assert pulls.std(ddof=1) / 20 == pytest.approx(jackknife, rel=0.03)
