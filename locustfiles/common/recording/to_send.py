"""How long the longest prompt may be that is still to be sent, by the tokens of the longest that was."""

import collections.abc

from locustfiles.common.planning.first_call import size_of
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.prompt_tokens import MARGIN
from locustfiles.common.planning.turns_ahead import Held, held
from locustfiles.common.recording.arrived import Arrived
from locustfiles.contract.prices.charge import whole_prompt


class ToSend:
    """Of a run's targets and payloads."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._sizes: dict[tuple[str, str], dict[str, float]] = {}  # (target, payload) -> a line's id -> its size
        self._longest: dict[
            str, tuple[float, int]
        ] = {}  # target -> size and tokens of its longest line that was counted
        self._answers: dict[str, int] = {}  # target -> tokens of its longest answer
        self._held: dict[tuple[str, str], Held] = {}

    def note(self, record: Arrived) -> None:
        """What a call says of its line; of a conversation its first turn does, for later ones have answers in them."""
        self._answers[record.target] = max(self._answers.get(record.target, 0), record.completion_tokens or 0)
        if (record.turn or 1) > 1:
            return
        size = self._of(record.target, record.payload).get(record.prompt_id or "")
        tokens = whole_prompt(record)
        if tokens and size and (size, tokens) > self._longest.get(record.target, (0.0, 0)):
            self._longest[record.target] = size, tokens

    def longest(self, target: str, payload: str | None) -> float:
        """Tokens, with a margin where no line as long was counted; 0 where none was. payload: None is any of the target's."""
        size, tokens = self._longest.get(target, (0.0, 0))
        stems = self._inputs.stems_of(target) if payload is None else [payload]
        most = max((size for stem in stems for size in self._of(target, stem).values()), default=0.0)
        return tokens * max(1.0, MARGIN * most / size if most > size else 1.0) if size else 0.0

    def grown(self, target: str, payload: str | None) -> float:
        """Tokens of the longest conversation's last turn: its texts, with a margin, and all answers before it; 0 without one."""
        size, tokens = self._longest.get(target, (0.0, 0))
        stems = self._inputs.stems_of(target) if payload is None else [payload]
        longest = self._answers.get(target, 0)
        of_stems = [
            self._held_of(target, stem).most(MARGIN * tokens / size if size else 1.0, longest) for stem in stems
        ]
        return max(of_stems, default=0.0)

    def turns(self, target: str, payload: str | None) -> float:
        """Requests that an arrival brings at most."""
        stems = self._inputs.stems_of(target) if payload is None else [payload]
        return max((self._held_of(target, stem).turns for stem in stems), default=1)

    def _held_of(self, target: str, payload: str) -> Held:
        key = target, payload
        if key not in self._held:
            told, lines = self._inputs.scenario.target(target), self._inputs.payloads.get(payload, [])
            self._held[key] = held(told, lines, self._inputs.scenario.load_of(told))
        return self._held[key]

    def _of(self, target: str, payload: str) -> collections.abc.Mapping[str, float]:
        key = target, payload
        if key not in self._sizes:
            told, lines = self._inputs.scenario.target(target), self._inputs.payloads.get(payload, [])
            self._sizes[key] = {line.id: size_of(told, line) for line in lines}
        return self._sizes[key]
