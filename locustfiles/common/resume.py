"""Taking up a run that was cut short: what it has measured stays, what is missing follows as another part."""

from locustfiles.common.inputs import Inputs
from locustfiles.common.run_folder import Manifest
from locustfiles.common.yaml_file import BadInput


def check_resumable(old: Manifest, inputs: Inputs) -> None:
    """Raises BadInput where it would not be the same run."""
    if old.status == "complete" and all(stage.whole for stage in old.stages):
        raise BadInput(f"run {old.name} is complete: there is nothing to resume; choose another --run-dir for a new run")
    same = {"scenario": inputs.scenario.model_dump(mode="json"), "prices": inputs.prices_as_json, "payloads": inputs.payload_files}
    for name, value in same.items():
        if getattr(old, name) != value:
            raise BadInput(f"--resume: the run was begun with another {name.rstrip('s')}; restore it, or begin a new run")
    if old.content != inputs.content:
        raise BadInput("--resume: a trace or a tokenizer has changed since the run was begun; restore it, or begin a new run")


def resumed(old: Manifest, new: Manifest) -> Manifest:
    """The manifest of a run's next part."""
    searches = {number for finding in old.findings for number in finding.stages}
    searched = {target["name"] for target in old.scenario["targets"] if (target["load"] or old.scenario["load"])["find"]}
    done = [s for s in old.stages if s.whole and (s.target not in searched or s.stage in searches)]
    if old.parts[-1].status == "running":  # it was killed
        old.parts[-1].status = "broken off"
    old.abandoned += [s for s in old.stages if s not in done]
    old.stages = done
    old.problems = [p for p in old.problems if p.stages is None or {s.stage for s in done} & set(p.stages)]
    old.parts += new.parts
    old.status, old.ended_at = new.status, None
    return old
