"""What the text families of Bedrock's InvokeModel answer, and what embedding models do."""

from locustfiles.common.answers import objects
from locustfiles.common.errors import ErrorClass
from locustfiles.common.reading import THINK, Draft


def _needs(draft: Draft, holder: dict, key: str, kind: type) -> None:
    if type(holder.get(key)) is not kind:
        draft.fail(ErrorClass.BAD_RESPONSE, None, f"no `{key}` in the answer")


def _closes(draft: Draft, reason: object) -> None:
    """The families whose stream ends with the event that has a stop reason."""
    if reason is not None:
        draft.closed = True
        draft.stop(reason)


# --- Llama ---


def llama_event(draft: Draft, event: dict, time: float | None) -> None:
    """One chunk of a stream, or with `time` None a whole answer: both have the same keys."""
    draft.say(event.get("generation"), time)
    draft.count(prompt_tokens=event.get("prompt_token_count"), completion_tokens=event.get("generation_token_count"))
    _closes(draft, event.get("stop_reason"))


def llama_whole(draft: Draft, answer: dict) -> None:
    llama_event(draft, answer, None)
    _needs(draft, answer, "generation", str)


# --- Mistral's text completion and DeepSeek: a list of pieces, no counts in the body ---


def mistral_event(draft: Draft, event: dict, time: float | None) -> None:
    for piece in objects(event, "outputs"):
        draft.say(piece.get("text"), time)
        _closes(draft, piece.get("stop_reason"))


def mistral_whole(draft: Draft, answer: dict) -> None:
    mistral_event(draft, answer, None)
    _needs(draft, answer, "outputs", list)


def deepseek_event(draft: Draft, event: dict, time: float | None) -> None:
    for piece in objects(event, "choices"):
        draft.say_tagged(piece.get("text"), time, THINK)
        _closes(draft, piece.get("stop_reason"))


def deepseek_whole(draft: Draft, answer: dict) -> None:
    deepseek_event(draft, answer, None)
    _needs(draft, answer, "choices", list)


# --- Titan text ---


def titan_event(draft: Draft, event: dict, time: float) -> None:
    draft.say(event.get("outputText"), time)
    draft.count(
        prompt_tokens=event.get("inputTextTokenCount"), completion_tokens=event.get("totalOutputTextTokenCount")
    )
    _closes(draft, event.get("completionReason"))


def titan_whole(draft: Draft, answer: dict) -> None:
    _needs(draft, answer, "results", list)
    draft.count(prompt_tokens=answer.get("inputTextTokenCount"))
    for result in objects(answer, "results"):
        draft.say(result.get("outputText"), None)
        draft.count(completion_tokens=result.get("tokenCount"))
        draft.stop(result.get("completionReason"))


# --- Cohere ---


def command_event(draft: Draft, event: dict, time: float) -> None:
    """Command: pieces of text; a request without `stream: true` is answered in one piece, as a whole body."""
    draft.say(event.get("text"), time)
    for generation in objects(event, "generations"):
        if not draft.times:
            draft.say(generation.get("text"), time)
        _cohere_end(draft, generation)
    if event.get("is_finished") is True:
        draft.closed = True
        _cohere_end(draft, event)


def command_whole(draft: Draft, answer: dict) -> None:
    _needs(draft, answer, "generations", list)
    for generation in objects(answer, "generations"):
        draft.say(generation.get("text"), None)
        _cohere_end(draft, generation)


def command_r_event(draft: Draft, event: dict, time: float) -> None:
    kind = event.get("event_type")
    if kind == "text-generation":
        draft.say(event.get("text"), time)
    elif kind == "tool-calls-generation":
        draft.produced = True
    elif kind == "stream-end":
        draft.closed = True
        _cohere_end(draft, event)


def command_r_whole(draft: Draft, answer: dict) -> None:
    _needs(draft, answer, "text", str)
    draft.say(answer.get("text"), None)
    draft.produced |= bool(objects(answer, "tool_calls"))
    _cohere_end(draft, answer)


def _cohere_end(draft: Draft, holder: dict) -> None:
    reason = holder.get("finish_reason")
    draft.stop(reason)
    if reason in ("ERROR", "ERROR_TOXIC"):
        draft.fail(ErrorClass.BAD_RESPONSE, reason, f"the model ended the generation with finish_reason {reason}")


# --- embeddings ---


def embedding_whole(draft: Draft, answer: dict) -> None:
    """Titan's `embedding`, Cohere's and Hugging Face's `embeddings`, by type or not: numbers, which are no tokens."""
    found = next((answer[k] for k in ("embedding", "embeddings", "embeddingsByType") if answer.get(k)), None)
    draft.count(prompt_tokens=answer.get("inputTextTokenCount"), completion_tokens=0)
    if _has_number(found):
        draft.produced = True
    else:
        draft.fail(ErrorClass.BAD_RESPONSE, None, "no vector in the answer")


def _has_number(value: object) -> bool:
    """Whether the innermost first item of nested lists, or of objects of them, is a number."""
    while value and type(value) in (list, dict):
        value = next(iter(value.values() if isinstance(value, dict) else value))  # type: ignore[union-attr, arg-type]
    return type(value) in (int, float)
