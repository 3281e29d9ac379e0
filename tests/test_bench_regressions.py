"""Simulated runs whose truth is known: how often a regression is said where there is none, and where there is one."""

import numpy as np
import pytest

from analysis.verdicts.proportions import Share, wilson
from analysis.verdicts.serial_intervals import memory, quantile_interval
from scripts.bench.regressions import CASES, Tally, main, row_of, tallied
from scripts.bench.simulated_runs import Truth, simulated_run


def test_without_a_difference_nothing_is_said_and_one_of_8_percent_is_seen_where_the_samples_suffice():
    # the seed decides; over 200 repetitions see scripts/bench/README.md
    tally = tallied(CASES["plain"], 9, seed=5)
    assert tally.alarms == 0 and tally.pairs == 9
    assert len(tally.seen_over) >= 9 and not tally.failed


def test_levels_that_remember_are_no_reason_for_an_alarm():
    tally = tallied(CASES["memory"], 4, seed=5)
    assert tally.alarms == 0


def test_what_was_not_reached_is_said():
    assert Tally(100, 6, [True] * 8, [False] * 3).failed == [
        "6 of 100 pairs that do not differ had a false alarm",
        "of 11 differences that would be seen 8 were",
    ]
    assert Tally(100, 5, [True] * 8, [True] * 2).failed == []
    assert row_of(CASES["plain"], Tally(100, 5, [True, False], []))[-5:] == ["5", "2", "50%", "0", "–"]


def test_a_simulated_run_is_what_its_truth_says():
    run = simulated_run(Truth(error_rate=0.1, window_s=200, users=(4,)), np.random.default_rng(3))
    measured = run.records[run.records["phase"] == "measure"]
    # 4 users, one after the other, of mean e^0.045 = 1.046 s: 800 / 1.046 = 765
    assert len(measured) == pytest.approx(765, abs=40)
    assert measured["latency_ms"].median() == pytest.approx(1000, rel=0.05)
    assert measured["error"].notna().mean() == pytest.approx(0.1, abs=0.03)


def test_requests_that_are_alike_tell_less():
    draw = np.random.default_rng(2)
    apart = draw.random(1000) < 0.5
    assert 1.0 <= memory(apart) < 2.0
    # each told five times: a fifth of them is independent
    assert memory(np.repeat(draw.random(200) < 0.5, 5)) == pytest.approx(5, rel=0.5)
    assert memory(np.array([True, False] * 9)) == 1.0 and memory(np.zeros(500, dtype=bool)) == 1.0


def test_the_interval_of_a_percentile_is_that_of_as_many_independent_values():
    values = np.random.default_rng(4).permutation(np.arange(1.0, 101.0))
    low, high = quantile_interval(values, 0.5)
    # of 100 values ranks 40 and 61 (binomial, 1/2); wider where these happen to be alike
    assert low <= 40 and high >= 61 and high - low < 45
    assert quantile_interval(values[:10], 0.95)[1] == np.inf and quantile_interval(values[:3], 0.5)[0] == 0.0
    slow = np.concatenate([np.arange(1.0, 51.0), np.arange(51.0, 101.0)])  # ever slower: nothing is known of the median
    drifting = quantile_interval(slow, 0.5)
    assert drifting[1] - drifting[0] > 2 * (high - low)
    assert wilson(Share(0.0, 50))[0] == 0.0


def test_the_command_prints_a_table_and_refuses_what_is_no_case(capsys):
    assert main(["--repetitions", "1", "--only", "plain", "--seed", "5"]) == 0
    assert "| independent requests | 30 to 960 | 0% | 1 | 0 |" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    with pytest.raises(SystemExit):
        main(["--repetitions", "0"])
