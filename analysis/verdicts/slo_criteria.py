"""The limits of an SLO, each a Criterion in words: which figure, which limit, on which side of it a stage has to be."""

import dataclasses
import typing

from analysis.words import format as show
from analysis.words.spread import STATISTICS, Statistic
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.statistics.binomial import written

Words = typing.Callable[[float | None], str]
Times = typing.Literal["latency", "ttft", "ttft_visible", "tpot", "itl", "session"]
Figures = typing.Literal[
    "error_rate", "bad_stop_share", "throughput", "output_tokens", "goodput", "cost_per_transaction", "cost_per_10k",
    "cost_per_1m_output_tokens", "cost_per_1m_tokens", "cost_per_session",
]  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Criterion:
    """One limit of an SLO, on a statistic of a time or on another figure."""

    of: Times | Figures
    statistic: Statistic | None
    words: str  # latency p95, with retries call latency p95
    limit: float
    limit_text: str  # 2 s
    show: Words
    at_least: bool = False  # the limit is the least that keeps it, else the most
    failure: str | None = None  # of an error rate: the class that it counts alone
    slo_class: str = ""  # of a file of limits: the class that sets it; empty: every stage has to keep it

    @property
    def name(self) -> str:
        """latency_p95, ttft_mean, error_rate, error_rate_throttled, cost_per_10k; of a class chat:latency_p95."""
        of = "_".join(part for part in (self.of, self.statistic, self.failure) if part)
        return f"{self.slo_class}:{of}" if self.slo_class else of

    @property
    def text(self) -> str:
        """`latency p95 ≤ 2 s`, of a class `latency p95 ≤ 2 s (chat)`"""
        of = f" ({self.slo_class})" if self.slo_class else ""
        return f"{self.words} {'≥' if self.at_least else '≤'} {self.limit_text}{of}"

    def kept(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def worst(self, values: typing.Iterable[float]) -> float | None:
        """The one that is farthest on the wrong side; None of none."""
        return min(values, default=None) if self.at_least else max(values, default=None)

    def headroom(self, value: float | None) -> str:
        """`25.0 % below` of a value that keeps the limit; nothing where the limit is 0 or the value is not known."""
        if not self.limit or value is None:
            return ""
        apart = value / self.limit - 1 if self.at_least else 1 - value / self.limit
        return f"{show.number(100 * apart)} % {'above' if self.at_least else 'below'}"


class _Time(typing.NamedTuple):
    """A time, how it is written, and what a user perceives otherwise than a request took."""

    of: Times
    words: str
    show: Words
    unit: str
    perceived: bool


class _Figure(typing.NamedTuple):
    """A figure that has one value a stage."""

    of: Figures
    words: str
    show: Words
    limit_text: Words
    at_least: bool = False


def _percent(share: float | None) -> str:
    return f"{show.exact(None if share is None else round(100 * share, 10))} %"


def _in(unit: str, words: Words) -> Words:
    return lambda value: f"{words(value)}{unit}" if show.known(value) else show.UNKNOWN


_TIMES = {
    "latency_s": _Time("latency", "latency", show.seconds, "s", True),
    "ttft_s": _Time("ttft", "TTFT", show.seconds, "s", True),
    "ttft_visible_s": _Time("ttft_visible", "visible TTFT", show.seconds, "s", True),
    "tpot_ms": _Time("tpot", "TPOT", show.milliseconds, "ms", False),
    "itl_ms": _Time("itl", "ITL", show.milliseconds, "ms", False),
    "session_s": _Time("session", "conversation time", show.seconds, "s", False),
}
_RATES = (_in("/s", show.number), _in("/s", show.exact))
_FIGURES = {
    "bad_stop_share": _Figure("bad_stop_share", "share of bad stop reasons", show.percent, _percent),
    "throughput_per_s": _Figure("throughput", "throughput", *_RATES, at_least=True),
    "output_tokens_per_s": _Figure("output_tokens", "output tokens", *_RATES, at_least=True),
    "goodput_per_s": _Figure("goodput", "goodput", *_RATES, at_least=True),
    "cost_per_transaction_usd": _Figure("cost_per_transaction", "cost per transaction", show.money, show.price),
    "cost_per_10k_transactions_usd": _Figure("cost_per_10k", "cost per 10k transactions", show.money, show.price),
    "cost_per_1m_output_tokens_usd": _Figure("cost_per_1m_output_tokens", "cost per 1M output tokens", show.money, show.price),
    "cost_per_1m_tokens_usd": _Figure("cost_per_1m_tokens", "cost per 1M tokens", show.money, show.price),
    "cost_per_session_usd": _Figure("cost_per_session", "cost per conversation", show.money, show.price),
}  # fmt: skip


def criteria_of(slo: Slo, of_calls: bool = False, from_due: bool = False, slo_class: str = "") -> list[Criterion]:
    """The limits that an SLO sets, in a fixed order. of_calls: they are judged on calls, and say so; from_due: so their times;
    slo_class: the class of a file of limits that sets them."""
    found, whose, since = [], "call " if of_calls else "", " from when it was due" if from_due else ""
    for key, time in _TIMES.items():
        for statistic in STATISTICS:
            limit = getattr(getattr(slo, key), statistic, None)
            if limit is not None:
                words = f"{time.words} {written(statistic)}"
                words = f"{whose}{words}{since}" if time.perceived else words
                found.append(Criterion(time.of, statistic, words, limit, f"{show.exact(limit)} {time.unit}", time.show))
    rates = {None: slo.error_rate} | (slo.error_rate_by_class or {})
    for failure, most in rates.items():
        if most is not None:
            words = f"{whose}error rate" + (f" of class {failure}" if failure else "")
            found.append(Criterion("error_rate", None, words, most, _percent(most), show.percent, failure=failure))
    for key, figure in _FIGURES.items():
        if (limit := getattr(slo, key)) is not None:
            text = figure.limit_text(limit)
            found.append(Criterion(figure.of, None, figure.words, limit, text, figure.show, figure.at_least))
    return [dataclasses.replace(one, slo_class=slo_class) for one in found]
