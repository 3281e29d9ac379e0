"""Mistral's text completion and DeepSeek-R1 on InvokeModel: a raw prompt, answers as a list of pieces, no counts."""

from scripts.emulator.dialects import NUMBER, Call, Piece, chunk, positive, stops, want
from scripts.emulator.dialects.billed import invocation_metrics

_STOP = {"length": "length", "stop": "stop", "stop_sequence": "stop"}
_DEFAULT_MAX_TOKENS = 512


class Completions:
    """`key` is the list's name."""

    def __init__(self, key: str):
        self._key = key

    def read(self, body: dict) -> Call:
        return Call(
            prompt=want(body, "prompt", str, required=True),
            max_tokens=positive(body, "max_tokens", _DEFAULT_MAX_TOKENS),
            temperature=want(body, "temperature", NUMBER),
            top_p=want(body, "top_p", NUMBER),
            stop=stops(body, "stop"),
        )

    def _body(self, text: str, stop: str | None) -> dict:
        return {self._key: [{"text": text, "stop_reason": stop}]}

    def whole(self, a) -> dict:
        return self._body(a.text(), _STOP[a.stop])

    def opening(self, a) -> list[Piece]:
        return []

    def delta(self, a, text: str, token_id: int) -> list[Piece]:
        return [chunk("delta", self._body(text, None))]

    def closing(self, a) -> list[Piece]:
        return [chunk("close", {**self._body("", _STOP[a.stop]), **invocation_metrics(a)})]


MISTRAL = Completions("outputs")
DEEPSEEK = Completions("choices")
