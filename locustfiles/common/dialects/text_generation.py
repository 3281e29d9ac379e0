"""TGI, and LMI, which takes TGI's body but for the name of `stop`."""

import typing

from locustfiles.common.dialects.answer_parts import ends, part
from locustfiles.common.dialects.body_parts import Split, known
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import Target


def text_generation_body(stop: str) -> typing.Callable[[Target, Prompt, Split], dict]:
    """TGI's body, which LMI takes too but for the name of `stop`."""

    def body(target: Target, prompt: Prompt, split: Split) -> dict:
        greedy = split.temperature == 0
        temperature = None if greedy else split.temperature
        top_p = None if greedy else split.top_p
        samples = temperature is not None or (top_p is not None and top_p < 1)
        if stop == "stop" and top_p is not None and top_p >= 1:
            top_p = None  # TGI refuses 1, which means no limit
        parameters = known(max_new_tokens=split.max_tokens, temperature=temperature, top_p=top_p)
        if greedy or samples:
            parameters["do_sample"] = samples
        parameters |= known(**{stop: split.stop})
        # token counts come in the details; without them an answer has none
        parameters |= {"details": True, "return_full_text": False}
        return {"inputs": prompt.text, "parameters": parameters | split.rest, "stream": target.stream}

    return body


def text_generation_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    token = part(event, "token")
    if not (token.get("special") or token.get("special_token")):
        builder.say(token.get("text"), time)
    generated = event.get("generated_text")
    if type(generated) is str:
        builder.closed = True
        if not builder.times:  # a container that answered a streamed request in one piece
            builder.say(_without_echo(builder, generated), None)
    _text_generation_details(builder, event)


def text_generation_whole(builder: AnswerBuilder, answer: dict) -> None:
    if type(answer.get("generated_text")) is str:
        builder.say(_without_echo(builder, answer["generated_text"]), None)
    else:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no `generated_text` in the answer")
    _text_generation_details(builder, answer)


def _without_echo(builder: AnswerBuilder, text: str) -> str:
    return text.removeprefix(builder.echo) if builder.echo else text


def _text_generation_details(builder: AnswerBuilder, holder: dict) -> None:
    details = part(holder, "details")
    if not details:
        return
    prefill = details.get("prefill")
    prompt_tokens = details.get("input_length", details.get("prompt_tokens"))
    if prompt_tokens is None and type(prefill) is list and prefill:
        prompt_tokens = len(prefill)
    builder.count(prompt_tokens=prompt_tokens, completion_tokens=details.get("generated_tokens"))
    ends(builder, details.get("finish_reason"))
