"""Answers of which a tool keeps the times of all events: which of them were tokens.

On the chat route the first may be the empty role event, and the last ones carry the finish reason and the usage alone.
"""

import collections
import dataclasses
import itertools
import statistics

_EARLY = 3.0  # a first gap of so many usual ones leads from a role event to the first token
_AT_ONCE = 0.25  # a gap below so much of the usual one leads from or to an event that is no token
_MOST = 0.6  # of the answers: some may have been broken off


@dataclasses.dataclass(slots=True)
class Answer:
    """As the tool has it, seconds from the request's start."""

    latency_s: float
    times: list[float]  # of its events
    output: int | None  # tokens
    failed: bool

    @property
    def gaps(self) -> list[float]:
        return [b - a for a, b in itertools.pairwise(self.times)]


@dataclasses.dataclass(slots=True)
class Stream:
    """What a request's events say, seconds."""

    latency_s: float
    ttft_s: float | None = None
    last_s: float | None = None
    chunks: int | None = None
    gaps_s: list[float] = dataclasses.field(default_factory=list)  # between tokens
    early_role: bool = False  # the first event was no token, and came long before one
    unclosed: bool = False  # the finishing events, which others have, did not come


def told_apart(answers: list[Answer], chat: bool, most_closing: int) -> list[Stream]:
    """Of every answer. most_closing: how many closing events of an answer the tool keeps at most."""
    role, closing = _form([a for a in answers if not a.failed and len(a.times) > 3], most_closing) if chat else (0, 0)
    return [_stream(a, role, closing) for a in answers]


def surely_more(answers: list[Answer]) -> bool:
    """Whether most answers have one and the same number of events more than tokens."""
    more, share = _usual([len(a.times) - a.output for a in answers if a.output and a.times and not a.failed])
    return more > 0 and share >= _MOST


def _form(whole: list[Answer], most_closing: int) -> tuple[int, int]:
    """(role events, closing events) of an answer. Where every token is an event, their numbers say the sum of both."""
    at_once = [_at_the_end(a.gaps) for a in whole]
    closing = max((k for k in range(most_closing + 1) if _most([n >= k for n in at_once])), default=0)
    by_time = int(_has_role(whole))
    more, share = _usual([len(a.times) - a.output for a in whole if a.output])
    if share < _MOST or not 0 <= more <= 1 + most_closing:
        return by_time, closing
    role = 1 if (more and by_time) or more - closing == 1 else 0
    return role, min(more - role, most_closing)


def _usual(numbers: list[int]) -> tuple[int, float]:
    """(the most frequent, its share); a share of 0 of none."""
    ((number, times),) = collections.Counter(numbers).most_common(1) or [(0, 0)]
    return number, times / max(1, len(numbers))


def _most(said: list[bool]) -> bool:
    return bool(said) and sum(said) >= _MOST * len(said)


def _has_role(whole: list[Answer]) -> bool:
    """The first gap is far longer than the usual one and than the time to that event (sent at once), or none (held back to the
    first token)."""
    early, held = [], []
    for answer in whole:
        first, *others = answer.gaps
        usual = statistics.median(others)
        early.append(first > _EARLY * max(usual, answer.times[0]))
        held.append(first < _AT_ONCE * usual)
    return _most(early) or _most(held)


def _at_the_end(gaps: list[float]) -> int:
    """How many of the last gaps lead from the last token to closing events."""
    least = _AT_ONCE * statistics.median(gaps)
    return sum(1 for _ in itertools.takewhile(lambda gap: gap < least, reversed(gaps)))


def _stream(answer: Answer, role: int, closing: int) -> Stream:
    times, gaps = answer.times, answer.gaps
    if not times:
        return Stream(answer.latency_s)
    came = 0
    if closing and not answer.failed and len(gaps) > 1:
        counted = answer.output is not None and len(times) - role - answer.output == closing  # one may have been late
        came = closing if counted else min(closing, _at_the_end(gaps))
    tokens = times[role:] if len(times) > role else times
    tokens = tokens[:-came] if 0 < came < len(tokens) else tokens
    return Stream(
        latency_s=max(answer.latency_s, tokens[-1]),
        ttft_s=tokens[0],
        last_s=tokens[-1],
        chunks=len(tokens),
        gaps_s=[b - a for a, b in itertools.pairwise(tokens)],
        early_role=bool(role) and len(gaps) > 1 and gaps[0] > _EARLY * statistics.median(gaps[1:]),
        unclosed=bool(closing) and not answer.failed and came < closing,
    )
