"""Repetitions of a level side by side, and how far they lie apart."""

import typing

import pandas as pd

from analysis.verdicts.pooled_repeats import groups_of
from analysis.verdicts.stage_results import Result
from analysis.words.columns import Column, columns

#: what is compared
FIGURES = columns(lambda f: (f.throughput.throughput_per_s, f.latency.p50, f.latency.p95, f.cost.usd_per_transaction))
ROUNDING = 1e-12  # of sums


class Apart(typing.NamedTuple):
    """How far one figure of the repetitions that are not INVALID lies apart; `sd` by n - 1, not known of one alone."""

    repetitions: int
    mean: float
    sd: float | None
    min: float
    max: float


class RepeatedLevel(typing.NamedTuple):
    """The repetitions of one level in the order measured, and what lies between them."""

    repetitions: list[Result]
    apart: dict[Column, Apart]


def repeated_levels(results: list[Result]) -> list[RepeatedLevel]:
    """Every level that was measured more than once."""
    return [RepeatedLevel(group, _apart(group)) for group in groups_of(results) if len(group) > 1]


def _apart(group: list[Result]) -> dict[Column, Apart]:
    found = {}
    for column in FIGURES:
        of_each = [column.of(r.figures) for r in group if r.trusted]
        known = pd.Series([value for value in of_each if value is not None], dtype="float64")
        sd = float(known.std(ddof=1)) if len(known) > 1 else None
        if sd is not None and sd < ROUNDING * known.mean():
            sd = 0.0
        if len(known):
            found[column] = Apart(len(known), float(known.mean()), sd, float(known.min()), float(known.max()))
    return found
