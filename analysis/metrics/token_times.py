"""How fast the tokens of streams were written, and whether somebody on the way held them back."""

import pandas as pd

AT_ONCE_MS = 0.1  # a delta: no model writes 10,000 of them a second, but a buffer that is read empty hands them over so
HELD_BACK = 0.5  # of the streams: the rule, not chance


def tpot_ms(records: pd.DataFrame) -> pd.Series:
    """Time per output token after the first, ms: (last_token - ttft) / (completion_tokens - 1).

    NaN with fewer than two deltas or tokens (where imported deltas were not counted: no time between first and last), where all deltas came
    in one read, and where reasoning was billed that the answer does not show: its tokens are in the count but not in the time.
    Where most streams came at once, all that did are out.
    """
    # a load test knows the deltas but of several choices, whose times are not one stream's; of imported files, whose clients were
    # not watched either, some tools do not count them
    uncounted = records["chunks"].isna() & records["lag_ms"].isna()
    several = (records["chunks"] >= 2) | (uncounted & (records["last_token_ms"] > records["ttft_ms"]))
    known = several & (records["completion_tokens"] >= 2) & (records["hidden_reasoning"] != 1)
    at_once = came_at_once(records)
    held = at_once if held_back(records) else at_once & (records["last_token_ms"] <= records["ttft_ms"])
    tokens = (records["completion_tokens"] - 1).where(known & ~held)
    return (records["last_token_ms"] - records["ttft_ms"]) / tokens


def came_at_once(records: pd.DataFrame) -> pd.Series:
    """Streams of several deltas that could be read at the same moment, in one read or a few that followed each other."""
    span_ms = records["last_token_ms"] - records["ttft_ms"]
    return (records["chunks"] >= 2) & (span_ms < AT_ONCE_MS * (records["chunks"] - 1))


def held_back(records: pd.DataFrame) -> bool:
    """Whether most of the streams came at once; answers of one delta cannot tell."""
    return bool(came_at_once(records).sum() > HELD_BACK * (records["chunks"] >= 2).sum())
