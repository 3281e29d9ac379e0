"""What a token priced service bills for each call, in USD, with bounds where it cannot be known."""

import dataclasses
import decimal
import typing

import numpy as np
import pandas as pd

from analysis.cost.call_usd import (
    Counts,
    StepPart,
    counts_of,
    exact_charge,
    guardrail_usd,
    prompt_usd,
    units_usd,
    unsplit,
    usd_of,
)
from analysis.runs.rows import Table
from analysis.runs.token_totals import MAX_UNCOUNTED
from locustfiles.contract.error_classes import UNBILLED
from locustfiles.contract.prices.charge import guardrail_units, several_units
from locustfiles.contract.prices.price import KINDS, TokenPrice
from locustfiles.contract.scenario.remedies import NO_COUNTS
from locustfiles.contract.statistics.batch_means import MIN_VALUES
from locustfiles.contract.statistics.student_t import interval_of_mean

MIN_BILLS = 5  # of which an interval is told
#: of a record, what is billed of a call
COUNTED = (
    "prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "billed_units",
    "guardrail_units",
)  # fmt: skip


class Bill(typing.NamedTuple):
    """A sum of calls, USD; None where it cannot be known, and then `reason` says why."""

    # failures of unknown tokens billed nothing, cache writes for an unknown time those of five minutes
    low: float | None
    high: float | None  # these billed their prompt and max_tokens, those an hour; None: there is no upper bound
    successes: float | None  # the successes' part of `low`
    standard_error: float | None  # of the successes' part
    reason: str | None
    parts: tuple[StepPart, ...] = ()  # of the calls whose dollars are known, exact: `low` but for `at_the_mean`
    uncounted: int = 0  # successes without counts, at the mean of the others
    at_the_mean: float = 0.0
    unsure: int = 0  # failures between `low` and `high`
    unsplit: int = 0  # calls that wrote to a cache, it is not known for how long
    for_an_hour: float = 0.0  # what these are billed more if all of it was for an hour; in `high`


def bill(records: Table, price: TokenPrice, max_tokens: int | None) -> Bill:
    """The bill of these calls.

    Successes are billed by their token counts; up to 1 % of them may lack one and are taken at the mean
    of the others. Failures: nothing for the classes in UNBILLED, unless output had come; others their tokens where
    known, else 0 to prompt + max_tokens; a broken stream from what it had counted on. A cancelled call counts as a failure
    of unknown tokens. What was written to a cache for an unknown time: the price of five minutes to that of an hour.
    """
    good = records["error"].isna().to_numpy()
    counts = _least(counts_of(records, price), ~good)
    by_tokens = usd_of(counts)
    known = ~np.isnan(by_tokens)
    n, counted = int(good.sum()), int((good & known).sum())
    if n and (n - counted) > MAX_UNCOUNTED * n:
        return Bill(None, None, None, None, _why_unbilled(counts, good & ~known, n))
    billed = exact_charge(counts, good & known)
    sure = _usd(billed)
    mean = sure * (n - counted) / counted if counted else decimal.Decimal(0)
    of_good = by_tokens[good & known]
    error = float(of_good.std(ddof=1) / np.sqrt(counted) * n) if counted > 1 else None
    may_bill = ~good & ~unbilled(records)
    failed = exact_charge(counts, may_bill & known)
    low = float(sure + mean + _usd(failed))
    unsure = may_bill & ~_whole(records, counts, known)
    each_more = _most_more(records, unsure, by_tokens, counts, max_tokens)
    more = None if each_more is None else float(each_more.sum())
    hours = _for_an_hour(records, price, by_tokens)
    hour = float(hours[good & known].sum()) * (n / counted if counted else 1) + float(hours[may_bill & ~unsure].sum())
    high = None if more is None else low + hour + more
    reason = None if high is not None else _why_unbounded(max_tokens)
    parts = _merged(billed + failed)
    told = (n - counted, float(mean), int(unsure.sum()), int((hours > 0).sum()), hour)
    return Bill(low, high, float(sure + mean), error, reason, parts, *told)


def call_bounds(
    records: Table, price: TokenPrice, max_tokens: int | None
) -> tuple[np.ndarray, np.ndarray | None] | None:
    """USD of each call, at least and at most: what `bill` has in sum. At most None: there is no upper bound; None at all: too many
    successes have no counts."""
    good = records["error"].isna().to_numpy()
    counts = _least(counts_of(records, price), ~good)
    by_tokens = usd_of(counts)
    lacking = good & np.isnan(by_tokens)
    if lacking.sum() > MAX_UNCOUNTED * good.sum():
        return None
    may_bill = ~good & ~unbilled(records)
    mean = float(by_tokens[good & ~lacking].mean()) if (good & ~lacking).any() else 0.0
    low = np.where(lacking, mean, np.where(good | may_bill, np.nan_to_num(by_tokens), 0.0))
    unsure = may_bill & ~_whole(records, counts, ~np.isnan(by_tokens))
    more = _most_more(records, unsure, by_tokens, counts, max_tokens)
    hour = np.where(good | (may_bill & ~unsure), _for_an_hour(records, price, by_tokens), 0.0)
    return low, None if more is None else low + hour + more


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


def unbilled(records: Table) -> np.ndarray:
    """Which calls are billed nothing: those refused, unless output had come, which even a throttle in mid-stream may bill."""
    return (records["error"].isin(list(UNBILLED)) & records["ttft_ms"].isna()).to_numpy()


def usd_by_tokens(records: Table, price: TokenPrice) -> np.ndarray:
    """USD of each call by its counts; NaN where a count, or the price of a counted kind, is not known."""
    return usd_of(counts_of(records, price))


