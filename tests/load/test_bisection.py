"""The search for the highest level that keeps the limits: every truth is found, in few stages, and noise ends it too."""

import math
import random
import typing

import numpy as np
import pytest

from locustfiles.common.planning.bisection import LOOKS, RATE_STEP, Search
from locustfiles.contract.statistics.binomial import decide

MANY = 400  # visits after which a search is taken for endless


def run(search: Search, outcome) -> list[float]:
    """The levels in the order that they were measured; outcome: level -> met, missed or undecided."""
    asked = []
    while (level := search.next()) is not None:
        asked.append(level)
        assert len(asked) < MANY, f"no end: {asked[:12]} … {asked[-6:]}"
        search.note(level, outcome(level))
    return asked


def keeps_up_to(truth: float):
    return lambda level: "met" if level <= truth else "missed"


@pytest.mark.parametrize("up_to", [1, 2, 3, 50, 64])
def test_every_highest_level_is_found_in_a_few_stages_and_confirmed(up_to):
    # log2 doublings, as many halvings, two visits of the boundary again, and the first
    most = 2 * math.ceil(math.log2(up_to)) + 4
    for truth in range(up_to + 1):
        search = Search(up_to)
        asked = run(search, keeps_up_to(truth))
        assert (search.low or 0) == truth
        assert search.high == (truth + 1 if truth < up_to else None)
        assert search.confirmed
        assert len(asked) <= most, (truth, asked)
        assert all(level == int(level) and 1 <= level <= up_to for level in asked)
        for side in (search.low, search.high):
            assert side is None or asked.count(side) == 2


def test_a_search_by_hand():
    # doubles to the first that fails, halves 8 to 16, and measures 11 and 12 once more
    assert run(Search(64), keeps_up_to(11)) == [1, 2, 4, 8, 16, 12, 10, 11, 11, 12]
    assert run(Search(12), keeps_up_to(11)) == [1, 2, 4, 8, 12, 10, 11, 11, 12]
    assert run(Search(64), keeps_up_to(64)) == [1, 2, 4, 8, 16, 32, 64, 64]


def test_where_the_lowest_level_fails_there_is_no_answer_and_that_is_confirmed():
    search = Search(64)
    assert run(search, keeps_up_to(0)) == [1, 1]
    assert (search.low, search.high, search.confirmed) == (None, 1, True)


def test_what_is_undecided_does_not_pass():
    search = Search(64)
    asked = run(search, lambda level: "met" if level <= 4 else "undecided" if level <= 6 else "missed")
    assert asked == [1, 2, 4, 8, 6, 5, 4, 5]
    assert (search.low, search.high, search.confirmed) == (4, 5, True)


def test_where_nothing_is_decided_at_the_lowest_level_lower_rates_which_have_fewer_samples_are_not_tried():
    search = Search(8, "rate")
    assert run(search, lambda level: "undecided") == [1, 1]
    assert search.low is None
    assert run(Search(8, "rate"), lambda level: "missed")[:3] == [1, 0.5, 0.25]


def told(outcomes: dict[float, list[str]]):
    """Each level's outcomes in turn."""
    left = {level: list(said) for level, said in outcomes.items()}
    return lambda level: left[level].pop(0)


def test_a_boundary_that_says_two_things_is_not_confirmed():
    # 5 missed, then kept: nothing is known of 5, and the answer stays 4
    search = Search(8)
    met, missed = ["met", "met"], ["missed", "missed"]
    asked = run(search, told({1: met, 2: met, 4: met, 8: missed, 6: missed, 5: ["missed", "met"]}))
    assert asked == [1, 2, 4, 8, 6, 5, 4, 5]
    assert (search.low, search.high, search.confirmed) == (4, 5, False)


def test_a_level_that_is_missed_when_measured_again_is_no_answer():
    # 4 kept, then missed: 3 is measured, and is the answer beside a boundary of two minds
    search = Search(8)
    met, missed = ["met", "met"], ["missed", "missed"]
    asked = run(search, told({1: met, 2: met, 3: met, 4: ["met", "missed"], 5: missed, 6: missed, 8: missed}))
    assert asked == [1, 2, 4, 8, 6, 5, 4, 3, 3]
    assert (search.low, search.high, search.confirmed) == (3, 4, False)


def test_the_highest_level_asked_for_is_an_answer_only_when_it_was_kept_twice():
    search = Search(4)
    met, missed = ["met", "met"], ["missed", "missed"]
    asked = run(search, told({1: met, 2: met, 3: missed, 4: ["met", "missed"]}))
    assert asked == [1, 2, 4, 4, 3, 2, 3]
    assert (search.low, search.high, search.confirmed) == (2, 3, True)


