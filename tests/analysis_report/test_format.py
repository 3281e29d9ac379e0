"""Numbers in words: dashes, dollars, digits, shares, times."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.words import format as show


@pytest.mark.parametrize("unknown", [None, math.nan, np.nan, pd.NA, pd.NaT, math.inf, -math.inf, ""])
def test_the_unknown_is_a_dash_in_every_format(unknown):
    for words in (
        show.money,
        show.number,
        show.count,
        show.percent,
        show.seconds,
        show.milliseconds,
        show.utc,
        show.text,
    ):
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
    [
        (0, "0"),
        (0.36, "0.360"),
        (1.4832, "1.48"),
        (99.96, "100"),
        (0.9996, "1.00"),
        (9296.4, "9,296"),
        (-0.0312, "-0.0312"),
    ],
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
    assert (show.seconds(0.0312), show.seconds(0.1), show.seconds(263.55), show.seconds(0)) == (
        "31.2 ms",
        "0.100 s",
        "264 s",
        "0 s",
    )


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        (37.688, "$37.688"),
        (1.515, "$1.515"),
        (6e-5, "$0.00006"),
        (0.00000875, "$0.00000875"),
        (7, "$7"),
        (1e21, "$1" + "0" * 21),
    ],
)
def test_a_price_is_printed_as_its_book_has_it(usd, words):
    assert show.price(usd) == words


@given(st.floats(0, 1e6))
def test_every_price_reads_back_as_the_same_number_and_has_no_exponent(usd):
    words = show.price(usd)
    assert float(words.removeprefix("$")) == usd
    assert "e" not in words.lower()


def test_a_span_is_one_figure_where_both_ends_read_the_same():
    assert show.span(0.5741, 0.7061) == "$0.5741 to $0.7061"
    assert show.span(3.901, 3.902) == "$3.90"
    assert show.span(3.9, None) == "$3.90 or more"
    assert show.span(None, None) == "–"
