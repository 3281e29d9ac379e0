"""Llama: a prompt in, a `generation` out."""

from locustfiles.common.dialects.answer_parts import closes, needs
from locustfiles.common.dialects.body_parts import Split, known, merged
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import Target


def llama_event(builder: AnswerBuilder, event: dict, time: float | None) -> None:
    """One chunk of a stream, or with `time` None a whole answer: both have the same keys."""
    builder.say(event.get("generation"), time)
    builder.count(prompt_tokens=event.get("prompt_token_count"), completion_tokens=event.get("generation_token_count"))
    closes(builder, event.get("stop_reason"))


def llama_whole(builder: AnswerBuilder, answer: dict) -> None:
    llama_event(builder, answer, None)
    needs(builder, answer, "generation", str)


def llama_body(target: Target, prompt: Prompt, split: Split) -> dict:
    if split.stop is not None:
        raise BadScenario(f"target `{target.name}`: Llama's body has no stop sequences; remove `parameters.stop`")
    document = {"prompt": prompt.text}
    document |= known(max_gen_len=split.max_tokens, temperature=split.temperature, top_p=split.top_p)
    return merged(document, split.rest, prompt)
