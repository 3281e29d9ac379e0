"""Pareto front of a dataset: the levels that no other one beats in price, latency and throughput at once.

Only levels that can be recommended stand in it. Quality enters where targets have a label of that name that is a number, more is
better; a level of which it is not known is neither beaten nor beats by it. Fronts are by the figures alone, whatever their intervals.
"""

import typing

import pandas as pd

from analysis.advice.choice import few_errors, priced
from analysis.advice.label_heads import label_heads
from analysis.advice.models import model_of
from analysis.verdicts.stage_results import Result, StageKey
from analysis.words.level import level_text
from analysis.words.spread import Statistic
from analysis.words.user_perceived import perceived

QUALITY = "quality"  # a label's name begins with it
Labels = typing.Mapping[tuple[str, str], typing.Mapping[str, typing.Any]]


class Option(typing.NamedTuple):
    """A level that can be chosen. `number`: of those on the front, cheapest first; None: another one beats it."""

    key: StageKey
    who: str
    model: str
    level: str
    usd_per_10k: float
    latency_s: float
    per_minute: float
    quality: tuple[float | None, ...]  # by each name of Front.quality
    verdict: str
    number: int | None
    of_model: bool  # on the front of its own model
    beaten_by: str | None  # the cheapest that beats it


class Front(typing.NamedTuple):
    """All options of a dataset, cheapest first; `statistic`: of which latency."""

    statistic: Statistic
    quality: tuple[str, ...]
    options: list[Option]


def pareto(candidates: list[Result], dataset: str, labels: Labels, statistic: Statistic) -> Front:
    """labels: (run, target) -> its free columns."""
    here = [r for r in candidates if r.payload == dataset and _choosable(r, statistic)]
    here = [r for r in here if few_errors(r)] or here
    names = tuple(dict.fromkeys(name for r in here for name in _qualities(labels.get(r.seat, {}))))
    every = sorted((_option(r, labels.get(r.seat, {}), names, statistic) for r in here), key=lambda o: o.usd_per_10k)
    found: list[Option] = []
    for option in every:
        by = next((other for other in every if beats(other, option)), None)
        mine = not any(beats(other, option) for other in every if other.model == option.model)
        number = None if by else 1 + sum(o.number is not None for o in found)
        found.append(option._replace(number=number, of_model=mine, beaten_by=by and f"{by.who} at {by.level}"))
    return Front(statistic, names, found)


def quality_text(labels: typing.Mapping[str, typing.Any]) -> str:
    """`quality 0.71`, nothing without."""
    return ", ".join(f"{name} {value:g}" for name, value in _qualities(labels).items())


def beats(one: Option, other: Option) -> bool:
    """Whether `one` is nowhere worse and somewhere better."""
    pairs = [(other.usd_per_10k, one.usd_per_10k), (other.latency_s, one.latency_s), (one.per_minute, other.per_minute)]
    for mine, theirs in zip(one.quality, other.quality, strict=True):
        if (mine is None) != (theirs is None):
            return False
        pairs += [(mine, theirs)] if mine is not None and theirs is not None else []
    return all(better >= worse for better, worse in pairs) and any(better > worse for better, worse in pairs)


def _choosable(r: Result, statistic: Statistic) -> bool:
    known = r.usd is not None and perceived(r.figures).latency.at(statistic) is not None and bool(r.per_minute)
    return known and r.trusted and r.figures.limits.slo != "missed"


def _qualities(labels: typing.Mapping[str, typing.Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in labels.items()
        if name.casefold().startswith(QUALITY) and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _option(r: Result, labels: typing.Mapping[str, typing.Any], names: tuple[str, ...], statistic: Statistic) -> Option:
    known, latency = _qualities(labels), perceived(r.figures).latency.at(statistic)
    quality = tuple(known.get(name) for name in names)
    verdict, level = r.figures.trust.verdict or "", level_text(r.figures)
    who, usd = r.who.replace("`", ""), 10_000 * priced(r)
    return Option(
        r.key, who, model_of(r), level, usd, latency or 0.0, r.per_minute, quality, verdict, None, False, None
    )


OWN = (
    "Number", "Model", "Target", "Level", "USD per 10,000", "Transactions per minute", "Verdict", "Recommended", "Front of its model",
    "Beaten by",
)  # fmt: skip


def pareto_table(front: Front, pick: StageKey | None) -> pd.DataFrame:
    """Its options: those on the front first, and what beats the others."""
    rows = []
    latency = f"Latency {front.statistic} (s)"
    own = {*OWN, latency}
    for o in sorted(front.options, key=lambda o: (o.number is None, o.usd_per_10k)):
        figures = {
            "USD per 10,000": o.usd_per_10k,
            latency: o.latency_s,
            "Transactions per minute": o.per_minute,
            **dict(zip(label_heads(front.quality, own), o.quality, strict=True)),
        }
        rows.append(
            {"Number": o.number, "Model": o.model, "Target": o.who, "Level": o.level}
            | figures
            | {
                "Verdict": o.verdict,
                "Recommended": "recommended" if o.key == pick else "",
                "Front of its model": o.of_model,
                "Beaten by": o.beaten_by or "",
            }
        )
    return pd.DataFrame(rows).astype({"Number": "Int64"} if rows else {})


def deciding_latency(results: list[Result], dataset: str) -> Statistic:
    """The statistic of the latency that a limit is on, p95 where that is one or none is."""
    limited = {
        c.criterion.statistic for r in results if r.payload == dataset for c in r.checks if c.criterion.of == "latency"
    }
    order: tuple[Statistic, ...] = ("p95", "p99", "mean", "p50")
    return next((s for s in order if s in limited), "p95")
