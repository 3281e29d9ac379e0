"""evalscope perf: a folder a level (`parallel_4_number_20`, `rate_2_number_20`) with benchmark_data.db, benchmark_args.json and a
summary. Times are seconds since the machine was started.

The database is opened for reading alone, and what its column `response_messages` holds (before 1.3 `request`, too) is a pickle:
it is never loaded. Without it the summary makes an aggregate stage.
"""

import dataclasses
import pathlib
import re
import typing
import urllib.parse

from analysis.peers.evalscope_rows import CUT, records_of, rows_of
from analysis.peers.imported import Imported, Level, Subject, route
from analysis.peers.nodes import Node, NotFromHere, Origin, read_json, seek
from analysis.peers.undated import NO_DATE, began_at

READ = "evalscope 0.8 to 1.14"
UNKNOWN_TTFT = "evalscope before 1.11.1 takes the first event of a stream for its first token: where nothing tells, TTFT is left out."
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
    rows = rows_of(file, origin)
    told = args.get("stream").value is not False
    streamed = [told if row.get("is_stream") is None else bool(row["is_stream"]) for row in rows]
    subject = _subject(args, any(streamed))
    return Level(records=records_of(rows, streamed, subject.dialect == "openai-chat", origin), subject=subject)


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
    if cut := sum(r.error_message == CUT for r in records):
        yield f"{cut} answers ended without the closing events that others have: counted as failures, by evalscope as successes."
    if any(
        r.error is None and r.ttft_ms is None for level in found.levels if level.subject.stream for r in level.records
    ):
        yield UNKNOWN_TTFT
    if any(level.aggregates is not None for level in found.levels):
        yield "evalscope's percentiles are the nearest rank; its `Input Throughput` is always 0 and is left out."
