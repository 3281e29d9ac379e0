"""Intervals of what a stage's requests tell one after the other: percentiles, means of times, shares of failures.

Order statistics and Wilson's interval take requests for independent of each other. Those of a stage are not where the endpoint is
slow, or fails, for a while: n of them then tell as much as n / d independent ones. d is by how much the means of forty batches
of the requests in question (above or below the percentile, failed or not) spread more than independent ones would, and never below 1.
The share of prompt tokens from a cache is a ratio of sums over requests (Cochran, Sampling Techniques, 6.3), no closer than one rare
request of another kind that has not come yet would leave it.

The tables show the plain order statistics beside percentiles; differences between stages go by these.
"""

import math
import typing

import numpy as np
import pandas as pd

from analysis.metrics.percentiles import ranks
from analysis.metrics.token_times import tpot_ms
from analysis.runs.rows import Rows
from analysis.runs.stage import Stage
from analysis.runs.token_totals import prompt_total
from analysis.verdicts.intervals import Intervals
from analysis.verdicts.proportions import Share, wilson
from analysis.verdicts.quantiles import T_95, half_width
from analysis.words.columns import METRICS, Column, column
from analysis.words.value_text import Interval
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.statistics.batch_means import BATCHES, MIN_VALUES, mean_half_width, rate_error
from locustfiles.contract.statistics.binomial import LEVELS

ERROR_RATE = column(lambda f: f.outcome.error_rate)
CALL_ERROR_RATE = column(lambda f: f.calls.call_error_rate)
CACHE_READS = column(lambda f: f.tokens.cache_read_share)
_COLUMNS = {c.path: c for c in METRICS}


def series_intervals(stage: Stage) -> Intervals:
    """95 %, of the figures that are known; a percentile's end that does not exist is 0 or infinite."""
    found = _times(stage.good, ("latency",), ("ttft",)) | _spread(_in_time(stage.good, tpot_ms(stage.good)), ("tpot",))
    found |= _share(stage.measured, ERROR_RATE) | _cache_reads(stage.good)
    if stage.calls is not None:
        found |= _times(stage.calls.good, ("calls", "call_latency"), ("calls", "call_ttft"))
        found |= _share(stage.calls.measured, CALL_ERROR_RATE)
    if stage.open_loop:
        found |= _times(stage.perceived, ("open_loop", "intended_latency"), ("open_loop", "intended_ttft"))
    return found


def memory(flags: np.ndarray) -> float:
    """d: so many of these requests in the order of time tell as much as one that is independent; 1 under twenty."""
    n, apart = len(flags), float(np.std(flags, ddof=1)) if len(flags) > 1 else 0.0
    if n < MIN_VALUES or not apart:
        return 1.0
    return max(1.0, n * (in_batches(flags) / (T_95 * apart)) ** 2)


def in_batches(values: np.ndarray) -> float:
    """Half the width of the interval of the mean of values in the order of time, by batches that may be alike."""
    size = max(1, len(values) // BATCHES)
    count = len(values) // size
    means = values[len(values) - size * count :].reshape(count, size).mean(axis=1)
    return half_width(*rate_error(means.tolist()))


def quantile_interval(values: np.ndarray, q: float) -> Interval:
    """Order statistics of values in the order of time, at the ranks that as many independent ones as they stand for would have."""
    n, ordered = len(values), np.sort(values)
    fewer = max(1, int(n / memory(values <= np.quantile(ordered, q))))
    low, high = ranks(fewer, q)
    return (
        0.0 if low is None else float(ordered[math.floor((low - 1) / fewer * n)]),
        math.inf if high is None else float(ordered[math.ceil(high / fewer * n) - 1]),
    )


def _times(records: Rows, latency: tuple[str, ...], ttft: tuple[str, ...]) -> Intervals:
    found = _spread(_in_time(records, records["latency_ms"]) / 1000, latency)
    return found | _spread(_in_time(records, records["ttft_ms"]) / 1000, ttft)


def _in_time(records: Rows, values: pd.Series) -> np.ndarray:
    """In the order in which they ended."""
    return values.to_numpy(dtype=float)[np.argsort(records["ended"].to_numpy(), kind="stable")]


def _spread(values: np.ndarray, of: tuple[str, ...]) -> Intervals:
    """Of the mean and the percentiles of a Spread. values: in the order of time."""
    values = values[~np.isnan(values)]
    if not len(values):
        return {}
    found = {}
    half, mean = mean_half_width(values), float(values.mean())
    if half is not None:
        half = max(half, in_batches(values))
        found[_COLUMNS[*of, "mean"]] = max(0.0, mean - half), mean + half
    return found | {_COLUMNS[*of, name.replace(".", "_")]: quantile_interval(values, q) for name, q in LEVELS.items()}


def _share(requests: Rows, of: Column) -> Intervals:
    """Of those that failed, without those that our own stop ended."""
    errors, sent = requests["error"], requests["sent"].to_numpy()
    ended = typing.cast(np.ndarray, (errors != ErrorClass.CANCELLED).to_numpy())
    if not ended.any():
        return {}
    failed = typing.cast(np.ndarray, errors.notna().to_numpy())[ended][np.argsort(sent[ended], kind="stable")]
    return {of: wilson(Share(float(failed.mean()), len(failed) / memory(failed)))}


def _cache_reads(good: Rows) -> Intervals:
    """Nothing where the service does not tell them, or of under twenty successes."""
    order = np.argsort(good["ended"].to_numpy(), kind="stable")
    prompts, read = (v.to_numpy(dtype=float)[order] for v in (prompt_total(good), good["cache_read_tokens"]))
    known = ~np.isnan(prompts)
    prompts, read = prompts[known], np.nan_to_num(read[known])
    whole = float(prompts.sum())
    if not whole or good["cache_read_tokens"].isna().all():
        return {}
    share = float(read.sum()) / whole
    off = read - share * prompts
    half = mean_half_width(off)
    if half is None:
        return {}
    half = max(half, in_batches(off)) / float(prompts.mean())
    _, rare = wilson(Share(0.0, len(off) / memory(read)))
    return {CACHE_READS: (max(0.0, share - max(half, share * rare)), min(1.0, share + max(half, (1 - share) * rare)))}
