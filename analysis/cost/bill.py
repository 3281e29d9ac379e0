"""What a token priced service bills for each call, in USD, with bounds where it cannot be known."""

import typing

import numpy as np
import pandas as pd

from analysis.runs.token_totals import MAX_UNCOUNTED
from locustfiles.contract.error_classes import UNBILLED
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.scenario.remedies import NO_COUNTS
from locustfiles.contract.statistics.batch_means import MIN_VALUES
from locustfiles.contract.statistics.student_t import interval_of_mean

MIN_BILLS = 5  # of which an interval is told


class Bill(typing.NamedTuple):
    """A sum of calls, USD; None where it cannot be known, and then `reason` says why."""

    low: float | None  # failures of unknown tokens billed nothing
    high: float | None  # billed their prompt and max_tokens; None: they have no upper bound
    successes: float | None  # the successes' part, alike in both
    standard_error: float | None  # of the successes' part
    reason: str | None


def bill(records: pd.DataFrame, price: TokenPrice, max_tokens: int | None) -> Bill:
    """The bill of these calls.

    Successes are billed by their token counts; up to 1 % of them may lack one and are taken at the mean
    of the others. Failures: nothing for the classes in UNBILLED, unless output had come; others their tokens where
    known, else 0 to prompt + max_tokens; a broken stream from what it had counted on. A cancelled call counts as a failure
    of unknown tokens.
    """
    by_tokens = usd_by_tokens(records, price)
    good = records["error"].isna().to_numpy()
    known = by_tokens[good & ~np.isnan(by_tokens)]
    n = int(good.sum())
    if n and (n - len(known)) > MAX_UNCOUNTED * n:
        return Bill(None, None, None, None, _why_unbilled(records[good], price, n - len(known), n))
    successes = float(known.mean() * n) if n else 0.0
    error = float(known.std(ddof=1) / np.sqrt(len(known)) * n) if len(known) > 1 else None
    low, high = _failures(records, ~good, by_tokens, price, max_tokens)
    reason = None if high is not None else _why_unbounded(max_tokens)
    return Bill(successes + low, None if high is None else successes + high, successes, error, reason)


def interval_of(billed: Bill, successes: int) -> tuple[float, float] | None:
    """95 % interval of the cost of a transaction, USD: the bounds of the bill, widened by the spread of the successes' bills.

    None without an upper bound, under five successes, whose spread says next to nothing, and under twenty that are all alike:
    a rarer kind may not have come yet.
    """
    n, certain = successes, billed.successes
    if billed.low is None or billed.high is None or certain is None or billed.standard_error is None or n < MIN_BILLS:
        return None
    if n < MIN_VALUES and billed.standard_error <= 1e-9 * certain:
        return None
    mean = certain / n
    low, high = interval_of_mean(mean, billed.standard_error / n, n)
    return billed.low / n - (mean - low), billed.high / n + (high - mean)


def unbilled(records: pd.DataFrame) -> np.ndarray:
    """Which calls are billed nothing: those refused, unless output had come, which even a throttle in mid-stream may bill."""
    return (records["error"].isin(list(UNBILLED)) & records["ttft_ms"].isna()).to_numpy()


def usd_by_tokens(records: pd.DataFrame, price: TokenPrice) -> np.ndarray:
    """USD of each call by its token counts; NaN where a count, or the price of a counted kind, is not known."""
    return prompt_usd(records, price) + records["completion_tokens"].to_numpy() / 1000 * price.output


def prompt_usd(records: pd.DataFrame, price: TokenPrice) -> np.ndarray:
    """The prompt's part of it, tokens read from and written to a cache included."""
    usd = records["prompt_tokens"].to_numpy() / 1000 * price.input
    for column, per_1k in (("cache_read_tokens", price.cache_read), ("cache_write_tokens", price.cache_write)):
        tokens = records[column].fillna(0).to_numpy()
        usd = usd + np.where(tokens > 0, tokens / 1000 * (np.nan if per_1k is None else per_1k), 0.0)
    return usd


def _failures(
    records: pd.DataFrame, failed: np.ndarray, by_tokens: np.ndarray, price: TokenPrice, max_tokens: int | None
) -> tuple[float, float | None]:
    """(low, high) USD of the failed calls together."""
    began, refused = records["ttft_ms"].notna().to_numpy(), unbilled(records)
    counted, whole = (
        np.nan_to_num(by_tokens),
        ~np.isnan(by_tokens) & ~began,
    )  # a stream's count may have grown after the break
    may_bill = failed & ~refused
    low = float(counted[may_bill].sum())
    if not (may_bill & ~whole).any():
        return low, low
    if max_tokens is None:
        return low, None
    most = _prompt_usd(records, price) + max_tokens / 1000 * price.output
    more = np.maximum(most - counted, 0.0)[may_bill & ~whole]
    return low, (None if np.isnan(more).any() else low + float(more.sum()))


def _prompt_usd(records: pd.DataFrame, price: TokenPrice) -> np.ndarray:
    """USD of each call's prompt, cached tokens included: its own, else of the same prompt, else of the dearest."""
    usd = pd.Series(prompt_usd(records, price), index=records.index)
    same = usd.groupby([records["payload"], records["prompt_id"]]).transform("max")
    return usd.fillna(same).fillna(usd.max()).to_numpy()


def _why_unbilled(good: pd.DataFrame, price: TokenPrice, lacking: int, n: int) -> str:
    for column, per_1k in (("cache_read", price.cache_read), ("cache_write", price.cache_write)):
        if per_1k is None and (good[f"{column}_tokens"] > 0).any():
            return f"{lacking} of {n} successes used {column} tokens, for which there is no `{column}` price"
    counts = f"{lacking} of {n} successes came without token counts"
    return f"{counts} (at most 1 % may)" if lacking < n else f"{counts}: {NO_COUNTS}"


def _why_unbounded(max_tokens: int | None) -> str:
    if max_tokens is None:
        return "failures of unknown tokens may have been billed, and without `parameters.max_tokens` that has no bound"
    return "failures of unknown tokens may have been billed, and no prompt's token count is known"
