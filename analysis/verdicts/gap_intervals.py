"""Intervals of the gaps between a stream's deltas, for differences between stages.

Gaps of one request are alike, and so may be those of requests that follow each other: all gaps of a stage tell as much as G / d
independent ones. d is by how much the share of gaps above the percentile spreads over forty batches of whole requests, beside
gaps that were independent, and never below 1; so it is for the mean.

A percentile is known to its bin alone, and two that lie in neighbouring bins may be equal. Two of these intervals combine as a
root of squares (difference.py), so each is a bin / sqrt(2) wider at its ends: together then no less than that one bin.
"""

import math

import numpy as np
import pandas as pd

from analysis.metrics.gaps import counted_gaps
from analysis.metrics.percentiles import ranks
from analysis.runs.stage import Stage
from analysis.verdicts.intervals import Intervals
from analysis.verdicts.quantiles import T_95
from analysis.verdicts.serial_intervals import in_batches
from analysis.words.columns import METRICS
from analysis.words.value_text import Interval
from locustfiles.contract.gap_counts import LEAST_MS, RATIO, gap_counts, middle_ms
from locustfiles.contract.statistics.batch_means import MIN_VALUES, mean_half_width
from locustfiles.contract.statistics.binomial import LEVELS

_ITL = {c.path[1]: c for c in METRICS if c.path[0] == "itl"}
_BEYOND = RATIO ** (1.001 / math.sqrt(2))


def gap_intervals(stage: Stage) -> Intervals:
    """95 %, of the mean and the percentiles of a stage's inter-token latency; none under twenty streams."""
    streamed = counted_gaps(stage.good)
    streamed = streamed.take(np.argsort(streamed["ended"].to_numpy(), kind="stable"))
    if len(streamed) < MIN_VALUES:
        return {}
    try:
        request, bins, counts = _counts(streamed["gaps"])
    except ValueError:
        return {}
    each = np.bincount(request, weights=counts, minlength=len(streamed))
    spans = (streamed["last_token_ms"] - streamed["ttft_ms"]).to_numpy(dtype=float)
    mean = float(spans.sum() / each.sum())
    off = (spans - mean * each) / each.mean()
    half = max(mean_half_width(off) or 0.0, in_batches(off))
    found = {_ITL["mean"]: (max(0.0, mean - half), mean + half)}
    return found | {_ITL[name]: _interval(request, bins, counts, each, q) for name, q in LEVELS.items()}


def _counts(cells: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(number of the request, bin, how many gaps), of each count in the cells. Raises ValueError."""
    known: dict[str, tuple[int, int]] = {}  # a million cells hold some thousand different counts
    request, bins, counts = [], [], []
    for number, text in enumerate(cells):
        for word in text.split():
            if word not in known:
                ((k, n),) = gap_counts(word).items()
                known[word] = k, n
            request.append(number)
            bins.append(known[word][0])
            counts.append(known[word][1])
    return np.array(request), np.array(bins), np.array(counts, dtype=float)


def _interval(request: np.ndarray, bins: np.ndarray, counts: np.ndarray, each: np.ndarray, q: float) -> Interval:
    """Order statistics at the ranks that as many independent gaps as these stand for would have; 0 and infinity: no such end."""
    kinds, which = np.unique(bins, return_inverse=True)
    up_to = np.cumsum(np.bincount(which, weights=counts))
    gaps = float(up_to[-1])
    at = int(kinds[np.searchsorted(up_to, math.ceil(q * gaps - 1e-9))])
    alike = max(
        _alike(np.bincount(request, weights=counts * (bins <= k), minlength=len(each)), each) for k in (at - 1, at)
    )
    fewer = max(1, int(gaps / alike))
    low, high = ranks(fewer, q)
    first = None if low is None else math.floor((low - 1) / fewer * gaps)
    last = None if high is None else math.ceil(high / fewer * gaps) - 1
    return (
        0.0 if first is None else middle_ms(int(kinds[np.searchsorted(up_to, first, side="right")])) / _BEYOND,
        math.inf
        if last is None
        else max(LEAST_MS, middle_ms(int(kinds[np.searchsorted(up_to, last, side="right")])) * _BEYOND),
    )


def _alike(within: np.ndarray, each: np.ndarray) -> float:
    """d, of the share of gaps that lie within a bound: `within` of `each` request's."""
    gaps, share = float(each.sum()), float(within.sum() / each.sum())
    if not 0 < share < 1:
        return 1.0
    half = in_batches((within - share * each) / each.mean())
    return max(1.0, gaps * (half / T_95) ** 2 / (share * (1 - share)))
