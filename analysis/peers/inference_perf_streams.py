"""The events of inference-perf's requests: `chunk_times`, the output alone; before, `output_token_times`, every line or event of
the stream, closing ones and an early role event included."""

import dataclasses
import itertools
import statistics

from analysis.peers.nodes import Node

_SAME_S = 0.0005  # lines of one event
_EARLY = 3.0  # a first gap of so many usual ones leads from a role event to the first token


@dataclasses.dataclass(slots=True)
class Events:
    """Seconds from the request's start."""

    ttft_s: float | None = None
    last_s: float | None = None
    chunks: int | None = None
    gaps_s: list[float] = dataclasses.field(default_factory=list)


def events_of(rows: list[Node], chat: bool) -> list[Events]:
    """Of every request of a level."""
    return [_exact(row) or _of_lines(row, chat) for row in rows]


def answer_of(row: Node) -> Node:
    """What was measured of an answer: `response_info` in 0.5, `response_metrics` from 0.6 on; a Node of None before."""
    return row.get("info", "response_metrics") or row.get("info", "response_info")


def _after(row: Node, times: Node) -> list[float]:
    start = row.need("start_time").number() or 0.0
    return [time - start for time in times.numbers()]


def _exact(row: Node) -> Events | None:
    times = _after(row, answer_of(row).get("chunk_times"))
    if not times:
        return None
    return Events(times[0], times[-1], len(times), [b - a for a, b in itertools.pairwise(times)])


def _of_lines(row: Node, chat: bool) -> Events:
    """How many of the events were output is not known, nor which was the last of them: closing events follow it at once."""
    if answer_of(row):
        return Events()
    events: list[float] = []
    for time in _after(row, row.get("info", "output_token_times")):
        if not events or time - events[-1] > _SAME_S:
            events.append(time)
    if not events:
        return Events()
    gaps = [b - a for a, b in itertools.pairwise(events)]
    if chat and len(gaps) > 2 and gaps[0] > _EARLY * max(statistics.median(gaps[1:]), events[0]):
        events, gaps = events[1:], gaps[1:]
    return Events(events[0], events[-1], None, gaps)
