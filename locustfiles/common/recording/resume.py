"""Taking up a run that was cut short: what it has measured stays, what is missing follows as another part."""

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.plan import Group
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import Manifest, StageWindow
from locustfiles.contract.scenario.loads import Level


def check_resumable(old: Manifest, inputs: Inputs) -> None:
    """Raises BadInput where it would not be the same run."""
    if old.status == "complete" and len(_kept(old)) == len(old.stages) and not old.left_out:
        raise BadInput(
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


def sound(manifest: Manifest) -> list[StageWindow]:
    """The stages that need not be measured again: whole, and of no problem's concern."""
    concerned = [problem.stages for problem in manifest.problems]
    return [s for s in manifest.stages if s.whole and not any(of is None or s.stage in of for of in concerned)]


def _kept(old: Manifest) -> list[StageWindow]:
    """Those that are sound and, of a search, have decided what they could."""
    searched = {
        target["name"] for target in old.scenario["targets"] if (target["load"] or old.scenario["load"])["find"]
    }
    return [s for s in sound(old) if s.target not in searched or s.outcome]


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