def by_luck(draw: random.Random, luck: float):
    shares = [luck, 0.8 * (1 - luck), 0.2 * (1 - luck)]
    return lambda level: draw.choices(["met", "missed", "undecided"], shares)[0]


@pytest.mark.parametrize("of", ["users", "rate"])
@pytest.mark.parametrize("luck", [0.1, 0.5, 0.9])
def test_noise_ends_and_what_it_confirms_was_measured_twice_with_one_outcome(of, luck):
    unconfirmed = 0
    for seed in range(300):
        search = Search(64, of)
        run(search, by_luck(random.Random(seed), luck))
        sides = [side for side in (search.low, search.high) if side is not None]
        assert search.confirmed == all(
            len(search.outcomes[s]) >= 2 and len(set(search.outcomes[s])) == 1 for s in sides
        )
        assert search.low is None or set(search.outcomes[search.low]) == {"met"}
        assert None in (search.low, search.high) or search.low < search.high
        unconfirmed += not search.confirmed
    if luck == 0.5:
        assert unconfirmed > 100  # a coin is rarely of one mind at both sides


def test_levels_that_never_say_the_same_twice_end_unconfirmed():
    search = Search(64)
    asked = run(search, lambda level: "missed" if level in search.outcomes else "met")
    assert not search.confirmed
    assert len(asked) <= 2 * 64


@pytest.mark.parametrize("up_to", [0.5, 1.0, 10.0, 64.0, 1000.0])
def test_rates_are_found_to_a_tenth(up_to):
    lowest = max(up_to / 1024, 1 / 64)
    for truth in (lowest * 1.0627**step for step in range(1, math.ceil(math.log(1.5 * up_to / lowest, 1.0627)))):
        search = Search(up_to, "rate")
        asked = run(search, keeps_up_to(truth))
        if truth >= up_to:
            assert (search.low, search.high) == (up_to, None)
        else:
            assert search.low <= truth < search.high
            assert search.high / search.low < RATE_STEP
        assert search.confirmed
        # doublings or halvings to a factor of 2, four halvings of that to a tenth, the boundary again, the first
        assert len(asked) <= math.ceil(abs(math.log2(truth))) + 8, asked


def test_low_rates_are_found_too():
    for truth in (0.0011, 0.0034, 0.009, 0.0095, 0.0099, 0.02):
        search = Search(1.0, "rate")
        run(search, keeps_up_to(truth))
        assert search.low is not None and search.low <= truth < search.high


def test_a_rate_that_nothing_keeps_ends_at_a_thousandth_of_what_was_asked_for():
    search = Search(64.0, "rate")
    # 64 / 1024 = 0.0625
    assert run(search, keeps_up_to(0.0)) == [1, 0.5, 0.25, 0.125, 0.0625, 0.0625]
    assert (search.low, search.high, search.confirmed) == (None, 0.0625, True)


# --- how often a level is looked at ---


def looked_at(draw: np.random.Generator, share: float, windows: typing.Iterable[float]) -> str:
    """The outcome of a level of which `share` of the requests are above a limit on p95, 600 requests a window."""
    above = n = 0
    for until in windows:
        more = int(600 * until) - n
        above, n = above + draw.binomial(more, share), n + more
        if (said := decide(above, n, 0.95)) != "undecided":
            return said
    return "undecided"


def shares(share: float, windows: list[float], levels: int = 2000) -> dict[str, float]:
    draw = np.random.default_rng(7)
    said = [looked_at(draw, share, windows) for _ in range(levels)]
    return {state: said.count(state) / levels for state in ("met", "missed")}


def test_a_level_exactly_at_its_limit_is_called_met_five_times_in_a_hundred():
    """5 % of the requests above p95's limit is what it allows. A look alone may be wrong in 2.5 of 100, on each side; the
    standard error of 5 % in 2000 is 0.5 %."""
    at_limit = shares(0.05, LOOKS)
    assert 0.035 <= at_limit["met"] <= 0.065 and 0.035 <= at_limit["missed"] <= 0.065
    assert shares(0.05, LOOKS[:1])["met"] <= 0.025 + 3 * 0.0035
    # looking every 300th part of the longest window instead
    every = [1 + n / 100 for n in range(301)]
    assert shares(0.05, every, 500)["met"] > at_limit["met"] + 0.02


def test_levels_off_their_limit_are_told_from_it():
    assert shares(0.065, LOOKS)["met"] < 0.002 and shares(0.065, LOOKS)["missed"] > 0.80
    assert shares(0.03, LOOKS)["met"] > 0.98 and shares(0.03, LOOKS)["missed"] < 0.001
