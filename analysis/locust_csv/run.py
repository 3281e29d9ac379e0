"""A Locust run's steps: which rows are costed, over which seconds, and what to mind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.locust_csv.counts import NOTHING, TOTAL, BadLocustCsv, History, Key, Totals
from analysis.locust_csv.doubts import (
    Measured,
    clock_jumps,
    ended_after,
    failures_outside,
    littles_law,
    silences,
    uncounted_in,
    uneven_sums,
    uneven_words,
)
from analysis.locust_csv.kinds import Choice, Wanted, choice_words, choose, listed
from analysis.locust_csv.levels import Stage, levels_of, stage_of
from analysis.locust_csv.reader import LocustFiles, read_files
from analysis.locust_csv.steps import Dropped, Step, dropped_text, held_s, step_of, too_short, users_text, whole_run
from analysis.locust_csv.target import check_target, targets_beside
from analysis.locust_csv.windows import SETTLE_S, SHORTEST_STEP_S, Reports, reports_of, window_of
from analysis.words.format import count

ALL = Wanted()


@dataclass(frozen=True, slots=True)
class LocustRun:
    """The steps of one run, in the order of time, and what to mind of them: whole sentences without their full stop."""

    prefix: str
    steps: list[Step]
    notes: list[str]
    dropped: list[Dropped]
    choice: Choice
    stages: int  # of a Swarmledger run, of all its targets; 0 for any other


def read_run(given: str, settle_s: float = SETTLE_S, wanted: Wanted = ALL, target: str | None = None) -> LocustRun:
    """The steps of the run with this PREFIX, of the rows that are wanted. Raises BadLocustCsv."""
    files = read_files(given)
    targets = targets_beside(files.prefix)
    check_target(files.prefix, targets, target, wanted.given)
    stages = _stages(files, targets, target)
    if stages:
        only = [key for keys in stages.values() for key in keys if wanted.fits(key)]
        if not only:
            choose(files.prefix, files.known, wanted)
            raise BadLocustCsv(f"--target {target}: has no stage with {wanted}; use `python -m analysis report`")
        choice = Choice(tuple(only))
        stages = {stage: kept for stage, keys in stages.items() if (kept := [key for key in keys if key in only])}
    elif target is not None:
        raise BadLocustCsv(f"--target {target}: none of its stages is in these files; use `python -m analysis report`")
    else:
        choice = choose(files.prefix, files.known, wanted)
    return _Reading(files, choice, stages, settle_s, wanted).run()


def _stages(files: LocustFiles, targets: list[str], target: str | None) -> dict[Stage, list[Key]]:
    """The names of a Swarmledger run by stage; none where it is no such run."""
    found: dict[Stage, list[Key]] = {}
    for key in files.known:
        stage = stage_of(key, targets)
        if stage and target in (None, stage.target):
            found.setdefault(stage, []).append(key)
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    files: LocustFiles
    choice: Choice
    stages: dict[Stage, list[Key]]
    settle_s: float
    wanted: Wanted

    def run(self) -> LocustRun:
        history, totals = self.files.history, self.files.totals
        keys, why = self._keys(history)
        steps: list[Step] = []
        notes: list[str] = []
        dropped: list[Dropped] = []
        if history and keys:
            steps, notes, dropped = self._steps(history, keys)
            why = self._why_no_step(history, dropped)
            self._check_any(history, keys, steps, dropped)
        if not steps:  # and no level is left out of the whole run
            steps, notes = self._whole_run(history, totals, why)
            dropped = []
        surplus = uneven_sums(history, totals)
        total = (
            history.whole([TOTAL]).requests if history else totals.rows.get(TOTAL, NOTHING).requests if totals else 0
        )
        notes += [] if self.stages else uneven_words(surplus, total, TOTAL not in keys and bool(steps[0].parts))
        notes += [] if self.stages else choice_words(self.choice, self.files.known)
        if history and not history.keys and totals is None:
            notes.append("What kinds of requests are summed is not known without _stats.csv")
        return LocustRun(self.files.prefix, steps, notes, dropped, self.choice, len(self._all_stages()))

    def _keys(self, history: History | None) -> tuple[list[Key], str]:
        """The history's rows that are to be summed; none, and why, where it has no such."""
        if history is None:
            return [], self.files.why_no_history
        by_name = [key for key in self.choice.keys if key in history.series]
        if by_name:
            return by_name, ""
        if self.choice.is_all:
            return [TOTAL], ""
        what = listed(self.choice.keys)
        return [], f"the history has sums only, which do not tell {what} apart (--csv-full-history does)"

    def _steps(self, history: History, keys: list[Key]) -> tuple[list[Step], list[str], list[Dropped]]:
        levels = levels_of(history, self._all_stages())
        reports = reports_of(history)
        measured: list[Measured] = []
        dropped: list[Dropped] = []
        visits = 0
        for level in levels:
            own = self.stages.get(level.stage, []) if level.stage else keys
            own = [key for key in own if key in history.series]
            if not own:
                continue
            window = None
            if not too_short(history, level):
                window = window_of(history, level, own, history.moves(own), self.settle_s, reports)
            if window is None:
                dropped.append(Dropped(level.users, held_s(history, level)))
                continue
            visits += 1
            step = step_of(self.files.prefix, visits, history, level, window, own)
            if step.requests or not level.stage:
                after = ended_after(history, self.files.totals, own, level)
                uncounted = 0 if level.stage or TOTAL in own else uncounted_in(history, window)
                measured.append(Measured(replace(step, after=after, uncounted=uncounted), level, window))
        notes = self._notes(history, keys, measured, dropped, reports)
        return [one.step for one in measured], notes, dropped

    def _check_any(self, history: History, keys: list[Key], steps: list[Step], dropped: list[Dropped]) -> None:
        """Raises BadLocustCsv where what was asked for ended outside every step."""
        if self.wanted.given and steps and not any(step.requests for step in steps) and history.whole(keys).requests:
            held = f" (left out, {_too_short(reports_of(history))}: {dropped_text(dropped)})" if dropped else ""
            raise BadLocustCsv(
                f"{self.wanted}: is in {history.path}, but only outside its steps{held}; hold each level for "
                f"{SHORTEST_STEP_S:g} s or longer, or use a smaller --settle-s"
            )

    def _why_no_step(self, history: History, dropped: list[Dropped]) -> str:
        if not dropped:
            return "no users in the history" if not any(s.users for s in history.seconds) else "no step in the history"
        return f"no step in the history, whose levels of users were {_too_short(reports_of(history))}: {dropped_text(dropped)}"

    def _nothing_to_cost(self, history: History | None, why: str) -> str:
        ended = history.whole([TOTAL]) if history else NOTHING
        if not ended.requests:
            return "no request ended in this run, nothing was measured; run it again"
        stats = f"{Path(self.files.prefix).name}_stats.csv"
        counts = f"{count(ended.requests)} requests ended, {count(ended.failures)} of them failed"
        return f"{why}; {counts}; hold levels longer, or give {stats}, too, for one row over the whole run"

    def _all_stages(self) -> dict[Stage, list[Key]]:
        """Those of other targets, too: a stage ends where the next begins."""
        return _stages(self.files, targets_beside(self.files.prefix), None) if self.stages else {}

    def _notes(
        self, history: History, keys: list[Key], measured: Sequence[Measured], dropped: list[Dropped], reports: Reports
    ) -> list[str]:
        notes = []
        short = [one for one in measured if not one.window.settled]
        if len(measured) > len(short) and self.settle_s:
            notes.append(f"the first {self.settle_s:g} s of every step are left out")
        if short:
            told = ", ".join(
                f"{users_text(one.step.users)} ({held_s(history, one.level):.0f} s, its first "
                f"{one.window.settle_rows * history.interval:.0f} s left out)"
                for one in short
            )
            notes.append(
                f"too short to leave out {self.settle_s:g} s, so measured over about their second half: {told}"
            )
        if dropped:
            notes.append(f"left out, {_too_short(reports)}: {dropped_text(dropped)}")
        if reports == "perhaps" and measured:
            notes.append(
                "too short to tell whether counts come with workers' reports, every 3 s: rates are known to 3 s"
            )
        elif reports != "none":
            notes.append("counts come with workers' reports, every 3 s, to which windows are aligned")
        moves = history.moves(keys)
        notes += silences(history, measured, moves) + clock_jumps(measured)
        if not self.choice.others and not self.choice.upkeep:  # of users that make other calls, too, these say nothing
            notes += littles_law(measured)
        return notes + failures_outside(history, self.files.totals, keys, measured)

    def _whole_run(self, history: History | None, totals: Totals | None, why: str) -> tuple[list[Step], list[str]]:
        prefix = self.files.prefix
        if totals is None:
            raise BadLocustCsv(f"{history.path if history else prefix}: {self._nothing_to_cost(history, why)}")
        note = [f"{why}: one row over the whole run, start and end included"]
        if self.stages:
            if len(self._all_stages()) > 1:  # the seconds of the whole run are not a stage's
                totals = replace(totals, seconds=None)
                note.append(
                    "seconds of its stages are not in these files, so what an hour of them costs is left empty; use "
                    f"`python -m analysis report {Path(prefix).parent}`, or hold each level longer"
                )
            named = [(key, stage) for stage, keys in self.stages.items() for key in keys if key in totals.rows]
            if named:
                return [whole_run(prefix, totals, [key], _users(stage)) for key, stage in named], note
        keys = [key for key in self.choice.keys if key in totals.rows]
        if self.choice.is_all and TOTAL in totals.rows and not uneven_sums(None, totals):
            keys = [*keys] if len(keys) == 1 else [TOTAL]
        if not keys and not self.choice.keys and TOTAL in totals.rows:
            keys = [TOTAL]  # no request at all
        if not keys:
            what = listed(self.choice.keys) or TOTAL
            raise BadLocustCsv(f"{totals.path}: has no row of {what}; give both files of one run, as Locust wrote them")
        return [whole_run(prefix, totals, keys)], note


def _too_short(reports: Reports) -> str:
    alone = f"held for less than {SHORTEST_STEP_S:g} s"
    return alone if reports in ("none", "perhaps") else f"{alone} or two reports of the workers"


def _users(stage: Stage) -> int | None:
    return int(stage.users) if stage.users is not None else None
