"""aiperf: a folder a level with `profile_export.jsonl` (a line a request) and `profile_export_aiperf.json` (what was asked for).

Times are Unix nanoseconds; metrics carry their unit. `input_sequence_length` and `output_sequence_length` are the tokenizer's
counts unless the server's were asked for; `usage_*` are the service's.
"""

import dataclasses
import datetime
import pathlib
import typing

from analysis.peers.aiperf_aggregates import ALONE, MS, aggregates_of
from analysis.peers.aiperf_config import data_of, load_of, subject_of
from analysis.peers.failures import failure
from analysis.peers.imported import Imported, Level, request
from analysis.peers.nodes import Lines, Node, NotFromHere, Origin, read_json, seek
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

READ = "aiperf 0.2 to 0.13"
CUT = "no usage came, which the other answers have: taken as broken off by an error event, which aiperf counts as a success"


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Those that look like this tool's: the record files."""
    if path.is_file():
        path = path.parent
    records = [p for p in seek(path, "profile_export.jsonl", "*.jsonl") if _looks_so(p)]
    return records or [p for p in seek(path, "profile_export_aiperf.json", "*aiperf*.json") if _looks_so(p)]


def _looks_so(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    return (b'"metadata"' in head and b'"request_start_ns"' in head) or path.name.endswith("_aiperf.json")


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    found, torn = Imported(tool="aiperf", version=None, levels=[]), 0
    for file in files_of(path):
        origin = Origin("aiperf", file, READ)
        if file.suffix == ".json":
            found.levels.append(_alone(read_json(file, origin), found))
            continue
        summary = _summary(file, origin)
        found.version = origin.version = summary.get("aiperf_version").text() or found.version
        lines = Lines(file, origin)
        levels = list(_levels(lines, summary))
        torn += lines.torn
        _whole(levels, summary)
        found.levels += levels
    if not found.levels:
        raise NotFromHere("no profile_export.jsonl with a request in it; `--export-level summary` writes none")
    found.notes = list(_notes(found, torn))
    if any(level.aggregates for level in found.levels):
        found.notes = [ALONE]
    return found


def _alone(summary: Node, found: Imported) -> Level:
    """A level of the summary's own figures. Raises Misshapen."""
    found.version = summary.origin.version = summary.get("aiperf_version").text() or found.version
    if summary.get("records"):
        summary.origin.version = "0.1"
    config = summary.need("input_config")
    users, rate = load_of(config, "")
    figures = aggregates_of(summary)
    try:  # without a zone, and of the machine's own
        start = datetime.datetime.fromisoformat(summary.need("start_time").text() or "").replace(tzinfo=datetime.UTC)
    except ValueError:
        raise summary.origin.misshapen("`start_time` is no time") from None
    begin = start.timestamp()
    level = Level(
        users=users, rate=rate, subject=subject_of(config, False), payload=data_of(config), aggregates=figures
    )
    level.window = (begin, begin + float(figures.get("window_s", 1.0)))
    return level


def _summary(file: pathlib.Path, origin: Origin) -> Node:
    """What stands beside the records; a Node of None where nothing does."""
    stem = file.name.removesuffix(".jsonl")
    for name in (f"{stem}_aiperf.json", f"{stem}.json"):
        if (beside := file.with_name(name)).is_file():
            return read_json(beside, Origin("aiperf", beside, READ, origin.version))
    return Node(None, "", origin)


@dataclasses.dataclass(slots=True)
class _Phase:
    """Of its requests, before they are read: what the reading of each hangs on."""

    counted: bool = False  # some have usage
    streamed: bool = False


def _levels(lines: Lines, summary: Node) -> typing.Iterator[Level]:
    """A level for each measured phase; warm-up requests go to the first. The file is gone through twice, for a request is
    a tenth as long as its line."""
    config = summary.get("input_config")
    phases: dict[str, _Phase] = {}
    for row in lines:
        if (name := _phase_of(row)) is not None:
            phase = phases.setdefault(name, _Phase())
            phase.counted = phase.counted or _metric(row, "usage_completion_tokens") is not None
            phase.streamed = phase.streamed or _metric(row, "time_to_first_token") is not None
    server = bool(config.get("endpoint", "use_server_token_count").value)
    loads = {name: load_of(config, name) for name in phases}
    records: dict[str, list[RequestRecord]] = {name: [] for name in phases}
    for row in lines if phases else ():
        name = next(iter(phases)) if _warmup(row.need("metadata")) else _phase_of(row)
        if name is not None:
            records[name].append(_record(row, phases[name].counted, server, loads[name][1] is not None))
    for name, (users, rate) in loads.items():
        subject = subject_of(config, phases[name].streamed)
        yield Level(users=users, rate=rate, records=records[name], subject=subject, payload=data_of(config))


def _phase_of(row: Node) -> str | None:
    """The measured phase's name, empty where it has none; None of a request for warming up, or one left out."""
    meta = row.need("metadata")
    return None if _warmup(meta) or meta.get("context_overflow_skip").value else meta.get("phase_name").text() or ""


def _whole(levels: list[Level], summary: Node) -> None:
    """A level without all the requests that the summary counts has a problem."""
    told = summary.get("request_count", "avg").number(), summary.get("error_request_count", "avg").number()
    if len(levels) != 1 or told[0] is None:
        return
    sent, kept = int(told[0] + (told[1] or 0.0)), sum(r.phase == "measure" for r in levels[0].records)
    if kept != sent:
        levels[0].problems.append(f"{kept} requests are in its records, {sent} in its summary")


def _warmup(meta: Node) -> bool:
    return "warmup" in (meta.get("benchmark_phase").text(), meta.get("phase_kind").text())


def _metric(row: Node, name: str) -> float | None:
    return row.get("metrics", name, "value").number()


def _ms(row: Node, name: str) -> float | None:
    """A time, by its unit. Raises Misshapen for one that is none."""
    value, unit = _metric(row, name), row.get("metrics", name, "unit").text() or "ms"
    if value is not None and unit not in MS:
        raise row.origin.misshapen(f"`metrics.{name}` is in `{unit}`, no unit of time")
    return None if value is None else value * MS[unit]


def _record(row: Node, counted: bool, server: bool, due: bool) -> RequestRecord:
    """counted: others of the level have usage; server: the service's counts stand in the tokenizer's places; due: open loop."""
    meta = row.need("metadata")
    start_ns, end_ns = meta.need("request_start_ns").number() or 0.0, meta.need("request_end_ns").number() or 0.0
    issued_ns = meta.get("credit_issued_ns").number()
    gaps = row.get("metrics", "inter_chunk_latency", "value").numbers()
    factor = MS.get(row.get("metrics", "inter_chunk_latency", "unit").text() or "ms", 1.0)
    ttft, visible = _ms(row, "time_to_first_token"), _ms(row, "time_to_first_output_token")
    reused = _metric(row, "http_req_connection_reused")
    latency_ms, last, outcome = (end_ns - start_ns) / 1e6, _ms(row, "request_latency"), _outcome(row, counted)
    return request(
        started_at=start_ns / 1e9,
        latency_ms=max(latency_ms, last or 0.0) if latency_ms >= 0 else latency_ms,
        ttft_ms=ttft,
        ttft_visible_ms=visible if visible != ttft else None,
        last_token_ms=last if ttft is not None else None,
        chunks=len(gaps) + 1 if ttft is not None else None,
        gaps_s=[gap * factor / 1000 for gap in gaps],
        schedule_delay_ms=max(0.0, (start_ns - issued_ns) / 1e6) if issued_ns and due else None,
        reconnect=None if reused is None else int(not reused),
        phase="warmup" if _warmup(meta) else "measure",
        **(outcome or _tokens(row, server)),
    )


def _tokens(row: Node, server: bool) -> dict[str, typing.Any]:
    """The service's counts where it sent usage, else the tokenizer's; those of the tokenizer beside them."""
    found: dict[str, typing.Any] = {}
    own = {"prompt": _count(row, "input_sequence_length"), "completion": _count(row, "output_sequence_length")}
    for kind, source in (("prompt", "prompt_token_source"), ("completion", "token_source")):
        usage = _count(row, f"usage_{kind}_tokens")
        if server and usage is None:
            usage = own[kind]
        found[f"{kind}_tokens"] = own[kind] if usage is None else usage
        if found[f"{kind}_tokens"] is not None:
            found[source] = "tokenizer" if usage is None else "service"
        found[f"tokenizer_{kind}_tokens"] = None if server else own[kind]
    return found | {
        "reasoning_tokens": _count(row, "usage_reasoning_tokens"),
        "cache_read_tokens": _count(row, "usage_prompt_cache_read_tokens"),
    }


def _count(row: Node, name: str) -> int | None:
    return row.get("metrics", name, "value").count()


def _outcome(row: Node, counted: bool) -> dict[str, typing.Any]:
    meta, error = row.need("metadata"), row.get("error")
    if meta.get("was_cancelled").value:
        return {"error": ErrorClass.CANCELLED, "error_message": "cancelled by aiperf"}
    if error:
        code = error.get("code").count() if not isinstance(error.get("code").value, str) else None
        kind = error.get("type").text()
        return failure(": ".join(filter(None, [kind, error.get("message").text()])), code)
    if counted and _metric(row, "usage_completion_tokens") is None:
        return {"error": ErrorClass.BAD_RESPONSE, "error_message": CUT}
    return {}


def _notes(found: Imported, torn: int) -> typing.Iterator[str]:
    records = [r for level in found.levels for r in level.records]
    good = [r for r in records if r.error is None]
    cut = sum(r.error_message == CUT for r in records)
    if cut:
        yield f"{cut} answers came without usage, which others have: counted as failures (an error event), by aiperf as successes."
    own = sum(r.token_source == "tokenizer" for r in good)
    if own:
        yield f"Tokens of {own} of {len(good)} successes are the tokenizer's of aiperf, not the service's."
        yield "An answer that ends in an error event is a success to aiperf, and cannot be told: its error rate is a lower bound."
    elif any(r.tokenizer_completion_tokens != r.completion_tokens for r in good):
        yield "aiperf's own tokens/s and inter-token latency count by its tokenizer; here they are by the service's usage."
    yield "TTFT includes connecting, where a request opened its connection."
    if torn:
        yield f"The last line of {torn} record file{'s' * (torn != 1)} was torn, and left out."
