"""Mixes as a whole: what all their parts did together, at the load that they share."""

import typing

from analysis.advice.recommend import Recommendation
from analysis.cost.pricing import Prices
from analysis.runs.run_reader import Run
from analysis.verdicts.stage_results import Result
from analysis.words.stage_figures import StageFigures
from locustfiles.contract.prices.price import HourlyPrice

NO_RIVALS = (
    "Stages that are parts of a mix are never recommended nor ranked: they were sent to at the same time, so each had the others' load "
    "beside it, and is no rival of them nor of stages measured alone. The section Mixes has their figures, and those of all together."
)
NO_LEVEL = (
    "Ramps are never recommended nor ranked: their rate went on rising or falling, so their figures are of no one load. The section "
    "Ramps has them by slices of time."
)


class Mix(typing.NamedTuple):
    """All parts of a mix at one level, in the scenario's order. None is not known."""

    parts: list[Result]
    requests: int
    failures: int
    cancelled: int
    error_rate: float | None
    throughput_per_s: float | None
    in_flight_mean: float | None
    usd_per_transaction: float | None
    cost_reason: str | None  # why that is not known

    @property
    def first(self) -> StageFigures:
        return self.parts[0].figures

    @property
    def verdict(self) -> str:
        """The worst of its parts'."""
        verdicts = [r.figures.trust.verdict for r in self.parts]
        return next((v for v in ("INVALID", "SUSPECT") if v in verdicts), "VALID")


def mixes_of(results: list[Result], prices: dict[str, Prices]) -> list[Mix]:
    """Every mix of every run. prices: by run."""
    found: dict[tuple[str, int], list[Result]] = {}
    for r in results:
        if r.figures.identity.mix is not None:
            found.setdefault((r.key.run, r.figures.identity.mix), []).append(r)
    return [_mix(parts, prices[run]) for (run, _), parts in found.items()]


def _mix(parts: list[Result], prices: Prices) -> Mix:
    figures = [r.figures for r in parts]
    requests, failures, cancelled = (
        sum(getattr(f.outcome, name) or 0 for f in figures) for name in ("requests", "failures", "cancelled")
    )
    ended, throughput = requests - cancelled, _sum(f.throughput.throughput_per_s for f in figures)
    usd, reason = _usd(parts, throughput, prices)
    return Mix(
        parts, requests, failures, cancelled, failures / ended if ended else None, throughput,
        _sum(f.throughput.in_flight_mean for f in figures), usd, reason,
    )  # fmt: skip


def _sum(values: typing.Iterable[float | None]) -> float | None:
    """None where one is not known."""
    known = list(values)
    return None if None in known else sum(v for v in known if v is not None)


def _usd(parts: list[Result], throughput: float | None, prices: Prices) -> tuple[float | None, str | None]:
    """USD of a transaction over all parts: what the tokens of all were billed by all successes, and the hours of all targets, each
    once, by the throughput of all."""
    by_call = [r for r in parts if not isinstance(prices.of_target[r.figures.identity.target], HourlyPrice)]
    hourly = {
        r.figures.identity.target: price.usd_per_hour_in_all
        for r in parts
        if isinstance(price := prices.of_target[r.figures.identity.target], HourlyPrice)
    }
    successes = sum(r.figures.outcome.successes or 0 for r in parts)
    sent = [r for r in by_call if r.figures.outcome.requests]
    lacking = next((r for r in sent if r.usd is None), None)
    if lacking:
        return None, f"of `{lacking.figures.identity.target}` on `{lacking.payload}`: {lacking.cost_reason}"
    if not successes or not throughput:
        return None, "no success was measured"
    billed = sum((r.usd or 0.0) * (r.figures.outcome.successes or 0) for r in sent)
    return billed / successes + sum(hourly.values()) / 3600 / throughput, None


def shares(mix: Mix) -> list[float | None]:
    """Of all requests that began in the window, those of each part."""
    return [(r.figures.outcome.requests or 0) / mix.requests if mix.requests else None for r in mix.parts]


def told_why(best: Recommendation, rivals: list[Result], runs: list[Run]) -> None:
    """Say in the recommendation that parts of mixes, and ramps, are in none. rivals: the stages that are neither."""
    mixed = any(run.scenario.mix for run in runs)
    ramped = any(stage.ramp for run in runs for stage in run.manifest.stages)
    why = [text for text, there in ((NO_RIVALS, mixed), (NO_LEVEL, ramped)) if there]
    if why and not any(r.payload == best.dataset for r in rivals):
        how = " and ".join(word for word, there in (("mixes", mixed), ("ramps", ramped)) if there)
        best.facts = [f"Nothing is recommended for `{best.dataset}`: it was measured in {how} alone.", *why]
    else:
        best.warnings = [*best.warnings, *why]
