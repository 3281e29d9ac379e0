"""The events of each request in a vllm bench file: which of them were tokens.

`ttfts[i]` is the first event with choices, `itls[i]` the gaps to the next ones. On the chat route the first may be the empty
role event and the last the one that carries the finish reason alone.
"""

import dataclasses
import itertools
import statistics

from analysis.peers.nodes import Node

_EARLY = 3.0  # a first gap of so many usual ones leads from a role event to the first token
_AT_ONCE = 0.25  # a gap below so much of the usual one leads from or to an event that is no token
_MOST = 0.8  # of the answers


@dataclasses.dataclass(slots=True)
class Stream:
    """What a request's events say, seconds."""

    latency_s: float
    ttft_s: float | None = None
    last_s: float | None = None
    chunks: int | None = None
    gaps_s: list[float] = dataclasses.field(default_factory=list)  # between tokens
    early_role: bool = False  # the first event was no token, and came long before one
    unclosed: bool = False  # the finishing event, which others have, did not come


def streams_of(document: Node, chat: bool) -> list[Stream]:
    """Of every request, in the file's order. Raises Misshapen for lists of different lengths."""
    latencies, ttfts = document.get("latencies").numbers(), document.get("ttfts").numbers()
    itls = [item.numbers() for item in document.get("itls").items()]
    counted = [item.count() for item in document.get("output_lens").items()]
    lengths = {len(each) for each in (latencies, ttfts, itls, counted) if each}
    if len(lengths) > 1:
        raise document.origin.misshapen(
            f"its per-request lists have different lengths ({', '.join(map(str, sorted(lengths)))})"
        )
    failed = [bool(each.value) for each in document.get("errors").items()]
    n = max(lengths, default=0)
    ttfts, itls = ttfts or [0.0] * n, itls or [[] for _ in range(n)]
    failed += [False] * (n - len(failed))
    latencies = latencies or [0.0 if failed[i] else ttfts[i] + sum(itls[i]) for i in range(n)]
    whole = [i for i in range(n) if not failed[i] and len(itls[i]) > 2]
    finishes = chat and _most([gaps[-1] < _AT_ONCE * statistics.median(gaps) for gaps in (itls[i] for i in whole)])
    outputs = counted or [None] * n
    role = chat and _has_role([(ttfts[i], itls[i], outputs[i]) for i in whole], finishes)
    return [_stream(latencies[i], ttfts[i], itls[i], failed[i], role, finishes) for i in range(n)]


def _most(said: list[bool]) -> bool:
    return bool(said) and sum(said) >= _MOST * len(said)


def _has_role(answers: list[tuple[float, list[float], int | None]], finishes: bool) -> bool:
    """Whether the first event is an empty role event. Where every token is an event, their numbers say it; else the first gap: far
    longer than the usual one and than the time to that event (sent at once), or none (held back to the first token)."""
    more = [1 + len(gaps) - output - finishes for _, gaps, output in answers if output]
    if more and _most([each == statistics.mode(more) for each in more]) and statistics.mode(more) in (0, 1):
        return statistics.mode(more) == 1
    early = [gaps[0] > _EARLY * max(statistics.median(gaps[1:]), ttft) for ttft, gaps, _ in answers]
    held = [gaps[0] < _AT_ONCE * statistics.median(gaps[1:]) for _, gaps, _ in answers]
    return _most(early) or _most(held)


def _stream(latency_s: float, ttft_s: float, gaps: list[float], failed: bool, role: bool, finishes: bool) -> Stream:
    if not ttft_s and not gaps:
        return Stream(latency_s)
    times = [ttft_s]
    for gap in gaps:
        times.append(times[-1] + gap)
    closed = finishes and not failed and len(gaps) > 1 and gaps[-1] < _AT_ONCE * statistics.median(gaps)
    early = role and len(gaps) > 1 and gaps[0] > _EARLY * statistics.median(gaps[1:])
    times = times[1:] if role and gaps else times
    times = times[:-1] if closed else times
    return Stream(
        latency_s=max(latency_s, times[-1]),
        ttft_s=times[0],
        last_s=times[-1],
        chunks=len(times),
        gaps_s=[b - a for a, b in itertools.pairwise(times)],
        early_role=early,
        unclosed=finishes and not failed and not closed,
    )
