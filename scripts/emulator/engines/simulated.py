"""The two simulated engines: `timed` streams that do not see each other, and a server with continuous batching."""

import random
import time
from collections.abc import Callable

from scripts.emulator import errors, text
from scripts.emulator.engines.batching import Batch, Sequence
from scripts.emulator.engines.written import Token, Written, asked_for_json, json_text, words
from scripts.emulator.schemas.shown import shown


def output_tokens(output, limit: int, number: int, least: int = 0) -> tuple[int, str]:
    """Length and stop reason of an answer with at most `limit` tokens and at least `least`; the same `number` always
    draws the same length."""
    match output.distribution:
        case "max":
            return limit, "length"
        case "fixed":
            n = output.tokens
        case "uniform":
            n = random.Random(number).randint(output.low, output.high)
        case "normal":
            n = max(1, round(random.Random(number).gauss(output.mean, output.deviation)))
    n = max(n, least)
    return (limit, "length") if n >= limit else (n, "stop")


def _plan(config, answer) -> Written | None:
    """Count the prompt and fix the whole answer. None when the prompt does not fit; the answer is then given. Raises
    BadBody for a schema that nothing follows."""
    call = answer.call
    answer.prompt_tokens = _prompt_tokens(config, call)
    if config.context_tokens and not answer.fits(config.context_tokens):
        return None
    if answer.empty:
        return Written([], "stop")
    number = text.digest(config.seed if call.seed is None else config.seed ^ call.seed, call.prompt)
    count, stop = output_tokens(config.output, call.max_tokens, number, call.min_tokens)
    if call.schema is None and call.offer is None:
        call.schema = shown(call.prompt)
    if asked_for_json(call):
        return json_text(call, number, count, answer.reasoning_tokens)
    return words(call, number, count, stop, answer.reasoning_tokens)


def _prompt_tokens(config, call) -> int:
    if call.options.get("media") and not call.prompt:  # an embedding of nothing but media has no text to count
        return call.media_tokens
    return call.media_tokens + (len(call.token_ids or ()) or text.count_tokens(call.prompt, config.tokenizer))


class _Tokens:
    """An answer's tokens, which leave as they become due. `made`: so many have left."""

    __slots__ = ("_answer", "_plain", "_tokens", "_write", "made")

    def __init__(self, answer, tokens: list[Token | None]):
        self._answer, self._tokens, self.made = answer, tokens, 0
        self._plain, self._write = answer.plain(), answer.out.wire.token

    def next(self, due: float) -> None:
        """Send the next one."""
        token, self.made = self._tokens[self.made], self.made + 1
        if token is None:
            return
        answer, plain = self._answer, self._plain
        if plain is None:
            return answer.token(due, *token)
        answer.completion_tokens += 1  # as `token` does it, at a third of the time
        answer.tokens.append(token)
        self._write(plain(token[0]), due)

    def several(self, dues: list[float]) -> None:
        """In one write, or the next streams are later still."""
        if len(dues) == 1:
            return self.next(dues[0])
        self._answer.out.wire.cork()
        for due in dues:
            self.next(due)
        self._answer.out.wire.uncork()


class _Simulated:
    """An answer is planned when it comes and sent by the clock; `_job`, an engine's own, says at which times."""

    _job: Callable

    def __init__(self, config):
        self._config = config

    async def start(self, clock) -> None:
        self._clock = clock

    async def stop(self) -> None:
        pass

    @property
    def tokenizer(self) -> str | None:
        """What counts its prompts, where that is not their characters."""
        return self._config.tokenizer

    def count(self, call) -> int:
        """Prompt tokens of a call."""
        return _prompt_tokens(self._config, call)

    def submit(self, answer):
        plan = _plan(self._config, answer)
        if plan is None:
            return None
        if plan.call_ends:
            answer.call_ends, answer.reasoning_tokens = [*plan.call_ends], plan.reasoning
        return self._job(answer, plan)


class TimedEngine(_Simulated):
    """Every stream has the same times, whatever the load: for tests of clocks."""

    def _job(self, answer, plan: Written):
        answer.started()
        return _TimedJob(self._clock, answer, self._config, plan)


