"""How the deltas of a stream were spaced."""

import operator

from locustfiles.contract.gap_counts import gap_text


def spaced(times: list[float]) -> tuple[int, float | None, str | None]:
    """(deltas, longest gap in s, counts of the gaps); times: when each came, perf_counter seconds, rising."""
    gaps = list(map(operator.sub, times[1:], times))
    return len(times), max(gaps, default=None), gap_text(gaps)
