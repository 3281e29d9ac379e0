"""Draws by weight: seeded, and in every block each choice as often as its weight says."""

import random
import typing


class ShuffledBlocks:
    """An endless iterator over the numbers of choices: a shuffled block in which choice n stands `counts[n]` times, then another.

    Shares are met to the request at every block's end, not on average alone.
    """

    def __init__(self, counts: typing.Sequence[int], seed_text: str) -> None:
        if not any(counts):
            raise ValueError("nothing to draw from")
        self._random = random.Random(seed_text)
        self._block = [n for n, count in enumerate(counts) for _ in range(count)]
        self._next = len(self._block)

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> int:
        if self._next == len(self._block):
            self._random.shuffle(self._block)
            self._next = 0
        self._next += 1
        return self._block[self._next - 1]