class _TimedJob:
    """Token k is due at arrival + ttft + k / rate; a late wake-up sends all that is due and shifts nothing."""

    __slots__ = ("_answer", "_at", "_cancelled", "_first", "_interval", "_plan", "_tokens", "_total")

    def __init__(self, clock, answer, config, plan: Written):
        self._at, self._answer, self._plan = clock.at, answer, plan
        self._tokens, self._total = _Tokens(answer, plan.tokens), len(plan.tokens)
        self._first = answer.request.arrived + config.ttft_ms / 1000
        self._interval = 1 / config.tokens_per_second
        self._cancelled = False
        self._at(self._first, self._wake)

    def _wake(self) -> None:
        if self._cancelled:
            return
        first, interval, made = self._first, self._interval, self._tokens.made
        due, following, now = first + made * interval, first + (made + 1) * interval, time.perf_counter()
        if made < self._total and due <= now < following:  # one, as nearly always
            self._tokens.next(due)
            made, due = made + 1, following
        else:
            dues: list[float] = []
            while made < self._total and due <= now:
                dues.append(due)
                made, due = made + 1, first + (made + 1) * interval
            if dues:
                self._tokens.several(dues)
        if made < self._total:
            self._at(due, self._wake)
        else:
            self._answer.finished(due - interval, self._plan.stop, made, self._plan.matched)

    def cancel(self) -> None:
        self._cancelled = True


class BatchedEngine(_Simulated):
    """One server for all its endpoints: a queue, a batch, steps whose length the batch decides."""

    def __init__(self, config):
        super().__init__(config)
        self._batch = Batch(config)
        self._stepping = False
        self._owed: dict[_BatchedJob, list[float]] = {}  # when tokens that have not left were due

    def _job(self, answer, plan: Written):
        job = _BatchedJob(self._batch, answer, plan)
        self._clock.at(answer.request.arrived + self._config.overhead_ms / 1000, lambda: self._join(job))
        return job

    def _join(self, job) -> None:
        limit = self._config.queue_limit
        if job.cancelled:
            return
        if limit is not None and self._batch.waiting >= limit:
            return job.answer.fail(errors.overloaded(job.answer))
        self._batch.add(job.sequence)
        if not self._stepping:
            self._begin(time.perf_counter())

    def _begin(self, at: float) -> None:
        seconds, admitted = self._batch.begin()
        self._stepping = True
        self._due = at + seconds
        for sequence in admitted:
            sequence.owner.answer.started()
        self._clock.at(self._due, self._end)

    def _end(self) -> None:
        """A step's tokens leave, unless the next step is over as well: then together with its."""
        due = self._due
        for sequence in self._batch.end():
            self._owed.setdefault(sequence.owner, []).append(due)
        self._stepping = False
        if self._batch.busy:
            self._begin(due)
            if self._due <= time.perf_counter():
                return
        owed, self._owed = self._owed, {}
        for job, dues in owed.items():
            if not job.cancelled:
                job.send(dues)


class _BatchedJob:
    """A request in the batched engine. An answer without output takes one step all the same."""

    __slots__ = ("_batch", "_plan", "_tokens", "answer", "cancelled", "sequence")

    def __init__(self, batch, answer, plan: Written):
        self._batch, self.answer, self._plan = batch, answer, plan
        self._tokens = _Tokens(answer, plan.tokens)
        unread = max(1, answer.prompt_tokens - (answer.cache_read or 0))  # what a cache has needs no prefill
        self.sequence = Sequence(unread, max(1, len(plan.tokens)), self)
        self.cancelled = False

    def send(self, dues: list[float]) -> None:
        """The tokens of the last steps."""
        if self._plan.tokens:
            self._tokens.several(dues)
        if self.sequence.made >= len(self._plan.tokens):
            self.answer.finished(dues[-1], self._plan.stop, len(self._plan.tokens), self._plan.matched)

    def cancel(self) -> None:
        self.cancelled = True
        self._batch.remove(self.sequence)
