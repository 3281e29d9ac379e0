"""USD of each call of a data frame, and exact sums of many: `charge` for columns, by the same rates."""

import dataclasses
import typing

import numpy as np
import pandas as pd

from analysis.runs.rows import Table
from analysis.runs.token_totals import prompt_total
from locustfiles.contract.prices.charge import Charge, Part, Usage, charge, guardrail_units, several_units
from locustfiles.contract.prices.price import Rates, TokenPrice, exact

PROMPT_KINDS = ("input", "cache_read", "cache_write", "cache_write_1h")


class StepPart(typing.NamedTuple):
    """A line of a bill, and of which price step: of prompts above so many tokens; None: of the price itself."""

    above: int | None
    part: Part


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What is billed of calls: NaN, and None of a guardrail, is not known."""

    price: TokenPrice
    tokens: dict[str, np.ndarray]  # by the rates' names
    units: np.ndarray | None  # None: the price has none
    guardrail: np.ndarray | None  # as records have it; None: the price has none, or no call a guardrail
    step: np.ndarray | None  # number of each call's step, 0 the price itself; None: the price has no steps

    @property
    def steps(self) -> tuple[Rates, ...]:
        return (self.price, *self.price.steps)

    def per_1k(self, kind: str) -> np.ndarray | float:
        """USD per 1,000 tokens of a kind, of each call where the price has steps."""
        usd = np.array([np.nan if (v := getattr(r, kind)) is None else v for r in self.steps])
        return float(usd[0]) if self.step is None else usd[self.step]


def counts_of(records: Table, price: TokenPrice, unsplit_for_an_hour: bool = False) -> Counts:
    """Of records as requests.csv has them. Tokens written to a cache for a time that is not known count as written for five
    minutes, or all for an hour where that has a price."""
    read, written, hour = (_cached(records[f"cache_{kind}_tokens"]) for kind in ("read", "write", "write_1h"))
    if unsplit_for_an_hour and hour_is_priced(price):
        hour = np.where(unsplit(records), written, hour)
    tokens = {
        "input": records["prompt_tokens"].to_numpy(),
        "cache_read": read,
        "cache_write": np.maximum(written - hour, 0) if hour.any() else written,
        "cache_write_1h": hour,
        "output": records["completion_tokens"].to_numpy(),
    }
    said = records["guardrail_units"] if price.guardrail else None
    return Counts(
        price,
        tokens,
        records["billed_units"].to_numpy() if price.units else None,
        said.to_numpy() if said is not None and said.notna().any() else None,
        _step(prompt_total(records).to_numpy(), price) if price.steps else None,
    )


def unsplit(records: Table) -> np.ndarray:
    """Which calls wrote to a cache, and it is not known how much of it for an hour."""
    return ((records["cache_write_tokens"] > 0) & records["cache_write_1h_tokens"].isna()).to_numpy()


def hour_is_priced(price: TokenPrice) -> bool:
    return all(rates.cache_write_1h is not None for rates in (price, *price.steps))


def _cached(tokens: pd.Series) -> np.ndarray:
    """0 where nothing is said; without any of its kind, in no memory."""
    return tokens.fillna(0).to_numpy() if tokens.notna().any() else np.broadcast_to(0.0, len(tokens))


def _step(whole_prompt: np.ndarray, price: TokenPrice) -> np.ndarray:
    """As `TokenPrice.rates` has it: a step is reached above its length, and by no prompt of unknown length."""
    reached = np.searchsorted([step.above for step in price.steps], whole_prompt, side="left")
    return np.where(np.isnan(whole_prompt), 0, reached)


def usd_of(counts: Counts) -> np.ndarray:
    """USD of each call; NaN where a count, or the price of a counted kind, is not known."""
    usd = prompt_usd(counts) + _tokens_usd(counts, "output")
    if counts.units is not None:
        usd = usd + units_usd(counts)
    return usd if counts.guardrail is None else usd + np.nan_to_num(guardrail_usd(counts), nan=0.0, posinf=np.nan)


def prompt_usd(counts: Counts) -> np.ndarray:
    """The prompt's part of it, tokens read from and written to a cache included."""
    usd = _tokens_usd(counts, "input")
    for kind in PROMPT_KINDS[1:]:
        if counts.tokens[kind].any():
            usd = usd + np.where(counts.tokens[kind] > 0, _tokens_usd(counts, kind), 0.0)
    return usd


