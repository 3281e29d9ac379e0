"""Titan text."""

from locustfiles.common.dialects.answer_parts import closes, needs, objects
from locustfiles.common.dialects.body_parts import Split, known, merged
from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.targets import Target


def titan_body(target: Target, prompt: Prompt, split: Split) -> dict:
    config = known(
        maxTokenCount=split.max_tokens, temperature=split.temperature, topP=split.top_p, stopSequences=split.stop
    )
    document = {"inputText": prompt.text} | known(textGenerationConfig=config or None)
    return merged(document, split.rest, prompt)


def titan_event(builder: AnswerBuilder, event: dict, time: float) -> None:
    builder.say(event.get("outputText"), time)
    builder.count(
        prompt_tokens=event.get("inputTextTokenCount"), completion_tokens=event.get("totalOutputTextTokenCount")
    )
    closes(builder, event.get("completionReason"))


def titan_whole(builder: AnswerBuilder, answer: dict) -> None:
    needs(builder, answer, "results", list)
    builder.count(prompt_tokens=answer.get("inputTextTokenCount"))
    for result in objects(answer, "results"):
        builder.say(result.get("outputText"), None)
        builder.count(completion_tokens=result.get("tokenCount"))
        builder.stop(result.get("completionReason"))
