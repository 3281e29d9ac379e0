"""A container of any form: a body that nobody knows, and an answer whose places the configuration names in JMESPath.

The expressions are turned round: `generated_texts[0]` becomes `{"generated_texts": ["…"]}`. A stream is server-sent events,
each with the next piece of text, the last one with what closes it.
"""

import typing

import jmespath
import jmespath.exceptions
import jmespath.parser

from locustfiles.contract.scenario.raw import RawAnswer
from scripts.emulator.dialects import Call, Piece
from scripts.emulator.frames import compact

_LIMITS = (
    "max_tokens",
    "max_new_tokens",
    "max_completion_tokens",
    "max_length",
    "maxTokens",
    "n_predict",
    "num_predict",
)
_DEFAULT_MAX_TOKENS = 100


class Raw:
    """Raises ValueError, with the key, for an expression that cannot be turned round."""

    STREAM_TYPE = "text/event-stream"
    BY_OPERATION = True  # the body does not say whether to stream

    def __init__(self, answer: RawAnswer):
        self._answer = answer
        for key, value in (("text", "x"), ("prompt_tokens", 1), ("completion_tokens", 1), ("stop_reason", "x")):
            self._put(key, value)
        self._put("done", True)

    def _put(self, key: str, value: typing.Any, into: typing.Any = None) -> typing.Any:
        """The answer so far with a value where the expression of this key finds it."""
        text = getattr(self._answer, key)
        if text is None:
            return into
        made = _joined(into, _turned(jmespath.parser.Parser().parse(text).parsed, value))
        try:
            found = jmespath.search(text, made)
        except jmespath.exceptions.JMESPathError:
            found = None
        if not found if key == "done" else found != value and found != [value]:
            raise ValueError(f"answer.{key}: `{text}` cannot be turned round into an answer")
        return made

    def read(self, body: dict) -> Call:
        return Call(prompt="\n".join(_texts(body)), max_tokens=_limit(body) or _DEFAULT_MAX_TOKENS)

    def _counts(self, a, made: typing.Any) -> typing.Any:
        made = self._put("stop_reason", {"length": "length"}.get(a.stop, "stop"), made)
        if a.reports_usage:
            made = self._put(
                "completion_tokens", a.completion_tokens, self._put("prompt_tokens", a.prompt_tokens, made)
            )
        return made

    def whole(self, a) -> typing.Any:
        return self._put("done", True, self._counts(a, self._put("text", a.text())))

    def opening(self, a) -> list[Piece]:
        return []

    def delta(self, a, text: str, token_id: int) -> list[Piece]:
        return [_event("delta", self._put("text", text))]

    def closing(self, a) -> list[Piece]:
        end = self._put("done", True, self._counts(a, None))
        close = [] if self._answer.done else [Piece("close", "PayloadPart", b"data: [DONE]\n\n")]
        return ([_event("start" if close else "close", end)] if end is not None else []) + close

    def refusal(self, text: str) -> tuple[int, dict]:
        return 400, {"error": text}

    def too_long(self, prompt_tokens: int, max_tokens: int, limit: int) -> str:
        return f"{prompt_tokens} prompt tokens and {max_tokens} more are above the limit of {limit}"


def _event(kind: str, value: typing.Any) -> Piece:
    return Piece(kind, "PayloadPart", b"data: %b\n\n" % compact(value))


def _texts(value: typing.Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for v in inner for text in _texts(v)]


def _limit(value: typing.Any) -> int | None:
    """A token limit anywhere in the body, by its usual names."""
    if isinstance(value, dict):
        for key in _LIMITS:
            if isinstance(value.get(key), int) and value[key] > 0:
                return value[key]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for v in inner if (found := _limit(v))), None)


def _turned(node: dict, value: typing.Any) -> typing.Any:
    """JSON in which the expression finds the value, at least for paths, lists, `||`, comparisons and functions of a path."""
    children = node.get("children", [])
    match node["type"]:
        case "field":
            return {node["value"]: value}
        case "index":
            return [None] * max(0, node["value"]) + [value]
        case "subexpression" | "index_expression" | "pipe":
            for child in reversed(children):
                value = _turned(child, value)
            return value
        case "projection":
            items = value if isinstance(value, list) else [value]
            return _turned(children[0], [_turned(children[1], item) for item in items])
        case "filter_projection":
            return _turned(children[0], [_joined(_turned(children[1], value), _turned(children[2], True))])
        case "value_projection":
            return _turned(children[0], {"value": _turned(children[1], value)})
        case "flatten" | "or_expression":
            return _turned(children[0], value)
        case "comparator":
            other = children[1].get("value") if children[1]["type"] == "literal" else True
            return _turned(
                children[0], other if node["value"] in ("eq", "gte", "lte") else "stop" if other is None else 1
            )
        case "function_expression":
            paths = [child for child in children if child["type"] != "literal"]
            return _turned(paths[0], value) if paths else value
    return value


def _joined(a: typing.Any, b: typing.Any) -> typing.Any:
    """Two pieces of an answer as one."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, dict) and isinstance(b, dict):
        return {**a, **{k: _joined(a.get(k), v) for k, v in b.items()}}
    if isinstance(a, list) and isinstance(b, list):
        longest = max(len(a), len(b))
        return [_joined(*(x[i] if i < len(x) else None for x in (a, b))) for i in range(longest)]
    return b
