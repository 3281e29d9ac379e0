"""InterToken: what a user sees of a stream between its first and its last delta."""

import dataclasses
import typing

from analysis.words.figure_fields import count, number
from analysis.words.spread import Statistic
from locustfiles.contract.statistics.binomial import written


def _percentile(p: str) -> typing.Any:
    return number(
        f"{written(p)} of {{what}}, all of them together; from counts in bins of 5 %, so within 2.5 % of it",
        better="lower",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InterToken:
    """Gaps depend on those before them, so there are no intervals."""

    mean: float | None = number("mean of {what}: (last delta - first delta) / gaps, exact", better="lower")
    p50: float | None = _percentile("p50")
    p90: float | None = _percentile("p90")
    p95: float | None = _percentile("p95")
    p99: float | None = _percentile("p99")
    p99_9: float | None = _percentile("p99_9")
    max: float | None = number("longest of {what}, exact", better="lower")
    gaps: int | None = count("how many gaps {name} is of")

    def at(self, statistic: Statistic) -> float | None:
        """The figure that a limit of that name is set on."""
        value: float | None = getattr(self, statistic)
        return value
