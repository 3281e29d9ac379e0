"""The measured successes as the plots take them: a number of each, and which stage's mark it belongs to."""

import dataclasses
import functools
import itertools
import typing

import numpy as np

Times = typing.Literal["prompt_tokens", "latency_ms", "ttft_ms"]
NAMES: tuple[Times, ...] = typing.get_args(Times)


@dataclasses.dataclass(frozen=True)
class Points:
    """at: the number of each point's mark; numbers: NaN where not known."""

    at: np.ndarray
    numbers: dict[Times, np.ndarray]

    def __len__(self) -> int:
        return len(self.at)

    def where(self, chosen: np.ndarray) -> "Points":
        """chosen: a mask, or places."""
        return Points(self.at[chosen], {name: numbers[chosen] for name, numbers in self.numbers.items()})

    def known(self, *names: Times) -> np.ndarray:
        """A mask: where none of these is missing."""
        return np.logical_and.reduce([~np.isnan(self.numbers[name]) for name in names])

    @functools.cached_property
    def _by_mark(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(the marks that have points, where each one's begin in the order, the order)."""
        order = np.argsort(self.at, kind="stable")
        marks, begins = np.unique(self.at[order], return_index=True)
        return marks, np.append(begins, len(order)), order

    @functools.cached_property
    def _places(self) -> dict[int, np.ndarray]:
        """Mark -> where its points are."""
        found, begins, order = self._by_mark
        return {mark: order[begins[n] : begins[n + 1]] for n, mark in enumerate(found.tolist())}

    @property
    def marks(self) -> set[int]:
        """Those that have points."""
        return set(self._places)

    def of(self, marks: typing.Iterable[int], name: Times) -> np.ndarray:
        """What is known of the points of these marks."""
        parts = [self._places[mark] for mark in sorted(marks) if mark in self._places]
        values = self.numbers[name][np.concatenate(parts)] if parts else np.array([])
        return values[~np.isnan(values)]


def thinned(points: Points, most: int, of: Times) -> Points:
    """So many of them, drawn at random, in random order, and behind these each mark's smallest and largest: a picture of some must
    not hide how far all reach."""
    n = len(points)
    drawn = np.random.RandomState(0).choice(n, size=min(n, most), replace=False)
    if n <= most:
        return points.where(drawn)
    _, begins, order = points._by_mark
    ends = []
    for begin, end in itertools.pairwise(begins.tolist()):
        values = points.numbers[of][order[begin:end]]
        ends += [order[begin + int(values.argmin())], order[begin + int(values.argmax())]]
    return points.where(np.concatenate((drawn, np.setdiff1d(ends, drawn))))
