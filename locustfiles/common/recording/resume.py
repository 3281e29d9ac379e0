"""Taking up a run that was cut short: what it has measured stays, what is missing follows as another part."""

import logging
import os

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.plan import Group
from locustfiles.common.recording.take_up import take_up
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import Manifest, Problem, StageWindow
from locustfiles.contract.requests_file import check_header
from locustfiles.contract.row_counts import rows_by_stage, rows_gone
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.scenario.loads import Level
from locustfiles.contract.spool import hold

log = logging.getLogger("swarmledger")


class Complete(BadInput):
    """A run of which nothing is left to measure."""


_told: set[str] = set()  # a run is looked at more than once before it goes on


def _warn(sentence: str) -> None:
    """Once in a process."""
    if sentence not in _told:
        _told.add(sentence)
        log.warning("%s", sentence)


def pick_up(folder: RunFolder, inputs: Inputs) -> tuple[Manifest, list[Problem]]:
    """The run so far, with what its parts had to keep elsewhere, and what is gone from it. The folder must be held. Raises
    NotARun, Complete or BadInput."""
    for sentence in take_up(folder):
        _warn(sentence)
    old = folder.read_manifest()
    gone = count_rows(old, folder)
    check_resumable(old, inputs)
    return old, gone


def parts_so_far(folder: RunFolder, inputs: Inputs) -> int | None:
    """How many parts a run has that may be gone on with; None where what had been kept elsewhere has completed it. Raises
    NotARun or BadInput."""
    folder.read_manifest()
    held = hold(folder.path)
    try:
        added = take_up(folder)
        for sentence in added:
            _warn(sentence)
        if folder.requests.exists():
            check_header(folder.requests)
        return len(pick_up(folder, inputs)[0].parts)
    except Complete as e:
        if not added:
            raise
        log.info("%s", e)
        return None
    finally:
        os.close(held)


def check_resumable(old: Manifest, inputs: Inputs) -> None:
    """Raises BadInput where it would not be the same run."""
    if old.status == "complete" and len(_kept(old)) == len(old.stages) and not old.left_out:
        raise Complete(
            f"--resume: run {old.name} is complete, nothing is left to measure; choose another --run-dir for a new run"
        )
    if everywhere := next((p.text for p in old.problems if p.stages is None), None):
        raise BadInput(
            f"--resume: all of the run is not to be trusted ({everywhere}); choose another --run-dir for a new run"
        )
    same = {
        "scenario": inputs.scenario.model_dump(mode="json"),
        "prices": inputs.prices_as_json,
        "payloads": inputs.payload_files,
    }
    for name, value in same.items():
        if getattr(old, name) != value:
            raise BadInput(
                f"--resume: the run was begun with another {name.rstrip('s')}; restore it, or begin a new run"
            )
    if old.content != inputs.content:
        raise BadInput(
            "--resume: a trace or a tokenizer has changed since the run was begun; restore it, or begin a new run"
        )


def count_rows(old: Manifest, folder: RunFolder) -> list[Problem]:
    """Compare what the manifest counts with requests.csv, stage by stage; those of which records are gone are whole no more.
    What a killed part has written is counted here, for it could not."""
    by_stage = rows_by_stage(folder.requests)
    if old.parts and (last := old.parts[-1]).ended_at is None and all(p.rows is not None for p in old.parts):
        last.rows = max(last.rows or 0, sum(by_stage.values()) - sum(p.rows or 0 for p in old.parts[:-1]))
        last.received = max(last.received or 0, last.rows)
    gone = rows_gone(old, by_stage)
    for problem in gone:
        for stage in old.stages:
            stage.whole = stage.whole and not (problem.stages is None or stage.stage in problem.stages)
    return gone


def sound(manifest: Manifest) -> list[StageWindow]:
    """The stages that need not be measured again: whole, and of no problem's concern."""
    concerned = [problem.stages for problem in manifest.problems]
    return [s for s in manifest.stages if s.whole and not any(of is None or s.stage in of for of in concerned)]


def _kept(old: Manifest) -> list[StageWindow]:
    """Those that are sound and, of a search, have decided what they could."""
    searched = {
        target["name"] for target in old.scenario["targets"] if (target["load"] or old.scenario["load"])["find"]
    }
    kept = [s for s in sound(old) if s.target not in searched or s.outcome]
    numbers = {s.stage for s in kept}
    return [s for s in kept if numbers.issuperset(s.mix or ())]  # a mix is measured again as a whole


def resumed(old: Manifest, new: Manifest) -> Manifest:
    """The manifest of a run's next part. What of a search was measured soundly stays, what it found only if all of it was."""
    done = _kept(old)
    numbers = {s.stage for s in done}
    if old.parts[-1].status == "running":  # it was killed
        old.parts[-1].status = "broken off"
    old.abandoned += [s for s in old.stages if s not in done]
    old.stages = done
    old.problems, old.left_out = [], []
    old.findings = [f for f in old.findings if numbers.issuperset(f.stages)]
    old.parts += new.parts
    old.status, old.ended_at = new.status, None
    return old


# what a run holds by now, of the parts before too
def next_stage(run: Manifest) -> int:
    return 1 + max((s.stage for s in (*run.stages, *run.abandoned)), default=0)


def has(run: Manifest, group: Group, level: Level) -> bool:
    """Whether this level is measured."""
    wanted = (group.target, group.payload, level.users, level.rate, group.repeat)
    return any((s.target, s.payload, s.users, s.rate, s.repeat) == wanted for s in run.stages)


def measured(run: Manifest, group: Group) -> list[StageWindow]:
    """The stages of a group's search."""
    return [s for s in run.stages if (s.target, s.payload) == (group.target, group.payload)]


def found(run: Manifest, group: Group) -> bool:
    """Whether a group's search has ended."""
    return any((f.target, f.payload) == (group.target, group.payload) for f in run.findings)
