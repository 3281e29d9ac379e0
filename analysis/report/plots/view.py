"""What the plots read of a Report, in the shape they want it."""

import dataclasses
import typing

import pandas as pd

from analysis.advice.report_model import Report
from analysis.report.plots import style as style
from analysis.runs.due_times import from_due
from analysis.runs.retried_calls import calls_of
from analysis.words.level import short_level


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """A Report's stages and requests, ready to be drawn.

    The tables have a column `series`: what gets a line and a colour of its own, the target (with its run
    where two runs have a target of that name); and `level`, the number of users or the planned requests/s, of one kind
    in `steps` and `points`. Where a run retries, times and error rates are of calls; in the open loop times are from when
    a request was due.
    """

    report: Report
    steps: pd.DataFrame  # a row a stage
    points: pd.DataFrame  # a row a measured success, with its stage's verdict
    looks: dict[str, style.Look]  # by series
    candidates: pd.DataFrame  # a row a level of either kind, its repetitions together; `level_text` is 5 or 2.5/s
    all_steps: pd.DataFrame  # steps and points of either kind
    all_points: pd.DataFrame
    kind: typing.Literal["users", "rate"] = "users"

    @classmethod
    def of(cls, report: Report) -> "View":
        """The view of the stages by users; by rate where all stages are open-loop ones."""
        steps = _steps(report.steps, report)
        records = _perceived_records(report)
        points = records[(records["phase"] == "measure") & records["error"].isna()]
        points = points.assign(series=_series(points, report.steps))
        points = points.drop(columns=["users", "rate"], errors="ignore")
        points = points.merge(
            steps[["run", "stage", "verdict", "users", "rate", "level"]], on=["run", "stage"], how="inner"
        )
        levels = _steps(report.pooled, report).assign(repeat=1)  # one line: each level stands there once
        whole = cls(report, steps, points, style.looks(steps["series"]), levels, steps, points)
        return whole.by("users" if steps["users"].notna().any() else "rate")

    def by(self, kind: typing.Literal["users", "rate"]) -> "View":
        """The part of it whose levels are of one kind."""
        steps, points = (t.dropna(subset=[kind]) for t in (self.all_steps, self.all_points))
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
    def of_interest(self) -> pd.DataFrame:
        """The stages on the dataset of interest whose level is known."""
        return self.steps[self.steps["payload"] == self.report.dataset].dropna(subset=["level"])

    def series_in(self, table: pd.DataFrame) -> list[str]:
        """The series that have a row in `table`, in the report's order."""
        return [s for s in self.looks if (table["series"] == s).any()]

    def looks_in(self, table: pd.DataFrame) -> list[style.Look]:
        return [self.looks[s] for s in self.series_in(table)]

    def limit(self, name: str, statistic: str | None = None) -> float | None:
        """An SLO limit that all runs share: limit("error_rate"), limit("latency_s", "p95"); else None."""
        found = set()
        for slo in self.report.slo.values():
            value = slo.get(name)
            found.add((value or {}).get(statistic) if statistic else value)
        return found.pop() if len(found) == 1 else None

    def limits(self, name: str) -> dict[str, float]:
        """The shared limits on `latency_s` or `ttft_s` by statistic."""
        known = {s: self.limit(name, s) for s in ("mean", "p50", "p95", "p99")}
        return {s: value for s, value in known.items() if value is not None}

    @property
    def latency_limit(self) -> tuple[str, float | None]:
        """The latency statistic that decides and its limit: p95 where that is limited or nothing is."""
        limits = self.limits("latency_s")
        for statistic in ("p95", "p99", "mean", "p50"):
            if statistic in limits:
                return statistic, limits[statistic]
        return "p95", None

    def chosen(self, steps: pd.DataFrame) -> pd.DataFrame:
        """The recommended stage's row, or none."""
        best = self.report.recommendation
        if best is None or best.pick is None:
            return steps[:0]
        return steps[(steps["run"] == best.pick.run) & (steps["stage"] == best.pick.stage)]

    def knee(self, line: pd.DataFrame) -> pd.DataFrame:
        """The stage of a series' line at which its knee lies, or none."""
        knees = self.report.knees
        if line.empty or knees.empty:
            return line[:0]
        first = line.iloc[0]
        same = (knees["run"] == first["run"]) & (knees["target"] == first["target"])
        at = knees[same & (knees["payload"] == first["payload"])].dropna(subset=[self.kind])
        return line[line["level"].isin(at[self.kind].astype("float64"))]


def _perceived_records(report: Report) -> pd.DataFrame:
    """A row a request; of runs that retry a row a call. In the open loop with its times from when it was due."""
    records = report.records
    if report.retries:
        plain = records[~records["run"].isin(list(report.retries))]
        records = pd.concat([plain, *(calls_of(records[records["run"] == name]).table for name in report.retries)])
    return from_due(records) if report.open_loop else records


def _steps(table: pd.DataFrame, report: Report) -> pd.DataFrame:
    level = table["users"].astype("float64").fillna(table["rate"])
    texts = [short_level(row) for _, row in table.iterrows()]
    return perceived_steps(table).assign(series=_series(table, report.steps), level=level, level_text=texts)


def _series(table: pd.DataFrame, steps: pd.DataFrame) -> pd.Series:
    runs = steps.groupby("target")["run"].nunique()
    shared = table["target"].map(runs) > 1
    return table["target"].where(~shared, table["target"] + " (" + table["run"].astype(str) + ")")


def lines(steps: pd.DataFrame) -> typing.Iterator[tuple[str, pd.DataFrame]]:
    """(series, its stages by level), one for each repetition of a sweep."""
    for (series, _repeat), line in steps.groupby(["series", "repeat"], sort=False, dropna=False):
        yield series, line.sort_values("level")


def untrusted(steps: pd.DataFrame) -> pd.Series:
    """True for SUSPECT and INVALID stages."""
    return steps["verdict"].isin(["SUSPECT", "INVALID"])


def perceived_steps(steps: pd.DataFrame) -> pd.DataFrame:
    """The steps table with latency, TTFT and error rate as a user perceives them."""
    changed = {}
    for prefix, concerned in (("call_", steps["calls"].notna()), ("intended_", steps["rate"].notna())):
        for c in steps.columns if concerned.any() else ():
            if f"{prefix}{c}" in steps.columns:
                changed[c] = steps[f"{prefix}{c}"].where(concerned, changed.get(c, steps[c]))
    return steps.assign(**changed) if changed else steps
