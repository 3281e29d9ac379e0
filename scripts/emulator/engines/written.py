"""What a simulated model writes: words up to a stop sequence, or the JSON that a request asks for, cut into tokens.

JSON is never cut off: where the token limit is small its tokens are long. An input that may hold anything holds a text as
long as any answer."""

import json
import math
from typing import NamedTuple

from scripts.emulator import text
from scripts.emulator.dialects import VERBATIM, Call
from scripts.emulator.schemas.values import is_open, value_of

Token = tuple[str, int]


class Written(NamedTuple):
    """`tokens`: None stands for one whose text a stop sequence swallowed. `call_ends`: as the answer has them."""

    tokens: list[Token | None]
    stop: str
    matched: str | None = None
    call_ends: tuple[int, ...] = ()
    reasoning: int = 0


def asked_for_json(call: Call) -> bool:
    return bool(call.tools) or call.schema is not None


def words(call: Call, number: int, count: int, stop: str, reasoning: int) -> Written:
    """An answer of words, reasoning first, up to the first stop sequence after the reasoning."""
    tokens: list[Token | None] = [*text.words(number, count)]
    said = "".join(t for t, _ in text.words(number, count)[reasoning:]) if call.stop else ""
    found = min(((said.find(s), s) for s in call.stop if s in said), default=None)
    if found is None:
        return Written(tokens, stop, None, (), reasoning)
    at, matched = found
    made, kept = reasoning, 0
    while kept < at + len(matched):
        word, token_id = tokens[made]  # type: ignore[misc]  # no token is None yet
        left = word[: max(0, at - kept)]
        tokens[made] = (left, token_id) if left else None
        kept, made = kept + len(word), made + 1
    return Written(tokens[:made], "stop_sequence", matched, (), reasoning)


def json_text(call: Call, number: int, count: int, reasoning: int) -> Written:
    """An answer of JSON. count: how long an answer of words would be. Raises BadBody for a schema that nothing follows."""
    schemas = [tool.schema for tool in call.tools] or [call.schema]
    reasoning = max(0, min(reasoning, call.max_tokens - len(schemas)))
    tokens: list[Token | None] = [*text.words(number, reasoning)]
    ends = []
    for index, schema in enumerate(schemas):
        most = max(1, (call.max_tokens - reasoning) // len(schemas))
        if is_open(schema):
            pieces = _open(number + index, min(most, max(1, count - reasoning)))
        else:
            value = value_of(schema, number + index)
            verbatim = isinstance(schema, dict) and VERBATIM in schema and isinstance(value, str)
            pieces = _cut(value if verbatim else json.dumps(value, ensure_ascii=False), most)
        tokens += [(piece, len(text.WORDS) + i) for i, piece in enumerate(pieces)]
        ends.append(len(tokens))
    return Written(tokens, "tool" if call.tools else "stop", None, tuple(ends), reasoning)


def _open(number: int, count: int) -> list[str]:
    """`{"text": …}` with a word a token."""
    pieces = [word for word, _ in text.words(number, count)]
    pieces[0] = '{"text": "' + pieces[0]
    pieces[-1] += '"}'
    return pieces


def _cut(value: str, most: int) -> list[str]:
    size = max(text.CHARACTERS_PER_TOKEN, math.ceil(len(value) / most))
    return [value[i : i + size] for i in range(0, len(value), size)]
