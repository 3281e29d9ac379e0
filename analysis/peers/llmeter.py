"""llmeter: `responses.jsonl` (a request a line, in the order in which they ended), summary.json, run_config.json.

A LoadTest leaves all its levels in one folder and the summary of the last: its requests are the last `total_requests` lines.
What is before them has no level. Start times are cut to whole seconds, and before 0.1.10 not there;
those versions take the first event of OpenAI's stream for the first token, with or without text in it.
"""

import dataclasses
import datetime
import pathlib
import re
import statistics
import typing

from analysis.peers.failures import failure
from analysis.peers.imported import Imported, Level, Subject, prompt_id, request, route
from analysis.peers.nodes import Lines, Node, NotFromHere, Origin, read_json, seek
from analysis.peers.undated import LAID_OUT, NO_DATE, began_at, laid_out
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

READ = "llmeter 0.1 to 0.2"
_STATUS = re.compile(r"(?:Error code: |\bstatus(?: code)?:? |\bHTTP )([45]\d{2})\b")
_CODE = re.compile(r"An error occurred \((\w+)\)")
_EARLY = 3.0  # answers as long as so many tokens, or as TTFT, before their first token: it ended at the role event
NO_TTFT = "llmeter before 0.1.10 takes the first event of a stream for the first token: here an empty role event, so TTFT is left out."
MAYBE = "llmeter before 0.1.10 takes the first event of a stream for the first token, which it need not be."
_MADE_UP = re.compile(r"[0-9a-f]{32}")  # an id of llmeter's own, where no answer came


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Those that look like this tool's."""
    return [p for p in seek(path, "responses.jsonl", "*.jsonl") if _looks_so(p)]


