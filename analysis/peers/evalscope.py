"""evalscope perf: a folder a level (`parallel_4_number_20`, `rate_2_number_20`) with benchmark_data.db, benchmark_args.json and a
summary. Times are seconds since the machine was started.

The database is opened for reading alone, and what its column `response_messages` holds (before 1.3 `request`, too) is a pickle:
it is never loaded. Without the database the summary makes an aggregate stage.
"""

import contextlib
import dataclasses
import json
import pathlib
import re
import sqlite3
import typing
import urllib.parse

from analysis.peers.imported import Imported, Level, Subject, prompt_id, request, route
from analysis.peers.nodes import Node, NotFromHere, Origin, read_json, seek
from analysis.peers.undated import NO_DATE, began_at, needed
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

READ = "evalscope 0.8 to 1.14"
_FOLDER = re.compile(r"(?:parallel_(\d+)|rate_([\d.]+))_number_\d+")
_UNIX = 1e9  # a start above it is no time since the machine was started
_GAP_S = 1.0
#: of a summary, by what its name begins with, lower case: the column and the factor to its unit
_TOLD = (
    (r"(test duration|time taken for tests) \(s", "window_s", 1.0),
    (r"(success|succeed) requests|succeed(ed)? requests", "successes", 1.0),
    (r"failed requests", "failures", 1.0),
    (r"req(uest)? throughput \(req/s\)", "throughput_per_s", 1.0),
    (r"(avg|average) latency \(s\)", "latency_mean_s", 1.0),
    (r"(avg|average) input tokens", "prompt_tokens_mean", 1.0),
    (r"(avg|average) output tokens", "completion_tokens_mean", 1.0),
    (r"output (token )?throughput \(tok/s\)", "completion_tokens_per_s", 1.0),
    (r"(avg ttft|average time to first token) \(s\)", "ttft_mean_s", 1.0),
    (r"(avg ttft|average time to first token) \(ms\)", "ttft_mean_s", 1e-3),
    (r"(avg tpot|average time per output token) \(s\)", "tpot_mean_ms", 1e3),
    (r"(avg tpot|average time per output token) \(ms\)", "tpot_mean_ms", 1.0),
)
_PERCENTILES = {
    ("latency", "s"): ("latency", "s", 1.0), ("latency", "ms"): ("latency", "s", 1e-3), ("ttft", "s"): ("ttft", "s", 1.0),
    ("ttft", "ms"): ("ttft", "s", 1e-3), ("tpot", "s"): ("tpot", "ms", 1e3), ("tpot", "ms"): ("tpot", "ms", 1.0),
}  # fmt: skip
_LEVELS = {"50%": "p50", "90%": "p90", "95%": "p95", "99%": "p99"}


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """A database or, where there is none beside it, a summary of each level."""
    if path.is_file():
        return [path] if path.suffix == ".db" or path.name == "benchmark_summary.json" else []
    databases = seek(path, "benchmark_data.db")
    with_one = {file.parent for file in databases}
    return databases + [f for f in seek(path, "benchmark_summary.json") if f.parent not in with_one]


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    files = files_of(path)
    if not files:
        raise NotFromHere("neither benchmark_data.db nor benchmark_summary.json")
    found = Imported(tool="evalscope", version=None, levels=[])
    start, said_by = began_at(path, files)
    for file in files:
        origin = Origin("evalscope", file, READ)
        beside = file.with_name("benchmark_args.json")
        args = read_json(beside, origin) if beside.is_file() else Node(None, "", origin)
        level = (_of_records if file.suffix == ".db" else _of_summary)(file, args, origin)
        users, rate = _load(file, args)
        found.levels.append(_named(level, users, rate, args))
    found.levels.sort(key=lambda level: (level.rate or 0, level.users or 0))
    _dated(found.levels, start)
    found.notes = list(_notes(found, said_by))
    return found


def _load(file: pathlib.Path, args: Node) -> tuple[int | None, float | None]:
    """(users, rate): the open loop has a rate above 0 and no limit on what is under way."""
    rate, users = args.get("rate").value, args.get("parallel").value
    name = _FOLDER.search(file.parent.name)
    if name:
        return (int(name[1]), None) if name[1] else (None, float(name[2]))
    if isinstance(rate, int | float) and rate > 0 and args.get("open_loop").value is not False:
        return None, float(rate)
    return (users if isinstance(users, int) and users > 0 else None), None


def _named(level: Level, users: int | None, rate: float | None, args: Node) -> Level:
    level.users, level.rate = users, rate
    level.payload = args.get("dataset").text()
    if source := args.get("dataset_path").text():
        level.payload = pathlib.PurePath(source).stem
    return level


def _subject(args: Node, stream: bool) -> Subject:
    url = args.get("url").text() or ""
    chat = "chat" in urllib.parse.urlsplit(url).path or not url
    return Subject(
        model=args.get("model").text(),
        url=route(url or None),
        dialect="openai-chat" if chat else "openai-completions",
        stream=stream,
        max_tokens=args.get("max_tokens").count() if isinstance(args.get("max_tokens").value, int) else None,
    )


def _of_records(file: pathlib.Path, args: Node, origin: Origin) -> Level:
    rows = _rows(file, origin)
    if not rows:
        raise origin.misshapen("its table `result` is empty")
    needed(rows[0], ("start_time", "success", "latency", "prompt_tokens", "completion_tokens"), origin)
    told = args.get("stream").value is not False
    streams = [told if row.get("is_stream") is None else bool(row["is_stream"]) for row in rows]
    records = [_record(row, stream, origin) for row, stream in zip(rows, streams, strict=True)]
    return Level(records=records, subject=_subject(args, any(streams)))


