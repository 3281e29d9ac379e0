"""Records as arrays, the few columns of them that live figures go by: a look each second must cost little."""

import typing

import numpy as np
import pandas as pd

from analysis.cost.bill import usd_by_tokens
from analysis.metrics.token_times import AtOnce, came_at_once, tpot_ms
from analysis.runs.token_totals import prompt_total
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.prices.price import HourlyPrice, Price, TokenPrice


class Batch(typing.NamedTuple):
    """Columns of some records, one length. Times in s, of `sent` and `ended` from the run's start; NaN is not known."""

    stage: np.ndarray
    target: np.ndarray
    measured: np.ndarray  # began in the window
    error: np.ndarray  # its class, None of a success
    good: np.ndarray
    sent: np.ndarray
    ended: np.ndarray
    latency_s: np.ndarray
    ttft_s: np.ndarray
    tpot_ms: np.ndarray  # without those that came at once
    tpot_at_once_ms: np.ndarray  # of those alone
    several: np.ndarray  # a stream of several deltas
    at_once: np.ndarray  # they came at once
    prompt: np.ndarray
    completion: np.ndarray
    cached: np.ndarray
    usd: np.ndarray  # by the prices of tokens; 0 where the target is paid by the hour

    def where(self, chosen: np.ndarray) -> "Batch":
        return self if chosen.all() else Batch(*(column[chosen] for column in self))

    def __len__(self) -> int:
        return len(self.stage)

    @property
    def failed(self) -> np.ndarray:
        """Without what our own stop ended."""
        return ~self.good & (self.error != ErrorClass.CANCELLED)

    @property
    def came(self) -> AtOnce:
        return AtOnce(int(self.at_once.sum()), int(self.several.sum()))


def batch_of(records: pd.DataFrame, prices: dict[str, Price]) -> Batch:
    """Of dated records. prices: by target."""
    error = records["error"]
    sure, all_of_them = (tpot_ms(records, held=held).to_numpy() for held in (True, False))
    return Batch(
        stage=records["stage"].to_numpy(),
        target=records["target"].to_numpy(dtype=object),
        measured=(records["phase"] == "measure").to_numpy(dtype=bool),
        error=error.to_numpy(dtype=object),
        good=error.isna().to_numpy(dtype=bool),
        sent=records["sent"].to_numpy(),
        ended=records["ended"].to_numpy(),
        latency_s=records["latency_ms"].to_numpy() / 1000,
        ttft_s=records["ttft_ms"].to_numpy() / 1000,
        tpot_ms=sure,
        tpot_at_once_ms=np.where(np.isnan(sure), all_of_them, np.nan),
        several=(records["chunks"].to_numpy() >= 2),
        at_once=came_at_once(records).to_numpy(),
        prompt=prompt_total(records).to_numpy(),
        completion=records["completion_tokens"].to_numpy(),
        cached=records["cache_read_tokens"].to_numpy(),
        usd=_token_usd(records, prices),
    )


def _token_usd(records: pd.DataFrame, prices: dict[str, Price]) -> np.ndarray:
    found, targets = np.full(len(records), np.nan), records["target"].to_numpy(dtype=object)
    for target in set(targets.tolist()):
        here, price = targets == target, prices.get(target)
        if isinstance(price, TokenPrice):
            found[here] = usd_by_tokens(records if here.all() else records[here], price)
        elif isinstance(price, HourlyPrice):
            found[here] = 0.0
    return found
