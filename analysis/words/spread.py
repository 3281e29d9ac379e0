"""How the values of the requests of a stage are spread: mean, percentiles, how many, and how well the percentiles are known."""

import dataclasses
import typing

from analysis.words.figure_fields import count as count_field
from analysis.words.figure_fields import group, number
from locustfiles.contract.statistics.binomial import written

Statistic = typing.Literal["mean", "p50", "p90", "p95", "p99", "p99_9"]
STATISTICS: tuple[Statistic, ...] = typing.get_args(Statistic)


_HIGH = "its upper end; empty (wide) when even the largest of n values is none"


def _percentile(p: str) -> typing.Any:
    return number(
        f"{written(p)} of {{what}}, exact from the records, linear between two values", better="lower", ends=p
    )


def lower_end(p: str) -> typing.Any:
    """A field: of a percentile's interval."""
    return number(f"lower end of the 95 % order-statistic interval of {{name}} {written(p)}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of values without gaps; `n` is 0 where there is none, and None where nobody asked for them."""

    mean: float | None = number("mean of {what}", better="lower")
    p50: float | None = _percentile("p50")
    p90: float | None = _percentile("p90")
    p95: float | None = _percentile("p95")
    p99: float | None = _percentile("p99")
    p99_9: float | None = _percentile("p99_9")
    n: int | None = count_field("how many successes {name} is known of", "higher")
    p50_low: float | None = lower_end("p50")
    p50_high: float | None = number(_HIGH)
    p90_low: float | None = lower_end("p90")
    p90_high: float | None = number(_HIGH)
    p95_low: float | None = lower_end("p95")
    p95_high: float | None = number(_HIGH)
    p99_low: float | None = lower_end("p99")
    p99_high: float | None = number(_HIGH)
    p99_9_low: float | None = lower_end("p99_9")
    p99_9_high: float | None = number(_HIGH)

    def at(self, statistic: Statistic) -> float | None:
        """The figure that a limit of that name is set on."""
        value: float | None = getattr(self, statistic)
        return value


NOT_ASKED = Spread()


def spread(prefix: str, unit: str, what: str) -> typing.Any:
    """A field that holds a Spread: `latency`, s -> latency_mean_s, latency_n, latency_p95_low_s, …"""
    return group(NOT_ASKED, prefix, unit, what)


def _all(p: str) -> typing.Any:
    return number(
        f"{written(p)} of successes and failures together, a failure counting as infinity, so that shed load does not look fast; "
        "`inf` where it falls among the failures",
        better="lower",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WithFailures:
    """Percentiles of successes and failures together."""

    p50_all: float | None = _all("p50")
    p90_all: float | None = _all("p90")
    p95_all: float | None = _all("p95")
    p99_all: float | None = _all("p99")
    p99_9_all: float | None = _all("p99_9")
