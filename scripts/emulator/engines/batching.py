"""A model of a server with continuous batching, without a clock: steps and how long they take.

A step admits waiting sequences in the order they came, up to `batch_limit` in the batch and
`prefill_limit_tokens` prompt tokens (a longer prompt is admitted alone). It takes

    admitted prompt tokens / prefill_tokens_per_second + decode_base_ms + decode_per_sequence_ms * sequences in
    the batch

and gives every sequence one token, also those just admitted.
"""

import collections


class Sequence:
    """A request as the batch sees it. `owner` is the caller's own."""

    __slots__ = ("made", "output_tokens", "owner", "prompt_tokens")

    def __init__(self, prompt_tokens: int, output_tokens: int, owner=None):
        self.prompt_tokens, self.output_tokens, self.owner = prompt_tokens, output_tokens, owner
        self.made = 0


class Batch:
    """Queue and batch. Call `begin`, let its seconds pass, call `end`; repeat while `busy`."""

    def __init__(self, config):
        self._config = config
        self._waiting: collections.deque[Sequence] = collections.deque()
        self._running: list[Sequence] = []

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._running)

    def add(self, sequence: Sequence) -> None:
        self._waiting.append(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Forget a sequence, wherever it is; one that has ended is already gone."""
        for place in (self._waiting, self._running):
            if sequence in place:
                place.remove(sequence)

    def _admit(self) -> list[Sequence]:
        admitted: list[Sequence] = []
        prefill = 0
        while self._waiting and len(self._running) + len(admitted) < self._config.batch_limit:
            if admitted and prefill + self._waiting[0].prompt_tokens > self._config.prefill_limit_tokens:
                break
            admitted.append(self._waiting.popleft())
            prefill += admitted[-1].prompt_tokens
        return admitted

    def begin(self) -> tuple[float, list[Sequence]]:
        """Length of the step in seconds, and the sequences it admits."""
        admitted = self._admit()
        self._running += admitted
        c = self._config
        prefill_s = sum(s.prompt_tokens for s in admitted) / c.prefill_tokens_per_second
        return prefill_s + (c.decode_base_ms + c.decode_per_sequence_ms * len(self._running)) / 1000, admitted

    def end(self) -> list[Sequence]:
        """The sequences that got a token in this step; the finished ones have left the batch."""
        stepped = self._running
        for s in stepped:
            s.made += 1
        self._running = [s for s in stepped if s.made < s.output_tokens]
        return list(stepped)