def _rows(file: pathlib.Path, origin: Origin) -> list[dict[str, typing.Any]]:
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


def _record(row: dict[str, typing.Any], stream: bool, origin: Origin) -> RequestRecord:
    start, good = _number(row, "start_time", origin), row["success"] in (1, True, "1")
    latency = _number(row, "latency", origin)
    first = _number(row, "first_chunk_latency", origin) if stream else None
    gaps = _gaps(row, origin)
    if start is None or (good and latency is None):
        raise origin.misshapen(f"a request has no `{'start_time' if start is None else 'latency'}`")
    counted = _of_gaps(first, gaps) if gaps is not None and (first is not None or gaps) and stream else {}
    if gaps is None and first is not None and latency is not None and first >= latency:
        first = None  # before 1.3 the latency stands for it where nothing streamed
    if not good:
        first, counted = None, {key: value for key, value in counted.items() if key != "last_token_ms"}
    return request(
        started_at=start,
        latency_ms=1000 * (latency or 0.0),
        ttft_ms=None if first is None else 1000 * first,
        prompt_tokens=_count(row, "prompt_tokens", good),
        completion_tokens=_count(row, "completion_tokens", good),
        prompt_id=prompt_id(str(row["request"])) if row.get("request") else None,
        request_id=str(row["request_id"]) if row.get("request_id") else None,
        error=None if good else ErrorClass.UNKNOWN,
        **counted,
    )


def _of_gaps(first: float | None, gaps: list[float]) -> dict[str, typing.Any]:
    last = None if first is None else 1000 * (first + sum(gaps))
    return {"chunks": len(gaps) + 1, "max_gap_ms": 1000 * max(gaps) if gaps else None, "last_token_ms": last}


def _number(row: dict[str, typing.Any], name: str, origin: Origin) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise origin.misshapen(f"`{name}` is {str(value)[:30]}, no number")
    return float(value)


def _count(row: dict[str, typing.Any], name: str, good: bool) -> int | None:
    value = row.get(name)
    return round(value) if good and isinstance(value, int | float) and value >= 0 else None


def _gaps(row: dict[str, typing.Any], origin: Origin) -> list[float] | None:
    """Between deltas, s; None in the files of before 1.3, whose `chunk_times` count events of every kind."""
    if "inter_token_latencies" not in row:
        return None
    try:
        found = json.loads(row["inter_token_latencies"] or "[]")
        return [float(gap) for gap in found]
    except (ValueError, TypeError):
        raise origin.misshapen("`inter_token_latencies` is no list of numbers") from None


def _of_summary(file: pathlib.Path, args: Node, origin: Origin) -> Level:
    summary, told = read_json(file, origin), dict[str, float | str]()
    for name, value in (summary.value if isinstance(summary.value, dict) else {}).items():
        for form, column, factor in _TOLD:
            if re.match(form, name.lower()) and isinstance(value, int | float) and value >= 0:
                told.setdefault(column, value * factor)
    if not {"throughput_per_s", "successes"} & told.keys():
        raise origin.misshapen("neither `Req Throughput (req/s)` nor `Success Requests` is in it")
    beside = file.with_name("benchmark_percentile.json")
    told |= _percentiles(read_json(beside, origin)) if beside.is_file() else {}
    return Level(subject=_subject(args, args.get("stream").value is not False), aggregates=told)


def _percentiles(table: Node) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for row in table.items() if isinstance(table.value, list) else []:
        level = _LEVELS.get(str(row.get("Percentiles").value or row.get("Percentile").value))
        for name in row.value if level and isinstance(row.value, dict) else ():
            match = re.fullmatch(r"(\w+) \((s|ms)\)", name.lower())
            if match and (match[1], match[2]) in _PERCENTILES and (value := row.get(name).number()) is not None:
                prefix, unit, factor = _PERCENTILES[match[1], match[2]]
                found[f"{prefix}_{level}_{unit}"] = value * factor
    return found


def _dated(levels: list[Level], start: float) -> None:
    """Unix times: the first request at `start`, the others as far from it as they are; stages without any behind them."""
    kept = [level for level in levels if level.records]
    first = min((r.started_at for level in kept for r in level.records), default=0.0)
    shift = 0.0 if first > _UNIX else start - first
    for level in kept:
        level.records = [dataclasses.replace(r, started_at=r.started_at + shift) for r in level.records]
    at = max((level.bounds[1] for level in kept), default=start)
    for level in levels:
        if level.aggregates is not None:
            length = float(level.aggregates.get("window_s", 0.0))
            level.window = (at, at + length)
            at += length + _GAP_S


def _notes(found: Imported, said_by: str) -> typing.Iterator[str]:
    records = [r for level in found.levels for r in level.records]
    yield NO_DATE.format(of=said_by)
    yield (
        "evalscope's warm-up requests are not in its files. Its token counts are the service's where it sent usage, else its "
        "tokenizer's, which nothing marks."
    )
    if any(r.error for r in records):
        yield (
            "evalscope keeps no reason of a failure: whether it was refused, broken or timed out is not known, nor how long it took "
            "(0 here)."
        )
    if any(r.ttft_ms is not None and r.chunks is None for r in records):
        yield "evalscope before 1.3 times the first event of a stream, with or without text in it; its deltas are not known."
    if any(level.aggregates is not None for level in found.levels):
        yield "evalscope's percentiles are the nearest rank; its `Input Throughput` is always 0 and is left out."
