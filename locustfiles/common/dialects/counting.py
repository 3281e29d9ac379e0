"""CountTokens: a request inside another, and the number of its prompt's tokens.

InvokeModel's body travels as it is, in base64; of Converse's the members that make up the prompt.
"""

import base64
import json
import typing

from locustfiles.common.dialects.parsed import AnswerBuilder
from locustfiles.common.dialects.token_counts import whole_number
from locustfiles.contract.error_classes import ErrorClass

_MEMBERS = ("messages", "system", "toolConfig", "additionalModelRequestFields")  # of Converse that CountTokens has


def as_json(document: typing.Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def counted(dialect: str, document: dict) -> dict:
    """What asks for the count of a request: of Converse, or of a family's body. Raises TypeError or ValueError where that is
    not JSON."""
    if dialect == "converse":
        return {"input": {"converse": {name: document[name] for name in _MEMBERS if name in document}}}
    return {"input": {"invokeModel": {"body": base64.b64encode(as_json(document)).decode()}}}


def count_whole(builder: AnswerBuilder, answer: dict) -> None:
    """The service's own count, which is all that there is."""
    tokens = answer.get("inputTokens")
    builder.count(prompt_tokens=tokens)
    builder.produced = True
    if whole_number(tokens) is None:
        builder.fail(ErrorClass.BAD_RESPONSE, None, "no `inputTokens` in the answer")