def _looks_so(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        head = file.read(1 << 20).partition(b"\n")[0]
    return b'"response_text"' in head and b'"time_to_last_token"' in head


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    files, notes = files_of(path), dict[str, None]()
    if not files:
        raise NotFromHere("no responses.jsonl with a request in it")
    found = Imported(tool="llmeter", version=None, levels=[])
    start, said_by = began_at(path, files)
    for file in files:
        origin = Origin("llmeter", file, READ)
        lines = Lines(file, origin)
        rows = _rows(lines)
        summary, config = (_beside(file, name, origin) for name in ("summary.json", "run_config.json"))
        for level, undated in _levels(rows, summary, config, start):
            start = level.bounds[1] + 1.0
            found.levels.append(level)
            notes |= dict.fromkeys(_notes(level, config, said_by if undated else None, lines.torn))
        if (earlier := len(rows.records) - (summary.get("total_requests").count() or len(rows.records))) > 0:
            notes[
                f"{earlier} of {len(rows.records)} lines of {file.name} are of levels before the one that summary.json is of, and "
                "nothing says which: they are taken as one level of as many users as --users says."
            ] = None
    found.levels.sort(key=lambda level: level.bounds)
    found.notes = list(notes)
    return found


def _beside(file: pathlib.Path, name: str, origin: Origin) -> Node:
    beside = file.with_name(name)
    return read_json(beside, origin) if beside.is_file() else Node(None, "", origin)


@dataclasses.dataclass(slots=True)
class _Rows:
    """Of the file's lines only what is kept of them: prompts and answers are many times as long."""

    first: Node
    records: list[RequestRecord]  # whose start is 0 where the line does not say it
    undated: bool


def _rows(lines: Lines) -> _Rows:
    first, undated, records, prompts = Node(None, "", lines.origin), False, list[RequestRecord](), dict[str, str]()
    for row in lines:
        first = first or row
        at = _unix(row.get("request_time"))
        undated = undated or at is None
        records.append(_record(row, at or 0.0, prompts))
    return _Rows(first, records, undated)


def _levels(rows: _Rows, summary: Node, config: Node, start: float) -> typing.Iterator[tuple[Level, bool]]:
    """Those before the last, as one without a number of users, and the last; and whether their requests have no times."""
    total, clients = summary.get("total_requests").count(), summary.get("clients").count()
    records = rows.records
    cut = max(0, len(records) - total) if total is not None else 0
    length = summary.get("total_test_time").number()
    for part, users, seconds in ((records[:cut], None, None), (records[cut:], clients, length)):
        if not part:
            continue
        level = _level(dataclasses.replace(rows, records=part), users, seconds, start, config)
        if users is clients and total is not None and len(records) < total:
            level.problems.append(f"{len(records)} of {total} requests are in responses.jsonl")
        start = level.bounds[1] + 1.0
        yield level, rows.undated


def _level(rows: _Rows, users: int | None, seconds: float | None, start: float, config: Node) -> Level:
    records = rows.records
    subject = _subject(rows.first, any(r.ttft_ms is not None or r.ttft_visible_ms is not None for r in records), config)
    if rows.undated:
        lengths = [r.latency_ms / 1000 for r in records]
        seconds = seconds or sum(lengths) / (users or 1)
        starts = laid_out(lengths, users or 1, start, seconds)
        records = [dataclasses.replace(r, started_at=at) for r, at in zip(records, starts, strict=True)]
        if subject.service == "openai" and _early_role(records):
            records = [dataclasses.replace(r, ttft_ms=None) for r in records]
    else:
        start = min(r.started_at for r in records)
    return Level(users=users, records=records, subject=subject, window=(start, start + seconds) if seconds else None)


def _early_role(records: list[RequestRecord]) -> bool:
    """Whether the time that no token explains, after the first event of an answer, is a wait for the first token: the line through
    tokens and times says how long an answer of one token takes from there on."""
    good = [r for r in records if r.error is None and r.ttft_ms is not None and (r.completion_tokens or 0) > 1]
    tokens = [float((r.completion_tokens or 0) - 1) for r in good]
    if len(set(tokens)) < 3:
        return False
    line = statistics.linear_regression(tokens, [r.latency_ms - (r.ttft_ms or 0.0) for r in good])
    first_ms = statistics.median(r.ttft_ms or 0.0 for r in good)
    return line.slope > 0 and line.intercept > _EARLY * max(line.slope, first_ms)


def _length_s(row: Node) -> float:
    """To the last token, which for llmeter is the end; of a failure what is known of it."""
    return row.get("time_to_last_token").number() or row.get("time_to_first_token").number() or 0.0


def _unix(node: Node) -> float | None:
    text = node.text()
    if text is None:
        return None
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise node.origin.misshapen(f"`{node.place}` is {text[:30]}, no time") from None
    return (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp()


def _record(row: Node, started_at: float, prompts: dict[str, str]) -> RequestRecord:
    """prompts: the ids so far, each of which is kept once."""
    length_s = _length_s(row)
    error, first = row.get("error").text(), row.get("time_to_first_token").number()
    if error is None and row.get("time_to_last_token").number() is None:
        raise row.origin.misshapen(f"`{row.place}.time_to_last_token` is missing, though it did not fail")
    reasoning = row.get("num_tokens_output_reasoning").count()
    first_ms = None if first is None else 1000 * first
    visible = bool(reasoning)  # then the time to the first of the reasoning is not known
    answer, known = row.get("id").text() or "", prompt_id(_prompt(row))
    return request(
        started_at=started_at,
        latency_ms=1000 * length_s,
        ttft_ms=None if visible else first_ms,
        ttft_visible_ms=first_ms if visible else None,
        last_token_ms=None if first is None else 1000 * length_s,
        prompt_id=None if known is None else prompts.setdefault(known, known),
        request_id=None if _MADE_UP.fullmatch(answer) else answer.removeprefix("chatcmpl-") or None,
        **_tokens(row, reasoning),
        **_outcome(error, first is not None),
    )


def _prompt(row: Node) -> str | None:
    said = row.get("input_prompt").value or row.get("input_payload").value
    return None if said is None else str(said)


def _tokens(row: Node, reasoning: int | None) -> dict[str, typing.Any]:
    """By the service where its usage was asked for, else nothing says by whom."""
    prompt, output = (_whole(row.get(f"num_tokens_{name}")) for name in ("input", "output"))
    asked = row.get("input_payload", "stream_options", "include_usage").value is True
    source = "service" if asked else "none"
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "prompt_token_source": "none" if prompt is None else source,
        "token_source": "none" if output is None else source,
        "cache_read_tokens": row.get("num_tokens_input_cached").count(),
        "reasoning_tokens": reasoning,
    }


def _whole(node: Node) -> int | None:
    number = node.number()
    return None if number is None else round(number)


def _outcome(error: str | None, begun: bool) -> dict[str, typing.Any]:
    """In a stream that had begun, what is no connection's error is one that the service sent inside it."""
    if error is None:
        return {}
    status, code = _STATUS.search(error), _CODE.search(error)
    found = failure(error, int(status[1]) if status else None, code[1] if code else None)
    return found | ({"error": ErrorClass.BAD_RESPONSE} if begun and found["error"] == ErrorClass.UNKNOWN else {})


def _subject(first: Node, stream: bool, config: Node) -> Subject:
    endpoint = config.get("endpoint", "__llmeter_state__") or config.get("endpoint")
    kind = (config.get("endpoint", "__llmeter_class__").text() or endpoint.get("endpoint_type").text() or "").lower()
    provider = (endpoint.get("provider").text() or "").lower()
    service = next((s for s in ("bedrock", "sagemaker") if s in f"{kind} {provider}"), "openai")
    model = endpoint.get("model_id").text() or first.get("input_payload", "model").text()
    return Subject(
        model=model,
        url=route(endpoint.get("base_url").text()) if service == "openai" else None,
        service=typing.cast(typing.Any, service),
        stream=stream,
        max_tokens=first.get("input_payload", "max_tokens").count(),
        endpoint=endpoint.get("endpoint_name").text() if service == "sagemaker" else None,
        region=endpoint.get("region").text() or endpoint.get("region_name").text(),
    )


def _notes(level: Level, config: Node, undated: str | None, torn: bool) -> typing.Iterator[str]:
    retries = config.get("endpoint", "__llmeter_state__", "max_retries") or config.get("endpoint", "max_retries")
    tries = retries.count()
    if tries:
        yield f"llmeter's client tried up to {tries} times again: a request's times hold these tries, failed ones are not told."
    elif tries is None:
        yield "Whether llmeter's client tried failed requests again is not told; a request's times hold what it tried."
    if undated:
        yield LAID_OUT.format(tool="This version of llmeter")
        yield NO_DATE.format(of=undated)
        if level.subject.service == "openai" and level.subject.stream:
            yield MAYBE if any(r.ttft_ms is not None for r in level.records) else NO_TTFT
    else:
        yield "llmeter cuts start times to whole seconds: what was in flight at which moment is known to a second only."
    yield "llmeter's first request of a run may have waited a second or two in the client itself, which is in its times."
    if any(r.ttft_visible_ms is not None for r in level.records):
        yield "llmeter times the first visible text: where reasoning came before it, the time to the first token is not known."
    if any(r.token_source == "none" and r.completion_tokens for r in level.records):
        yield "Token counts are the service's where it sent usage, else its tokenizer's (by default words); the files do not say which."
    if torn:
        yield "The last line of responses.jsonl was torn, and left out."
