"""inference-perf: `per_request_lifecycle_metrics.json` for all stages, `stage_N_lifecycle_metrics.json`, config.yaml.

Times are seconds of a clock since boot, anchored by the partial report's start. A record does not say its stage: they are in
the order of their starts, as many of each stage as its file counts. The version is in no file.
"""

import datetime
import json
import pathlib
import re
import typing

import yaml

from analysis.peers.failures import failure
from analysis.peers.imported import Imported, Level, Subject, prompt_id, request, route
from analysis.peers.inference_perf_aggregates import ALONE, aggregates_of
from analysis.peers.inference_perf_streams import Events, answer_of, events_of
from analysis.peers.nodes import Node, NotFromHere, Origin, read_json, seek
from analysis.peers.undated import NO_DATE, began_at
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

READ = "inference-perf 0.1 to 0.7"
RECORDS = "per_request_lifecycle_metrics.json"
CUT = "no usage came, which the other answers have: taken as broken off by an error event, which inference-perf counts as a success"
_ANSWER = re.compile(r'"id": ?"(?:chatcmpl|cmpl)-([^"]+)"')


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Those that look like this tool's: the record files, else those of stages."""
    if path.is_file():
        path = path.parent
    return seek(path, f"*{RECORDS}", "*stage_*_lifecycle_metrics.json", "*summary_lifecycle_metrics.json")


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    found = Imported(tool="inference-perf", version=None, levels=[])
    files = files_of(path)
    if not files[0].name.endswith(RECORDS):
        found.levels = list(_alone([file for file in files if _number(file)]))
        found.notes = [ALONE, NO_DATE.format(of=began_at(path, files)[1])]
        if not found.levels:
            raise NotFromHere("it keeps neither requests nor stages; run it with report.request_lifecycle.per_stage")
        return found
    for file in files:
        levels, notes = _run(file)
        found.levels += levels
        found.notes += [note for note in notes if note not in found.notes]
    return found


def _alone(files: list[pathlib.Path]) -> typing.Iterator[Level]:
    """A level of each stage's own figures, one after the other."""
    for file in sorted(files, key=lambda f: (f.parent, int(str(f.name).partition("stage_")[2].partition("_")[0]))):
        origin = Origin("inference-perf", file, READ)
        load, figures = aggregates_of(file, origin)
        config = _config(file, origin)
        begin, length = began_at(file.parent, [file])[0], float(figures.get("window_s", 1.0))
        users = load.get("concurrency").count()
        yield Level(
            users=users,
            rate=None if users else load.get("requested_rate").number(),
            subject=_subject(config, config.get("api", "type").text() == "chat", "ttft_p50_s" in figures),
            payload=_data(config),
            window=(begin, begin + length),
            aggregates=figures,
        )


def _run(file: pathlib.Path) -> tuple[list[Level], list[str]]:
    """The levels of one run, and what is to be said of them."""
    origin = Origin("inference-perf", file, READ)
    rows = read_json(file, origin).items()
    if not rows:
        raise origin.misshapen("it holds no request")
    config = _config(file, origin)
    rows.sort(key=lambda row: row.need("start_time").number() or 0.0)
    offset, anchored = _anchor(file, rows)
    counted = any(answer_of(row).get("server_usage") for row in rows)
    chat = config.get("api", "type").text() == "chat"
    levels = []
    for own, users, rate in _stages(file, rows, config, origin):
        streams = events_of(own, chat)
        records = [_record(row, events, offset, counted) for row, events in zip(own, streams, strict=True)]
        levels.append(
            Level(
                users=users,
                rate=rate,
                records=records,
                subject=_subject(config, chat, any(events.ttft_s is not None for events in streams)),
                payload=_data(config),
            )
        )
    return levels, [anchored, *_notes(levels, counted)]


def _config(file: pathlib.Path, origin: Origin) -> Node:
    """config.yaml, of which only the load, the server's address and the model are looked at; a Node of None without one."""
    beside = next(iter(sorted(file.parent.glob("*config.yaml"))), None)
    if beside is None:
        return Node(None, "", origin)
    try:
        return Node(yaml.safe_load(beside.read_text(encoding="utf-8")), "", Origin(origin.tool, beside, READ))
    except (yaml.YAMLError, OSError, ValueError, RecursionError):
        raise Origin(origin.tool, beside, READ).misshapen("it is no YAML") from None


def _stages(
    file: pathlib.Path, rows: list[Node], config: Node, origin: Origin
) -> typing.Iterator[tuple[list[Node], int | None, float | None]]:
    """(requests, users, rate) of each stage. Raises Misshapen where it is not known which request was of which."""
    prefix = file.name.removesuffix(RECORDS)
    numbered = {int(n[1]): p for p in file.parent.glob(f"{prefix}stage_*_lifecycle_metrics.json") if (n := _number(p))}
    asked = config.get("load", "stages").items()
    counts = []
    for number, path in sorted(numbered.items()):
        load = read_json(path, Origin(origin.tool, path, READ)).need("load_summary")
        counts.append(
            (load.need("count").count() or 0, load, asked[number] if number < len(asked) else Node(None, "", origin))
        )
    if not counts and len(asked) == 1:
        counts = [(len(rows), Node(None, "", origin), asked[0])]
    if sum(count for count, _, _ in counts) != len(rows):
        told = f"{sum(count for count, _, _ in counts)} by the stages' files, {len(rows)} in {file.name}"
        raise origin.misshapen(
            f"which request was of which stage is not known ({told}): put the stage_N files beside it"
        )
    begin = 0
    for count, load, stage in counts:
        users = load.get("concurrency").count() or stage.get("concurrency_level").count()
        rate = load.get("requested_rate").number() or stage.get("rate").number()
        yield rows[begin : begin + count], users, None if users else rate
        begin += count