def _least(counts: Counts, failed: np.ndarray) -> Counts:
    """With failures that report no units billed none: whether one was is not known."""
    if counts.units is None:
        return counts
    return dataclasses.replace(counts, units=np.where(failed, np.nan_to_num(counts.units), counts.units))


def _for_an_hour(records: Table, price: TokenPrice, by_tokens: np.ndarray) -> np.ndarray:
    """USD that each call is billed beyond its counts if all that it wrote to a cache, for a time that is not known, is kept
    for an hour."""
    lacking = unsplit(records)
    if not lacking.any():
        return np.zeros(len(records))
    most = usd_of(counts_of(records, price, unsplit_for_an_hour=True))
    return np.where(lacking, np.maximum(np.nan_to_num(most - by_tokens), 0.0), 0.0)


def _usd(parts: list[StepPart]) -> decimal.Decimal:
    return sum((each.part.usd for each in parts), decimal.Decimal(0))


def _merged(parts: list[StepPart]) -> tuple[StepPart, ...]:
    """A line a step and kind."""
    found: dict[tuple[int | None, str], StepPart] = {}
    for above, part in parts:
        _, other = found.get((above, part.kind), (above, part._replace(amount=0, usd=decimal.Decimal(0))))
        both = part._replace(amount=part.amount + other.amount, usd=part.usd + other.usd)
        found[above, part.kind] = StepPart(above, both)
    return tuple(found.values())


def _whole(records: Table, counts: Counts, known: np.ndarray) -> np.ndarray:
    """Which failures are known in full: a stream's count may have grown after the break, and who says no units may have some."""
    whole = known & ~records["ttft_ms"].notna().to_numpy()
    price = counts.price
    if price.guardrail and not (price.input or price.output):  # a guardrail's units are all that is billed
        whole = whole & records["guardrail_units"].notna().to_numpy()
    return whole if counts.units is None else whole & records["billed_units"].notna().to_numpy()


def _most_more(
    records: Table, unsure: np.ndarray, by_tokens: np.ndarray, least: Counts, max_tokens: int | None
) -> np.ndarray | None:
    """USD that each of these failures may have been billed beyond what is known of it, 0 of others; None: that has no bound."""
    if not unsure.any():
        return np.zeros(len(unsure))
    if max_tokens is None and any(rates.output for rates in least.steps):
        return None
    most = _most_usd(records, counts_of(records, least.price, unsplit_for_an_hour=True), max_tokens or 0)
    more = np.where(unsure, np.maximum(most - np.nan_to_num(by_tokens), 0.0), 0.0)
    return None if np.isnan(more).any() else more


def _most_usd(records: Table, counts: Counts, max_tokens: int) -> np.ndarray:
    """USD that each call may cost, cached tokens included: by its own prompt, else by the same one in other calls, else by the
    dearest one at the rates of the dearest step."""
    prompts = [records["payload"], records["prompt_id"]]
    if "turn" in records and records["turn"].notna().any():  # the same conversation's earlier turns are shorter
        prompts.append(records["turn"].fillna(0))

    def filled(usd: np.ndarray, dearest: float) -> np.ndarray:
        each = pd.Series(usd, index=records.index)
        return each.fillna(each.groupby(prompts).transform("max")).fillna(dearest).to_numpy()

    def at(of: Counts) -> np.ndarray:
        usd = prompt_usd(of) + max_tokens / 1000 * of.per_1k("output")
        return usd if of.units is None else usd + units_usd(of)

    most = at(counts)
    dearest = most if counts.step is None else at(dataclasses.replace(counts, price=_dearest(counts.price), step=None))
    most = filled(most, _largest(dearest))
    if counts.guardrail is None:
        return most
    guardrail = guardrail_usd(counts)
    return most + filled(guardrail, _largest(guardrail))


def _largest(usd: np.ndarray) -> float:
    return float(np.fmax.reduce(usd, initial=np.nan))


def _dearest(price: TokenPrice) -> TokenPrice:
    """With each rate that of its dearest step; None where a step has none: a bound of what is not known is none. The budget's
    `TokenPrice.dearest` goes by the steps that have one, for it must count with something."""
    rates: dict[str, float | None] = {}
    for kind in KINDS:
        each = [getattr(step, kind) for step in (price, *price.steps)]
        rates[kind] = None if None in each else max(each)
    return price.model_copy(update=rates | {"steps": ()})


def _why_unbilled(counts: Counts, lacking: np.ndarray, n: int) -> str:
    of_all = f"{int(lacking.sum())} of {n} successes"
    for kind in ("cache_read", "cache_write", "cache_write_1h"):
        if ((counts.tokens[kind] > 0) & np.isnan(counts.per_1k(kind)))[lacking].any():
            return f"{of_all} used {kind} tokens, for which there is no `{kind}` price"
    if several := several_units(counts.price):
        return f"the price's {several}"
    if counts.units is not None and np.isnan(units_usd(counts)[lacking]).any():
        return f"{of_all} came without a count of what they are billed by ({', '.join(counts.price.units)})"
    if counts.guardrail is not None and np.isinf(guardrail_usd(counts)[lacking]).any():
        policies = guardrail_units(" ".join(map(str, counts.guardrail[lacking])))
        unpriced = next(policy for policy in policies if policy not in counts.price.guardrail)
        return f"{of_all} had a guardrail's {unpriced}, for which there is no price"
    words = f"{of_all} came without token counts"
    return f"{words} (at most 1 % may)" if lacking.sum() < n else f"{words}: {NO_COUNTS}"


def _why_unbounded(max_tokens: int | None) -> str:
    if max_tokens is None:
        return "failures of unknown tokens may have been billed, and without `parameters.max_tokens` that has no bound"
    return "failures of unknown tokens may have been billed, and no prompt's token count is known"
