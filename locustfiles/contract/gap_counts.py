"""The gaps between the deltas of a stream, counted: a histogram in a few characters, so that a stage's inter-token latency has
percentiles.

Bin 0 holds gaps below 0.01 ms, of deltas that were read at once; bin k from 0.01 ms x 1.05^(k - 1) to 0.01 ms x 1.05^k. The
middle of a bin (geometric) is within 2.5 % of each of its gaps. Ten minutes are in bin 368: no text has more counts than that.
"""

import collections
import math
import re
import typing

LEAST_MS, RATIO = 0.01, 1.05
KNOWN_TO = RATIO**0.5 - 1  # a percentile's relative error, at most
_COUNT = re.compile(r"([0-9]{1,4})(?:\*([1-9][0-9]{0,9}))?")  # a bin and how often, as gap_text writes them
_LAST = 500  # no call takes the 100 hours of that bin
_PER_LOG = 1 / math.log(RATIO)
_SHIFT = 1 - math.log(LEAST_MS / 1000) * _PER_LOG


def gap_text(gaps_s: typing.Iterable[float]) -> str | None:
    """[0.0201, 0.0203, 0.05] -> `156*2 175`: bin and count, a count of one left out. None without a gap.

    gaps_s: seconds, in any order.
    """
    least, log = LEAST_MS / 1000, math.log
    bins = collections.Counter([int(log(gap) * _PER_LOG + _SHIFT) if gap >= least else 0 for gap in gaps_s])
    return " ".join(f"{k}*{n}" if n > 1 else str(k) for k, n in sorted(bins.items())) or None


def gap_counts(text: str) -> dict[int, int]:
    """`156*2 175` -> {156: 2, 175: 1}. Raises ValueError."""
    found: dict[int, int] = {}
    for cell in text.split():
        count = _COUNT.fullmatch(cell)
        if not count or int(count[1]) > _LAST:
            raise ValueError(f"`{cell[:40]}` is no count of gaps")
        found[int(count[1])] = found.get(int(count[1]), 0) + int(count[2] or 1)
    return found


def middle_ms(k: int) -> float:
    """Of a bin, ms; 0 of the first."""
    return LEAST_MS * RATIO ** (k - 0.5) if k else 0.0
