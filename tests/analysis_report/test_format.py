import math

import numpy as np
import pandas as pd
import pytest

from analysis import format as show


@pytest.mark.parametrize("unknown", [None, math.nan, np.nan, pd.NA, pd.NaT, math.inf, -math.inf, ""])
def test_the_unknown_is_a_dash_in_every_format(unknown):
    for words in (show.money, show.number, show.count, show.percent, show.seconds, show.milliseconds, show.minutes, show.text):
        assert words(unknown) == "–"


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        (0, "$0.00"), (0.00221625, "$0.002216"), (0.5, "$0.50"), (0.99999, "$1.00"), (22.1625, "$22.16"), (3.902828, "$3.90"),
        (9_999.5, "$9,999.50"), (12_345.6, "$12,346"), (-3, "-$3.00"), (1e-7, "$0.0000001"),
    ],
)  # fmt: skip
def test_dollars_have_cents_from_one_dollar_on_and_four_digits_below(usd, words):
    assert show.money(usd) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (0.36, "0.360"), (1.4832, "1.48"), (99.96, "100"), (0.9996, "1.00"), (9296.4, "9,296"), (-0.0312, "-0.0312")],
)
def test_numbers_keep_three_significant_digits_and_never_lose_whole_ones(value, words):
    assert show.number(value) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (0.0625, "6.25 %"), (1, "100 %"), (1e-6, "< 0.01 %"), (0.999999, "> 99.99 %"), (0.2, "20 %")],
)
def test_a_share_that_is_not_0_never_reads_0_percent(share, words):
    assert show.percent(share) == words


def test_short_times_are_in_milliseconds():
    assert (show.seconds(0.0312), show.seconds(0.1), show.seconds(263.55), show.seconds(0)) == ("31.2 ms", "0.100 s", "264 s", "0 s")
