"""What the families' answer functions share.

Each function feeds an answer builder. An object that is not of the expected shape says nothing; a stream is then not
whole, a body cannot be read.
"""

from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.contract.error_classes import ErrorClass


def part(holder: dict, key: str) -> dict:
    """The object under `key`, else an empty one: answers have nulls where something is not known."""
    value = holder.get(key)
    return value if type(value) is dict else {}


def objects(holder: dict, key: str) -> list[dict]:
    value = holder.get(key)
    return [item for item in value if type(item) is dict] if type(value) is list else []


def needs(builder: AnswerBuilder, holder: dict, key: str, kind: type) -> None:
    if type(holder.get(key)) is not kind:
        builder.fail(ErrorClass.BAD_RESPONSE, None, f"no `{key}` in the answer")


def closes(builder: AnswerBuilder, reason: object) -> None:
    """The families whose stream ends with the event that has a stop reason; an empty text is none."""
    if isinstance(reason, str) and reason:
        builder.closed = True
        builder.stop(reason)


def begins_or_ends(builder: AnswerBuilder, place: int, choice: dict, reason: object) -> None:
    """A choice of a stream's event says something, or with a `reason` why it ended; without an index it is the one at its place."""
    index = choice.get("index")
    builder.begin_or_end_choice(index if type(index) is int else place, reason)


_FAILED = ("error", "abort")  # how TGI, LMI, vLLM and SGLang name an end that is none


def ends(builder: AnswerBuilder, reason: object) -> None:
    builder.stop(reason)
    if reason in _FAILED:
        builder.fail(ErrorClass.BAD_RESPONSE, reason, f"the container ended the generation with finish_reason {reason}")
