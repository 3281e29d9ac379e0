"""Pareto front of a dataset: the levels that no other one beats in price, latency and throughput at once.

Only levels that can be recommended stand in it. Quality enters where targets have a label of that name that is a number, more is
better; a level of which it is not known is neither beaten nor beats by it. Fronts are by the figures alone, whatever their intervals.
"""

import typing

import numpy as np
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
    models, found, number = np.array([o.model for o in every]), list[Option](), 0
    for option, beaten in zip(every, _beaten(every), strict=True):
        by = every[beaten.argmax()] if beaten.any() else None
        mine = not beaten[models == option.model].any()
        number += by is None
        beaten_by = by and f"{by.who} at {by.level}"
        found.append(option._replace(number=None if by else number, of_model=mine, beaten_by=beaten_by))
    return Front(statistic, names, found)


def quality_text(labels: typing.Mapping[str, typing.Any]) -> str:
    """`quality 0.71`, nothing without."""
    return ", ".join(f"{name} {value:g}" for name, value in _qualities(labels).items())


def _beaten(options: list[Option]) -> typing.Iterator[np.ndarray]:
    """Of each, which others beat it: nowhere worse, somewhere better, and of known quality where it is."""
    unknown = np.array([[q is None for q in o.quality] for o in options], dtype=bool)
    less_is_better = [
        [o.usd_per_10k, o.latency_s, -o.per_minute, *(0.0 if q is None else -q for q in o.quality)] for o in options
    ]
    figures = np.array(less_is_better)
    for mine, lacks in zip(figures, unknown, strict=True):
        yield (figures <= mine).all(axis=1) & (figures < mine).any(axis=1) & (unknown == lacks).all(axis=1)


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
