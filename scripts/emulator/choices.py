"""Several choices in one answer: a list of prompts, or `n` of a kind, as vLLM's routes have them.

To an engine each is an answer of its own, with its own tokens; on the wire they are one body, or one stream whose events
name their choice.
"""

from scripts.emulator.dialects import Call


class Choice:
    """What engines and dialects know of an Answer, for one of its choices. All else is the answer's."""

    def __init__(self, answer, group: "_Group", index: int, call: Call):
        self._answer, self._group, self.index, self.call = answer, group, index, call
        self.prompt_tokens: int | None = None
        self.completion_tokens = 0
        self.tokens: list[tuple[str, int]] = []
        self.call_ends: list[int] = []
        self.stop: str | None = None
        self.matched: str | None = None
        self.withheld = False
        self.around: dict[str, list[bytes]] = {}

    def __getattr__(self, name: str):
        return getattr(self._answer, name)

    def text(self) -> str:
        return "".join(t for t, _ in self.tokens)

    def at_limit(self) -> bool:
        return self.completion_tokens >= self.call.max_tokens

    def fits(self, context_tokens: int) -> bool:
        a = self._answer
        a.prompt_tokens = self.prompt_tokens
        fits = a.fits(context_tokens)
        self.call.max_tokens = min(self.call.max_tokens, a.call.max_tokens)
        return fits

    def plain(self) -> None:
        """Its events stand between those of other choices."""

    def started(self) -> None:
        self._emit(lambda a: a.dialect.opening(self))

    def token(self, due: float, text: str, token_id: int, count: int | None = None) -> None:
        self.completion_tokens = count or self.completion_tokens + 1
        self.tokens.append((text, token_id))
        self._emit(lambda a: a.dialect.delta(self, text, token_id), due)

    def _emit(self, pieces_of, due: float | None = None) -> None:
        a = self._answer
        if a.events and not a.out.ended:
            for piece in pieces_of(a):
                a.out.emit(piece, due)

    def finished(self, due: float, stop: str, count: int | None = None, matched: str | None = None) -> None:
        self.completion_tokens = self.completion_tokens if count is None else count
        self.stop, self.matched = stop, matched
        self._emit(lambda a: a.dialect.finish(self), due)
        self._group.over(due)


class _Group:
    """The choices of one answer; the last one that is over ends it."""

    def __init__(self, answer, calls: list[Call]):
        self._answer, self._left = answer, len(calls)
        self.members = [Choice(answer, self, index, call) for index, call in enumerate(calls)]

    def over(self, due: float) -> None:
        self._left -= 1
        a = self._answer
        if self._left or a.out.ended:
            return
        a.prompt_tokens = sum(c.prompt_tokens or 0 for c in self.members if not c.call.options.get("again"))
        a.completion_tokens = sum(c.completion_tokens for c in self.members)
        a.stop, a.call_ends = self.members[0].stop, []
        if a.events:
            return a.close(due, a.dialect.ending(a))
        wholes = [a.dialect.whole(c) for c in self.members]
        usage = a.dialect.usage(a) if a.reports_usage else {}
        a.close(due, None, wholes[0] | {"choices": [c for w in wholes for c in w["choices"]]} | usage)


def choices(answer) -> list[Choice]:
    """Those that its call asks for."""
    return _Group(answer, answer.call.parts).members
