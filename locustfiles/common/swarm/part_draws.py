"""Which part of a mix the next request of this process is."""

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.shuffled_blocks import ShuffledBlocks
from locustfiles.contract.scenario.mixes import counts
from locustfiles.contract.scenario.scenario import Scenario


class PartDraws:
    """Of one scenario. All users of a process draw from one sequence a stage, so that every worker keeps the shares."""

    def __init__(self, scenario: Scenario, seed_text: str) -> None:
        self._scenario, self._seed_text = scenario, seed_text
        self._parts = scenario.parts
        self._counts = counts([part.weight for part in scenario.mix or ()])
        self._of: StageSpec | None = None  # the stage that is drawn for
        self._specs: list[StageSpec] = []
        self._draws: ShuffledBlocks | None = None

    def next(self, spec: StageSpec) -> StageSpec:
        """The stage to send for, where `spec` is under way: of a mix one of its parts, else itself."""
        if not self._parts:
            return spec
        if spec is not self._of:
            if self._of is None or self._of.stage != spec.stage or self._draws is None:
                self._draws = ShuffledBlocks(self._counts, f"{self._seed_text}/mix/{spec.stage}")
            self._of, self._specs = spec, spec.parts(self._parts)
        assert self._draws is not None
        return self._specs[next(self._draws)]