def _tokens_usd(counts: Counts, kind: str) -> np.ndarray:
    per_1k = counts.per_1k(kind)
    if counts.step is None and per_1k == 0:
        return np.zeros(len(counts.tokens[kind]))  # of whatever count
    return counts.tokens[kind] / 1000 * per_1k


def units_usd(counts: Counts) -> np.ndarray:
    """The units' part; a call that reports none is one query. NaN by a price of several units, of which none is counted apart."""
    if counts.units is None:
        raise ValueError("the price has no units")
    usd = np.full(len(counts.units), np.nan if several_units(counts.price) else 0.0)
    for unit, each in counts.price.units.items():
        usd = usd + (np.nan_to_num(counts.units, nan=1.0) if unit == "query" else counts.units) * each
    return usd


def guardrail_usd(counts: Counts) -> np.ndarray:
    """The guardrail's part: NaN where nothing is said of one, infinite where a policy has no price."""
    if counts.guardrail is None:
        raise ValueError("no call has a guardrail, or it has no price")
    codes, texts = pd.factorize(counts.guardrail)
    alone = TokenPrice(input=0.0, output=0.0, guardrail=counts.price.guardrail)
    found = [charge(Usage(0, 0, guardrail=guardrail_units(text)), alone).usd for text in texts]
    return np.array([*(np.inf if usd is None else float(usd) for usd in found), np.nan])[codes]


def exact_charge(counts: Counts, chosen: np.ndarray) -> list[StepPart]:
    """Of the chosen calls together, whose dollars are known: exact sums, a line a step and kind.

    Raises ValueError where one has a count or price that is not known.
    """
    found = []
    for number, rates in enumerate(counts.steps):
        of_step = chosen if counts.step is None else chosen & (counts.step == number)
        if not (calls := int(of_step.sum())):
            continue
        billed = charge_of(counts, of_step, calls, rates)
        if billed.unknown:
            raise ValueError(f"not all of the calls are known: {billed.unknown}")
        above = counts.price.steps[number - 1].above if number else None
        found += [StepPart(above, part) for part in billed.parts]
    return found


def charge_of(counts: Counts, chosen: np.ndarray, calls: int, rates: Rates) -> Charge:
    """Of the chosen calls of one step."""
    sums = {kind: int(np.nansum(tokens[chosen])) for kind, tokens in counts.tokens.items()}
    usage = Usage(
        prompt_tokens=sums["input"],
        completion_tokens=sums["output"],
        cache_read_tokens=sums["cache_read"],
        cache_write_tokens=sums["cache_write"] + sums["cache_write_1h"],
        cache_write_1h_tokens=sums["cache_write_1h"],
        units=None if counts.units is None else _sum_of_units(counts.units[chosen]),
        guardrail={} if counts.guardrail is None else _sum_of_policies(counts.guardrail[chosen]),
    )
    return charge(usage, counts.price, calls, rates)


def _sum_of_units(units: np.ndarray) -> float:
    """To every digit that was written; a call that says nothing is one query."""
    values, times = np.unique(np.nan_to_num(units, nan=1.0), return_counts=True)
    return float(sum(exact(float(v)) * int(n) for v, n in zip(values, times, strict=True)))


def _sum_of_policies(said: np.ndarray) -> dict[str, int]:
    sums: dict[str, int] = {}
    for text, calls in pd.Series(said).value_counts().items():
        for policy, units in guardrail_units(str(text)).items():
            sums[policy] = sums.get(policy, 0) + units * int(calls)
    return sums
