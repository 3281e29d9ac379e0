"""What the plots read of a Report, in the shape they want it."""

import dataclasses
import functools
import math
import typing

import numpy as np

from analysis.advice.report_model import Report
from analysis.report.plots import style
from analysis.report.plots.points import NAMES, Points
from analysis.runs.due_times import from_due
from analysis.runs.retried_calls import calls_of
from analysis.runs.rows import Rows
from analysis.verdicts.place import Place
from analysis.verdicts.stage_results import Result, StageKey
from analysis.words.level import LevelKind, kind_of, short_level, value_of
from analysis.words.spread import STATISTICS, Statistic
from analysis.words.stage_figures import StageFigures
from analysis.words.user_perceived import Perceived, perceived


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """A stage, or the repetitions of a level together, as it is drawn.

    `series`: what gets a line and a colour of its own, the target (with its run where two runs have a target of that name).
    `line`: the repetition of the sweep, each of which has a line. `level`: the number of users or the planned requests/s.
    `user`: its times as a user perceives them.
    """

    key: StageKey
    figures: StageFigures
    user: Perceived
    series: str
    line: int | None
    level: float

    @property
    def payload(self) -> str:
        return self.figures.identity.payload

    @property
    def level_text(self) -> str:
        """5 or 2.5/s."""
        return short_level(self.figures)

    @property
    def hollow(self) -> bool:
        """Whether it is SUSPECT or INVALID."""
        return self.figures.trust.verdict in ("SUSPECT", "INVALID")


@dataclasses.dataclass(frozen=True)
class View:
    """A Report's stages and requests, ready to be drawn.

    Where a run retries, times and error rates are of calls; in the open loop times are from when a request was due.
    """

    report: Report
    steps: list[Mark]  # a stage each, levels of one kind
    points: Points  # the measured successes, each with the number of its stage's mark in all_steps; levels of one kind
    looks: dict[str, style.Look]  # by series
    candidates: list[Mark]  # a level each of either kind, its repetitions together
    all_steps: list[Mark]  # steps and points of either kind
    all_points: Points
    kind: LevelKind = "users"

    @classmethod
    def of(cls, report: Report) -> "View":
        """The view of the stages by users; by rate where all stages are open-loop ones."""
        named = _series(report.results)
        sweeps: dict[tuple[str, int | None], int] = {}  # a line each: a repetition of a run
        for r in report.results:
            sweeps.setdefault((r.key.run, r.figures.identity.repeat), len(sweeps))
        steps = [_mark(r, named, sweeps[r.key.run, r.figures.identity.repeat]) for r in report.results]
        levels = [_mark(r, named, 1) for r in report.candidates]  # one line: each level stands there once
        points = _points(report, steps)
        whole = cls(report, steps, points, style.looks(m.series for m in steps), levels, steps, points)
        return whole.by("users" if any(m.figures.users is not None for m in steps) else "rate")

    def by(self, kind: LevelKind) -> "View":
        """The part of it whose levels are of one kind."""
        steps = [m for m in self.all_steps if kind_of(m.figures) == kind]
        own = np.array([kind_of(m.figures) == kind for m in self.all_steps], dtype=bool)
        points = self.all_points if own.all() else self.all_points.where(own[self.all_points.at])
        return dataclasses.replace(self, steps=steps, points=points, kind=kind)

    @property
    def axis(self) -> str:
        return "Users" if self.kind == "users" else "Planned requests per second"

    @property
    def by_what(self) -> str:
        return "concurrency" if self.kind == "users" else "planned rate"

    @property
    def dataset(self) -> str:
        return style.literal(str(self.report.dataset))

    @property
    def of_interest(self) -> list[Mark]:
        """The stages on the dataset of interest."""
        return [m for m in self.steps if m.payload == self.report.dataset]

    def looks_in(self, marks: list[Mark]) -> list[style.Look]:
        """Of the series that have a mark, in the report's order."""
        there = {m.series for m in marks}
        return [look for series, look in self.looks.items() if series in there]

    def series_in(self, points: Points) -> list[str]:
        """The series that have a point, in the report's order."""
        there = {self.all_steps[mark].series for mark in points.marks}
        return [series for series in self.looks if series in there]

    @functools.cached_property
    def numbers(self) -> dict[StageKey, int]:
        """Of the marks of all steps, by which points are found."""
        return {m.key: n for n, m in enumerate(self.all_steps)}

    def marks_of(self, series: str) -> set[int]:
        """The numbers of a series' marks."""
        return {n for n, m in enumerate(self.all_steps) if m.series == series}

    def limit(self, name: str, statistic: str | None = None) -> float | None:
        """An SLO limit that all runs share: limit("error_rate"), limit("latency_s", "p95"); else None."""
        found = set()
        for slo in self.report.slo.values():
            value = slo.get(name)
            found.add((value or {}).get(statistic) if statistic else value)
        return found.pop() if len(found) == 1 else None

    def limits(self, name: str) -> dict[Statistic, float]:
        """The shared limits on `latency_s` or `ttft_s` by statistic."""
        known = {s: self.limit(name, s) for s in STATISTICS}
        return {s: value for s, value in known.items() if value is not None}

    @property
    def latency_limit(self) -> tuple[Statistic, float | None]:
        """The latency statistic that decides and its limit: p95 where that is limited or nothing is."""
        limits = self.limits("latency_s")
        order: tuple[Statistic, ...] = ("p95", "p99", "p99_9", "p90", "mean", "p50")
        for statistic in order:
            if statistic in limits:
                return statistic, limits[statistic]
        return "p95", None

    def chosen(self, marks: list[Mark]) -> list[Mark]:
        """The recommended stage's, or none."""
        return [m for m in marks if m.key == self.report.recommendation.pick]

    def knee(self, line: list[Mark]) -> list[Mark]:
        """The mark of a series' line at which its knee lies, or none."""
        series = {(m.key.run, m.figures.identity.target): m.series for m in self.all_steps}
        at = {
            (series.get((k.run, k.target)), k.payload, value_of(k))
            for k in self.report.knees
            if k.users is not None or k.rate is not None
            if kind_of(k) == self.kind
        }
        return [m for m in line if (m.series, m.payload, m.level) in at]


