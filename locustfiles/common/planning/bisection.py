"""The search for the highest level that keeps the limits: which level comes next, and what was found. Pure.

It doubles from 1 until a level fails, halves the span between the last level that passed and the first that failed,
and then measures both once more: the answer is confirmed when each says the same twice.
"""

import dataclasses
import typing

from locustfiles.contract.scenario.loads import Find, Level

RATE_STEP = 1.1  # rates closer than this are not told apart
LOWEST_RATE = 1 / 16  # a search looks down to this, or to a thousandth of what is asked for
CONFIRM = 2
#: A search looks at its limits when so many windows are over, and ends at the first look that decides. Each look calls a
#: level whose share above a limit is exactly the one allowed met in at most 2.5 of 100, all three together in about 5; looking
#: all the time would do so in about 10. The boundary, which is measured twice, is wrong both times in 1 of 400.
LOOKS = (1, 2, 4)


@dataclasses.dataclass(slots=True)
class Search:
    """`up_to`: the highest level that is asked for; `of`: users (whole numbers) or rate (requests/s)."""

    up_to: float
    of: typing.Literal["users", "rate"] = "users"
    outcomes: dict[float, list[str]] = dataclasses.field(default_factory=dict)  # level -> met, missed or undecided

    @property
    def first(self) -> float:
        """The level that it begins with."""
        return min(self.up_to, 1)

    def note(self, level: float, outcome: str) -> None:
        self.outcomes.setdefault(level, []).append(outcome)

    def passes(self, level: float) -> bool:
        """Whether a level counts as one that keeps the limits: every visit of it did."""
        return set(self.outcomes[level]) == {"met"}

    @property
    def low(self) -> float | None:
        """The highest level below `high` that passed."""
        below = [n for n in self.outcomes if self.passes(n) and (self.high is None or n < self.high)]
        return max(below, default=None)

    @property
    def high(self) -> float | None:
        """The lowest level that did not pass."""
        return min((n for n in self.outcomes if not self.passes(n)), default=None)

    def next(self) -> float | None:
        """The level to measure now; None when the search is over."""
        low, high = self.low, self.high
        if high is None:
            if low is not None and low >= self.up_to:
                return self._unconfirmed(low)
            return self.first if low is None else min(self.up_to, 2 * low)
        between = self._between(low, high)
        return between if between is not None else self._unconfirmed(low, high)

    def _between(self, low: float | None, high: float) -> float | None:
        if self.of == "users":
            middle = ((low or 0) + high) // 2
            return middle if (low or 0) < middle < high else None
        if low is None:  # where nothing is decided, lower rates have fewer samples still
            down = "missed" in self.outcomes[high] and high > min(self.up_to / 1024, LOWEST_RATE)
            return high / 2 if down else None
        return None if high / low < RATE_STEP else float(f"{(low * high) ** 0.5:.6g}")

    def _unconfirmed(self, *levels: float | None) -> float | None:
        return next((n for n in levels if n is not None and len(self.outcomes[n]) < CONFIRM), None)

    @property
    def confirmed(self) -> bool:
        """Whether the boundary was measured twice, each side with one outcome."""
        sides = [n for n in (self.low, self.high) if n is not None]
        return bool(sides) and all(len(self.outcomes[n]) >= CONFIRM and len(set(self.outcomes[n])) == 1 for n in sides)


def way(find: Find, end: float, decides: typing.Callable[[Level], bool] = lambda level: True) -> list[Level]:
    """The levels of a search whose limits hold up to `end`; those that cannot be decided are not met."""
    search, levels = Search(find.up_to, find.of), list[Level]()
    while (n := search.next()) is not None:
        levels.append(Level(int(n), None) if find.of == "users" else Level(None, n))
        search.note(n, "undecided" if not decides(levels[-1]) else "met" if n <= end else "missed")
    return levels
