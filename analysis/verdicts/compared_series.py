"""Intervals that only runs beside each other need: of the gaps between deltas, and of what the limits call good.

They take the records once more, and gaps take long, so that a report of one run goes without.
"""

import dataclasses
import itertools

import numpy as np

from analysis.metrics.goodput import good_among, good_flags, good_spans
from analysis.runs.stage import Stage
from analysis.runs.window_share import share
from analysis.verdicts.difference import GOOD_SHARE, GOODPUT
from analysis.verdicts.gap_intervals import gap_intervals
from analysis.verdicts.intervals import Intervals, interval_of_rate
from analysis.verdicts.measured import Measured
from analysis.verdicts.pooled_intervals import widened, within_or_between
from analysis.verdicts.proportions import Share, wilson
from analysis.verdicts.serial_intervals import memory
from analysis.verdicts.stage_results import Result
from analysis.verdicts.stages_again import StagesAgain
from locustfiles.contract.statistics.batch_means import BATCHES, MIN_VALUES


def with_compared_series(found: Measured) -> list[Result]:
    """The levels, with these intervals among their series."""
    runs = list(found.runs.values())
    stages = StagesAgain(runs, {name: prices.of_target for name, prices in found.prices.items()})
    by_key = {r.key: r for r in found.results}
    return [
        dataclasses.replace(level, series=level.series | _series(stages, level, [by_key[key] for key in keys]))
        for level in found.candidates
        for keys in [level.members or (level.key,)]
    ]


def _series(stages: StagesAgain, level: Result, kept: list[Result]) -> Intervals:
    if len(kept) == 1:
        stage = stages.of(kept)
        return _shares_and_gaps(stage) | _goodput(stage)
    found = widened(_shares_and_gaps(stages.of(kept)), level.figures, kept)
    each = [(GOODPUT.of(r.figures), *ends) for r in kept if (ends := _goodput(stages.of([r])).get(GOODPUT))]
    if len(each) == len(kept) and (value := GOODPUT.of(level.figures)) is not None:
        found[GOODPUT] = within_or_between(value, each)
    return found


def _shares_and_gaps(stage: Stage) -> Intervals:
    """Of what needs no window."""
    found, flags = gap_intervals(stage), good_flags(stage)
    if flags is not None and len(flags):
        found[GOOD_SHARE] = wilson(Share(float(flags.mean()), len(flags) / memory(flags)))
    return found


def _goodput(stage: Stage) -> Intervals:
    """As that of the throughput, by twenty batches of the window and by the successes' own spread, of the good ones alone."""
    successes = stage.good if stage.calls is None else stage.calls.good
    if stage.window is None or len(successes) < MIN_VALUES or (spans := good_spans(stage)) is None:
        return {}
    good = good_among(stage, successes)
    if good is None or not good.any():
        return {}
    edges = np.linspace(*stage.known_window, BATCHES + 1)
    rates = np.array([share(*spans, a, b).sum() / (b - a) for a, b in itertools.pairwise(edges)])
    return {GOODPUT: interval_of_rate(rates, successes, good.astype(float), stage.open_loop)}