def _number(path: pathlib.Path) -> re.Match[str] | None:
    return re.search(r"(?<!adapter_)stage_(\d+)_lifecycle_metrics\.json$", path.name)


def _anchor(file: pathlib.Path, rows: list[Node]) -> tuple[float, str]:
    """What its clock lacks to Unix s, and how well that is known."""
    first = rows[0].need("start_time").number() or 0.0
    for partial in sorted(file.parent.glob("*partial.stage_0.yaml")):
        found = re.search(
            r"^ *start: *'?([0-9T:.+Z-]+)", partial.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
        if found:
            began = datetime.datetime.fromisoformat(found[1]).timestamp()
            return (
                began - first,
                "Start times are placed by the partial report's start: right to about a second, exact among each other.",
            )
    last = max(row.need("end_time").number() or 0.0 for row in rows)
    return (
        file.stat().st_mtime - last,
        "Start times are placed by the time of the file itself, for nothing in it says when: exact among each other.",
    )


def _subject(config: Node, chat: bool, stream: bool) -> Subject:
    return Subject(
        model=config.get("server", "model_name").text(),
        url=route(config.get("server", "base_url").text()),
        dialect="openai-chat" if chat else "openai-completions",
        stream=stream,
        max_tokens=config.get("data", "output_distribution", "max").count(),
    )


def _data(config: Node) -> str | None:
    named = config.get("data", "path").text()
    return pathlib.PurePath(named).stem if named else config.get("data", "type").text()


def _record(row: Node, events: Events, offset: float, counted: bool) -> RequestRecord:
    start, end = row.need("start_time").number() or 0.0, row.need("end_time").number() or 0.0
    metrics = answer_of(row)
    usage = metrics.get("server_usage")
    error, outcome, tokens = row.get("error"), {}, _tokens(row, metrics, usage)
    if error:
        kind = error.get("error_type").text() or ""
        status = re.search(r"HTTP Error (\d{3})", kind)
        outcome, tokens = (
            failure(f"{kind}: {error.get('error_msg').text() or ''}", int(status[1]) if status else None),
            {},
        )
    elif counted and not usage:
        outcome, tokens = {"error": ErrorClass.BAD_RESPONSE, "error_message": CUT}, {}
    answer = _ANSWER.search(row.get("response").text() or "") if isinstance(row.get("response").value, str) else None
    return request(
        started_at=start + offset,
        latency_ms=1000 * (end - start),
        ttft_ms=None if events.ttft_s is None else 1000 * events.ttft_s,
        last_token_ms=None if events.last_s is None else 1000 * events.last_s,
        chunks=events.chunks,
        gaps_s=events.gaps_s,
        prompt_id=_prompt(row),
        request_id=answer[1] if answer else None,
        **tokens,
        **outcome,
    )


def _tokens(row: Node, metrics: Node, usage: Node) -> dict[str, typing.Any]:
    """The service's where it sent usage, else the tokenizer's; those of the tokenizer beside them."""
    own_prompt = (
        row.get("info", "input_tokens").count() or row.get("info", "request_metrics", "text", "input_tokens").count()
    )
    own_output = metrics.get("output_tokens").count() if metrics else row.get("info", "output_tokens").count()
    prompt, output = usage.get("prompt_tokens").count(), usage.get("completion_tokens").count()
    return {
        "prompt_tokens": own_prompt or None if prompt is None else prompt,
        "prompt_token_source": "service" if prompt is not None else "tokenizer" if own_prompt else "none",
        "completion_tokens": own_output if output is None else output,
        "token_source": "service" if output is not None else "none" if own_output is None else "tokenizer",
        "tokenizer_prompt_tokens": own_prompt or None,
        "tokenizer_completion_tokens": own_output,
        "cache_read_tokens": usage.get("prompt_tokens_details", "cached_tokens").count(),
        "reasoning_tokens": usage.get("completion_tokens_details", "reasoning_tokens").count(),
    }


def _prompt(row: Node) -> str | None:
    """By its text, which is not kept."""
    try:
        body = json.loads(row.get("request").text() or "null")
    except ValueError:
        return None
    said = (body.get("messages") or body.get("prompt")) if isinstance(body, dict) else None
    return prompt_id(json.dumps(said)) if said else None


def _notes(levels: list[Level], counted: bool) -> typing.Iterator[str]:
    records = [r for level in levels for r in level.records]
    if cut := sum(r.error_message == CUT for r in records):
        yield f"{cut} answers came without usage, which others have: counted as failures (an error event), by inference-perf as successes."
    if counted:
        yield "inference-perf's own tokens/s, TPOT and inter-token latency count by its tokenizer; here they are by the service's usage."
    else:
        yield "Tokens are those of inference-perf's tokenizer, not the service's, which its files do not hold."
        yield "An answer that ends in an error event is a success to inference-perf: its error rate is a lower bound."
    if any(level.users is not None for level in levels):
        yield "inference-perf's schedule delay and requested rate say nothing of a closed loop, and are left out."
