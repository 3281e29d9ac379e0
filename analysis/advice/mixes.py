"""Why parts of mixes, and ramps, are in no recommendation."""

from analysis.advice.recommend import Recommendation
from analysis.runs.run_reader import Run
from analysis.verdicts.stage_results import Result

NO_RIVALS = (
    "Stages that are parts of a mix are never recommended nor ranked: they were sent to at the same time, so each had the others' load "
    "beside it, and is no rival of them nor of stages measured alone. The section Mixes has their figures, and those of all together."
)
NO_LEVEL = (
    "Ramps are never recommended nor ranked: their rate went on rising or falling, so their figures are of no one load. The section "
    "Ramps has them by slices of time."
)


def told_why(best: Recommendation, rivals: list[Result], runs: list[Run]) -> None:
    """Say in the recommendation that parts of mixes, and ramps, are in none. rivals: the stages that are neither."""
    mixed = any(run.scenario.mix for run in runs)
    ramped = any(stage.ramp for run in runs for stage in run.manifest.stages)
    why = [text for text, there in ((NO_RIVALS, mixed), (NO_LEVEL, ramped)) if there]
    if why and not any(r.payload == best.dataset for r in rivals):
        how = " and ".join(word for word, there in (("mixes", mixed), ("ramps", ramped)) if there)
        best.facts = [f"Nothing is recommended for `{best.dataset}`: it was measured in {how} alone.", *why]
    else:
        best.warnings = [*best.warnings, *why]
