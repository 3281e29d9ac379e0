"""The table `result` of evalscope's database, a row a request: which event was a token, and what came of it.

Its column `response_messages` is never read. From 1.3 on `inter_token_latencies` are the gaps between events; before, `chunk_times`
are their times. Before 1.11.1 the first of them, which the tool takes for the first token, may be an empty role event.
"""

import contextlib
import itertools
import json
import pathlib
import sqlite3
import typing
import urllib.parse

from analysis.peers.event_streams import Answer, Stream, surely_more, told_apart
from analysis.peers.imported import prompt_id, request
from analysis.peers.nodes import Origin
from analysis.peers.undated import needed
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

CUT = "no closing event came, which the other answers have: taken as broken off by an error event, which evalscope counts as a success"
_CLOSING = 3  # finish reason, usage, and what a server adds
Row = dict[str, typing.Any]


def rows_of(file: pathlib.Path, origin: Origin) -> list[Row]:
    """By the start. Raises Misshapen for no database, or one without a needed column."""
    rows = _rows(file, origin)
    if not rows:
        raise origin.misshapen("its table `result` is empty")
    needed(rows[0], ("start_time", "success", "latency", "prompt_tokens", "completion_tokens"), origin)
    return rows


def records_of(rows: list[Row], streamed: list[bool], chat: bool, origin: Origin) -> list[RequestRecord]:
    """streamed: of each row. Raises Misshapen."""
    own = _of_gaps if "inter_token_latencies" in rows[0] else _of_events
    told = own(rows, streamed, chat, origin)
    return [_record(row, stream, origin) for row, stream in zip(rows, told, strict=True)]


def _rows(file: pathlib.Path, origin: Origin) -> list[Row]:
    """The table, by a connection that cannot write; without `response_messages`."""
    address = f"file:{urllib.parse.quote(str(file.resolve()))}?mode=ro&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
            names = [row[1] for row in database.execute("PRAGMA table_info(result)")]
            if not names:
                raise origin.misshapen("it has no table `result`")
            kept = [name for name in names if name != "response_messages"]
            quoted = ", ".join(f'"{name}"' for name in kept)
            rows = database.execute(f"SELECT {quoted} FROM result ORDER BY start_time")
            return [dict(zip(kept, row, strict=True)) for row in rows]
    except sqlite3.Error as e:
        raise origin.misshapen(f"no whole database ({e}): cut off, or another's") from None


def _good(row: Row) -> bool:
    return row["success"] in (1, True, "1")


def _of_gaps(rows: list[Row], streamed: list[bool], chat: bool, origin: Origin) -> list[Stream]:
    """From 1.11.1 on between deltas with text in them, before between all: which of both is known by the column `is_stream`, which
    came with 1.10, or by the number of events."""
    answers = []
    for row, stream in zip(rows, streamed, strict=True):
        first, gaps = _number(row, "first_chunk_latency", origin), _numbers(row, "inter_token_latencies", origin)
        times = list(itertools.accumulate(gaps, initial=first or 0.0)) if stream and (first is not None or gaps) else []
        latency = _number(row, "latency", origin) or 0.0
        answers.append(Answer(latency, times, _count(row, "completion_tokens", _good(row)), not _good(row)))
    all_events = chat and ("is_stream" not in rows[0] or surely_more(answers))
    return told_apart(answers, all_events, _CLOSING)


def _of_events(rows: list[Row], streamed: list[bool], chat: bool, origin: Origin) -> list[Stream]:
    """Before 1.3, whose `latency` stands for the first event where nothing streamed. Without `chunk_times` the first event's time is
    left out on the chat route: it need not be a token."""
    answers = []
    for row, stream in zip(rows, streamed, strict=True):
        start, latency = _number(row, "start_time", origin) or 0.0, _number(row, "latency", origin) or 0.0
        events = _numbers(row, "chunk_times", origin) if stream else []
        times = [time - start for time in events]
        if len(times) < 2 or times[0] < 0 or times != sorted(times):
            times = []
        answers.append(Answer(latency, times, _count(row, "completion_tokens", _good(row)), not _good(row)))
    found = told_apart(answers, chat, _CLOSING)
    for row, own in zip(rows, found, strict=True):
        first = _number(row, "first_chunk_latency", origin)
        if own.ttft_s is None and not chat and first is not None and first < own.latency_s:
            own.ttft_s = first
    return found


def _record(row: Row, stream: Stream, origin: Origin) -> RequestRecord:
    start, good = _number(row, "start_time", origin), _good(row)
    if start is None or (good and _number(row, "latency", origin) is None):
        raise origin.misshapen(f"a request has no `{'start_time' if start is None else 'latency'}`")
    whole = good and not stream.unclosed
    return request(
        started_at=start,
        latency_ms=1000 * stream.latency_s if good else 0.0,
        ttft_ms=_ms(stream.ttft_s) if good else None,
        last_token_ms=_ms(stream.last_s) if good else None,
        chunks=stream.chunks,
        gaps_s=stream.gaps_s,
        prompt_tokens=_count(row, "prompt_tokens", whole),
        completion_tokens=_count(row, "completion_tokens", whole),
        prompt_id=prompt_id(str(row["request"])) if row.get("request") else None,
        request_id=str(row["request_id"]) if row.get("request_id") else None,
        error=None if whole else ErrorClass.BAD_RESPONSE if good else ErrorClass.UNKNOWN,
        error_message=CUT if good and not whole else None,
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _number(row: Row, name: str, origin: Origin) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise origin.misshapen(f"`{name}` is {str(value)[:30]}, no number")
    return float(value)


def _count(row: Row, name: str, good: bool) -> int | None:
    value = row.get(name)
    return round(value) if good and isinstance(value, int | float) and value >= 0 else None


def _numbers(row: Row, name: str, origin: Origin) -> list[float]:
    """A list as JSON text."""
    try:
        return [float(each) for each in json.loads(row.get(name) or "[]")]
    except (ValueError, TypeError):
        raise origin.misshapen(f"`{name}` is no list of numbers") from None