def _points(report: Report, marks: list[Mark]) -> Points:
    """The measured successes of the stages; of runs that retry the calls. In the open loop with times from when each was due."""
    found = [_points_of(report, name, marks) for name in report.records]
    return Points(
        np.concatenate([one.at for one in found]),
        {name: np.concatenate([one.numbers[name] for one in found]) for name in NAMES},
    )


def _points_of(report: Report, run: str, marks: list[Mark]) -> Points:
    records = Rows(report.records[run])
    records = calls_of(records).table if run in report.retries else records
    records = records[((records["phase"] == "measure") & records["error"].isna()).to_numpy()]
    records = from_due(records) if report.open_loop else records
    number = {m.key.stage: n for n, m in enumerate(marks) if m.key.run == run}
    stages, which = np.unique(records["stage"].to_numpy(), return_inverse=True)
    at = np.array([number.get(int(stage), -1) for stage in stages], dtype=np.int64)[which]
    points = Points(at, {name: records[name].to_numpy(dtype=float) for name in NAMES})
    return points if (at >= 0).all() else points.where(at >= 0)


def _mark(result: Result, named: dict[Place, str], line: int | None) -> Mark:
    figures = result.figures
    return Mark(result.key, figures, perceived(figures), named[result.place], line, float(value_of(figures)))


def _series(results: list[Result]) -> dict[Place, str]:
    """What a place's line is called: its target, with its runs where two places have a target of that name."""
    targets: dict[Place, dict[str, None]] = {}
    runs: dict[Place, dict[str, None]] = {}
    for r in results:
        targets.setdefault(r.place, {})[r.figures.identity.target] = None
        runs.setdefault(r.place, {})[r.key.run] = None
    named = {place: " and ".join(own) for place, own in targets.items()}
    alike = list(named.values())
    return {p: f"{name} ({', '.join(runs[p])})" if alike.count(name) > 1 else name for p, name in named.items()}


def lines(marks: list[Mark]) -> typing.Iterator[tuple[str, list[Mark]]]:
    """(series, its stages by level), one for each repetition of a sweep."""
    found: dict[tuple[str, int | None], list[Mark]] = {}
    for m in marks:
        found.setdefault((m.series, m.line), []).append(m)
    for (series, _repeat), line in found.items():
        yield series, sorted(line, key=lambda m: m.level)


def numbers(values: typing.Iterable[float | None]) -> list[float]:
    """For Matplotlib: not a number where a value is not known."""
    return [math.nan if value is None else value for value in values]
