"""Text completions: Mistral's and DeepSeek's on Bedrock, and the body of OpenAI's. The first two count no tokens in the body."""

from locustfiles.common.dialects.answer_parts import begins_or_ends, closes, needs, objects
from locustfiles.common.dialects.body_parts import Split, merged, model_of, sampling
from locustfiles.common.dialects.parsed import THINK, AnswerBuilder
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.targets import Target


def completion_body(target: Target, prompt: Prompt, split: Split) -> dict:
    """Mistral's and DeepSeek's body, and OpenAI's completions, which alone say in the body that they stream."""
    document = model_of(target) | {"prompt": prompt.text} | sampling(split)
    if target.stream and target.service != "bedrock":
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    return merged(document, split.rest, prompt)


def mistral_event(builder: AnswerBuilder, event: dict, time: float | None) -> None:
    for place, piece in enumerate(objects(event, "outputs")):
        builder.say(piece.get("text"), time)
        begins_or_ends(builder, place, piece, piece.get("stop_reason"))
        closes(builder, piece.get("stop_reason"))


def mistral_whole(builder: AnswerBuilder, answer: dict) -> None:
    mistral_event(builder, answer, None)
    needs(builder, answer, "outputs", list)


def deepseek_event(builder: AnswerBuilder, event: dict, time: float | None) -> None:
    for place, piece in enumerate(objects(event, "choices")):
        builder.say_tagged(piece.get("text"), time, THINK)
        begins_or_ends(builder, place, piece, piece.get("stop_reason"))
        closes(builder, piece.get("stop_reason"))


def deepseek_whole(builder: AnswerBuilder, answer: dict) -> None:
    deepseek_event(builder, answer, None)
    needs(builder, answer, "choices", list)
