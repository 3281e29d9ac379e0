"""Whether the conversations of the payloads can be held as the scenario says, told before anything is sent."""

import pathlib

from locustfiles.common.dialects.history import PLACES, TOLD_BEFORE
from locustfiles.common.dialects.request import dialect_of
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.sessions import PLACE
from locustfiles.contract.scenario.targets import SageMakerTarget, Target
from locustfiles.contract.strict_yaml import place_of

_OFFERS = ("tools", "toolConfig")


def check_sessions(path: str, scenario: Scenario, payloads: dict[str, list[Prompt]]) -> None:
    """Raises BadScenario or BadPayload."""
    for target in scenario.targets:
        stems = [pathlib.Path(name).stem for name in scenario.payloads_of(target)]
        prompts = [p for stem in stems for p in payloads[stem]]
        place, held = place_of(path, target.name), any(p.turns for p in prompts)
        load = scenario.load_of(target)
        bare = next((p.id for p in prompts if p.turns and not p.led_by), None)
        if bare and target.prefix is not None and load.held.after_failure == "go_on":
            raise BadScenario(
                f"{place}: target `{target.name}`: `prefix` stands in the first turn of conversation `{bare}`, which "
                "`after_failure: go_on` may leave out; add `system` to the line, before which it stands, or write `after_failure: end`"
            )
        if held and load.held.history == "kept" and (why := _not_kept(target)):
            raise BadScenario(f"{place}: target `{target.name}`: `history: kept` {why}, or write `history: sent`")
        if load.sessions and not held:
            raise BadScenario(
                f"{place}: target `{target.name}`: `sessions` is for conversations, and no line of its payloads has `turns`; "
                "remove it, or add some"
            )
        if named := _follows(target):
            single = next((f"{stem}: `{p.id}`" for stem in stems for p in payloads[stem] if not p.turns), None)
            if single:
                raise BadScenario(
                    f"{place}: target `{target.name}`: `{named}` has {PLACE}, and {single} is no conversation; write an id "
                    "of its own, or payloads of `turns` alone"
                )
        for stem in stems:
            for prompt in payloads[stem]:
                _check_turns(f"{stem}: target `{target.name}`: prompt `{prompt.id}`", target, prompt, load.held.answers)


def _not_kept(target: Target) -> str | None:
    """Why a service keeps no history that a request could go on from, with half of the remedy."""
    if getattr(target, "dialect", None) != "openai-responses":
        return "is for OpenAI's Responses alone; write `dialect: openai-responses`"
    return "needs answers that are kept; remove `store: false`" if target.parameters.get("store") is False else None


def _follows(target: Target) -> str | None:
    """A header's value that is the conversation's own."""
    if not isinstance(target, SageMakerTarget):
        return None
    keys = ("prefix_aware_id", "inference_id", "session_id", "custom_attributes")
    return next((key for key in keys if PLACE in (getattr(target, key) or "")), None)


def _check_turns(where: str, target: Target, prompt: Prompt, answers: str) -> None:
    several = next((turn.parameters.get("n", target.parameters.get("n")) for turn in prompt.turns), None)
    if type(several) is int and several > 1:
        raise BadPayload(f"{where}: a conversation goes on from one answer, and `n` asks for {several}; remove it")
    for number, (turn, following) in enumerate(zip(prompt.turns, prompt.turns[1:], strict=False), 1):
        if following.user is None and dialect_of(target) in TOLD_BEFORE:
            raise BadPayload(
                f"{where}: turn {number + 1} is the result of a tool, for which {dialect_of(target)} has no form here; use one of "
                f"{', '.join(PLACES)}, or payloads without tools"
            )
        if following.user is None and not any(key in target.parameters | turn.parameters for key in _OFFERS):
            raise BadPayload(
                f"{where}: turn {number + 1} is the result of a tool, and turn {number} offers none; add `tools` (Converse and "
                "Nova: `toolConfig`) to `parameters` of the target or the line"
            )
        if answers == "real":
            continue
        if following.user is None and not following.calls_known:
            raise BadPayload(
                f"{where}: turn {number + 1} has results without the `input` of their calls, which `answers: recorded` "
                "needs; add it, or write `answers: real`"
            )
        if following.user is not None and turn.answer is None:
            raise BadPayload(
                f"{where}: turn {number} has no `assistant`, the recorded answer that `answers: recorded` needs; add it, or "
                "write `answers: real`"
            )
