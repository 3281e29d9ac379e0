"""What a run that was cut short did not measure: by its budget, a stop, a failure or a kill.

A recommendation from such a run chooses among what was measured only, so this stands at the top.
"""

import pathlib
import typing

from analysis.runs.run_reader import Run
from analysis.words import format as show
from analysis.words.level import level_text
from locustfiles.contract.manifest import StageWindow
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.mixes import Part

#: what `ended_by` says of a stage that the end of the whole run cut short
ENDS = {"budget": "ended by its budget", "stop": "stopped (Ctrl-C, a signal or the web UI)"}


class CutShort(typing.NamedTuple):
    """One run: `text` says how it ended and what is missing, `warning` what that means for a recommendation."""

    text: str
    warning: str


def cut_short_runs(runs: list[Run]) -> list[CutShort]:
    """The runs that were cut short, in words."""
    return [cut for run in runs if (cut := _cut(run))]


def _cut(run: Run) -> CutShort | None:
    last = next((s for s in reversed(run.manifest.stages) if s.ended_by in ENDS), None)
    skipped = any(s.ended_by == "skip" and s.measure_from is None for s in run.manifest.stages)
    if last is None and run.manifest.status == "complete" and not skipped:
        return None
    text = f"Run {run.name} was {_how(run, last)}."
    missing, n = _missing(run)
    among = "The recommendation is among the stages that were measured only"
    if not missing:
        return CutShort(f"{text} Every planned stage had begun its window.", f"{among}: run {run.name} was cut short.")
    return CutShort(
        f"{text} Of its {n} planned stages these were never measured: {missing}.", f"{among}, without {missing}."
    )


def _how(run: Run, last: StageWindow | None) -> str:
    """`ended by its budget ($5.00) during stage 7 (`p4d`, `en`, 5 users), whose window is shorter than planned`"""
    if last is None or last.ended_by is None:
        ends = {
            "running": "never closed: it was killed, its disk was full, or it is still running",
            "failed": "ended by a failure",
            "complete": "complete but for what was skipped while it settled",
            "stopped": "stopped (Ctrl-C, a signal or the web UI) between two stages",
        }
        return ends.get(run.manifest.status, f"ended early ({run.manifest.status})")
    how = ENDS[last.ended_by]
    if last.ended_by == "budget" and run.scenario.budget_usd is not None:
        how += f" ({show.money(run.scenario.budget_usd)})"
    where = f"{how} during stage {last.stage} (`{last.target}`, `{last.payload}`, {level_text(last)})"
    if last.measure_from is None:
        return f"{where}, before its measured window"
    return f"{where}, whose window is shorter than planned"


def _missing(run: Run) -> tuple[str, int]:
    """What was planned and has no measured window, by target, and how many stages were planned in all. A search, and a replay
    in each repetition, count as one."""
    windows = [s for s in run.manifest.stages if s.measure_from is not None]
    begun = {(s.target, s.payload, s.users, s.rate, s.repeat) for s in windows}
    if mix := run.scenario.parts:
        return _missing_of_mix(run.scenario.load, mix, begun)
    found = {(f.target, f.payload) for f in run.manifest.findings}
    parts, n = [], 0
    for target in run.scenario.targets:
        stems = [pathlib.PurePath(p).stem for p in run.scenario.payloads_of(target)]
        load = run.scenario.load_of(target)
        if load.find:
            n += len(stems)
            parts += [f"the search of `{target.name}` on `{s}`" for s in stems if (target.name, s) not in found]
            continue
        repeats = range(1, load.repeat + 1)
        if load.replay:
            done = {(s, repeat) for t, s, _, _, repeat in begun if t == target.name}
            n += len(stems) * load.repeat
            parts += [
                f"the replay on `{target.name}` of `{s}`{_repetition(r, load.repeat)}"
                for r in repeats
                for s in stems
                if (s, r) not in done
            ]
            continue
        n += len(stems) * len(load.levels) * load.repeat
        left = {
            (s, r): [u for u in load.levels if (target.name, s, *u, r) not in begun] for r in repeats for s in stems
        }
        if all(some == load.levels for some in left.values()):
            parts.append(f"all of `{target.name}`")
            continue
        parts += [
            f"`{target.name}` on `{stem}` at {_levels(some)}{_repetition(repeat, load.repeat)}"
            for (stem, repeat), some in left.items()
            if some
        ]
    return "; ".join(parts), n


def _missing_of_mix(load: Load, mix: list[Part], begun: set[tuple]) -> tuple[str, int]:
    """Its parts are begun together."""
    target, payload, _ = mix[0]
    left = {r: [u for u in load.levels if (target, payload, *u, r) not in begun] for r in range(1, load.repeat + 1)}
    texts = [f"the mix at {_levels(some)}{_repetition(r, load.repeat)}" for r, some in left.items() if some]
    return "; ".join(texts), len(mix) * len(load.levels) * load.repeat


def _repetition(number: int, of: int) -> str:
    return f" (repetition {number})" if of > 1 else ""


def _levels(levels: typing.Sequence) -> str:
    """`1 user`, `5, 10 users` or `2.5, 5 requests/s`, of a load's levels, which are all of one kind."""
    unit = levels[-1].text.partition(" ")[2]
    return f"{', '.join(level.text.partition(' ')[0] for level in levels)} {unit}"
