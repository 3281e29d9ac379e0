"""Inter-token latency: the gaps between the deltas of streams, from the counts that each record has of its own."""

import collections

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.runs.rows import Rows
from analysis.words.gap_figures import InterToken
from locustfiles.contract.gap_counts import gap_counts, middle_ms
from locustfiles.contract.statistics.binomial import LEVELS

AT_ONCE = 20_000  # cells, whose words are in memory together


def inter_token(successes: Rows) -> InterToken:
    """Of all gaps of the streamed successes together; nothing is known of files that have no counts of them, or where one of
    the counts cannot be read."""
    streamed = counted_gaps(successes)
    if streamed.empty:
        return InterToken()
    try:
        bins = _added(streamed["gaps"])
    except ValueError:
        return InterToken()
    middles = np.array([middle_ms(k) for k in sorted(bins)])
    up_to = np.cumsum([bins[k] for k in sorted(bins)])
    gaps = int(up_to[-1])
    span_ms = float((streamed["last_token_ms"] - streamed["ttft_ms"]).sum())
    # the value at rank ceil(q n): the least that so large a share of the gaps does not exceed
    found = {name: float(middles[np.searchsorted(up_to, np.ceil(q * gaps - 1e-9))]) for name, q in LEVELS.items()}
    return InterToken(mean=span_ms / gaps, max=float(streamed["max_gap_ms"].max()), gaps=gaps, **found)


def counted_gaps(successes: Rows) -> Rows:
    """The streamed ones that have counts of their gaps."""
    return successes[(successes["chunks"] >= 2) & successes["gaps"].notna()]


def _added(cells: pd.Series) -> collections.Counter[int]:
    """Bin -> how many gaps, of all cells. Raises ValueError.

    Hardly two cells are alike, but a million of them hold some thousand different counts: each of these is read once.
    """
    words: collections.Counter[str] = collections.Counter()
    texts = pa.chunked_array(pa.array(cells, pa.string(), from_pandas=True))
    for at in range(0, len(texts), AT_ONCE):
        some = pc.split_pattern(texts.slice(at, AT_ONCE).combine_chunks(), " ").flatten().value_counts()
        for word, times in zip(some.field(0).to_pylist(), some.field(1).to_pylist(), strict=True):
            words[word] += times
    bins: collections.Counter[int] = collections.Counter()
    for word, times in words.items():
        for k, n in gap_counts(word).items():
            bins[k] += n * times
    return bins
