"""`vllm bench serve` and its forerunner benchmark_serving.py: a JSON file a level; the version is in none.

Every per-request list has a place for each request, 0.0 where it failed. On the chat route the first event that counts is the
empty role event of servers that send it early: then `ttfts` is its time, and the first gap leads to the first token.
"""

import datetime
import pathlib
import typing

from analysis.peers.event_streams import Stream
from analysis.peers.failures import failure
from analysis.peers.imported import Imported, Level, Subject, request
from analysis.peers.nodes import Misshapen, Node, NotFromHere, Origin, read_json, read_lines, seek
from analysis.peers.undated import LAID_OUT, laid_out
from analysis.peers.vllm_aggregates import aggregates_of
from analysis.peers.vllm_streams import streams_of
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

READ = "vllm bench serve and of benchmark_serving.py, vllm 0.6 to 0.32"
ALONE = "The file keeps no requests (`--save-detailed` would): its figures are as vllm bench worked them out, failures left out."
CUT = "no closing event came, which the other answers have: taken as broken off by an error event, which vllm counts as a success"


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Those that look like this tool's."""
    return [p for p in seek(path, "*.json") if _looks_so(p)]


def _looks_so(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    return b'"tokenizer_id"' in head and b'"num_prompts"' in head and not path.name.endswith(".pytorch.json")


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    found = Imported(tool="vllm-bench", version=None, levels=[])
    notes: dict[str, None] = {}
    for file in files_of(path):
        for document in _documents(file, Origin("vllm bench", file, READ)):
            level, told = _level(document)
            found.levels.append(level)
            notes |= dict.fromkeys(told)
    if not found.levels:
        raise NotFromHere("no result file in it")
    found.notes = [*notes, *_notes(found)]
    return found


def _documents(file: pathlib.Path, origin: Origin) -> list[Node]:
    """One, or with `--append-result` one a line."""
    try:
        return [read_json(file, origin)]
    except Misshapen:
        lines, torn = read_lines(file, origin)
        if torn or len(lines) < 2:
            raise
        return lines


def _level(document: Node) -> tuple[Level, list[str]]:
    """A level, and what is to be said of it. Raises Misshapen."""
    if document.get("total_input_sequences"):
        raise document.origin.misshapen("it is of an embedding benchmark, which is not read")
    backend = document.get("backend").text() or document.get("endpoint_type").text() or ""
    chat = "chat" in backend
    subject = Subject(
        model=document.get("model_id").text(), dialect="openai-chat" if chat else "openai-completions", stream=True
    )
    ended, duration = _ended(document), document.need("duration").number() or 0.0
    window = (ended - duration, ended)
    if not document.get("ttfts"):
        users, rate, notes = _load(document, document.need("num_prompts").count() or 1)
        figures, told = aggregates_of(document, chat)
        level = Level(users=users, rate=rate, subject=subject, window=window, aggregates=figures)
        return level, [ALONE, *notes, *told]
    streams = streams_of(document, chat)
    users, rate, notes = _load(document, len(streams))
    starts, said = _starts(document, streams, users, rate, window)
    delays = document.get("queue_times").numbers() if rate is not None else []
    records = [
        _record(document, n, stream, starts[n], delays[n] if n < len(delays) else None)
        for n, stream in enumerate(streams)
    ]
    notes.append(said)
    if any(s.early_role for s in streams):
        notes.append(
            "vllm's own TTFT ends at the empty role event, which this server sent at once; here it is to the first token, and "
            "TPOT and gaps are without that event."
        )
    return Level(users=users, rate=rate, records=records, subject=subject), notes


def _load(document: Node, requests: int) -> tuple[int | None, float | None, list[str]]:
    """(users, rate, what is to be said)."""
    asked, most = document.get("request_rate"), document.get("max_concurrency").count()
    rate = None if asked.value in (None, "inf") else float(asked.value) if _numeric(asked.value) else asked.number()
    if rate is None and most is None:
        return (
            requests,
            None,
            ["A level without a limit on what is in flight is taken as that many users as requests were sent."],
        )
    if rate is None:
        return most, None, []
    told = [f"At most {most} requests were in flight: those due beyond that waited."] if most else []
    return None, rate, told


def _numeric(value: object) -> bool:
    return isinstance(value, str) and value.replace(".", "", 1).isdigit()


def _ended(document: Node) -> float:
    """Unix s: the file is named when the level has ended, by the local clock, in whole seconds."""
    text = document.need("date").text() or ""
    try:
        return datetime.datetime.strptime(text, "%Y%m%d-%H%M%S").replace(tzinfo=datetime.UTC).timestamp()
    except ValueError:
        raise document.origin.misshapen(f"`date` is {text[:30]!r}, no time") from None


def _starts(
    document: Node, streams: list[Stream], users: int | None, rate: float | None, window: tuple[float, float]
) -> tuple[list[float], str]:
    """Unix s of each request, and what is to be said of it."""
    clock, (begin, end) = document.get("start_times").numbers(), window
    if len(clock) == len(streams):
        said = "Start times are placed by the file's `date` (taken as UTC): right to a second, exact among each other."
        return [begin + each - clock[0] for each in clock], said
    if users is None:
        apart = 1 / (rate or 1.0)
        said = "The file has no start times: requests are placed evenly, by the rate, before its `date`."
        return [begin + n * apart for n in range(len(streams))], said
    return laid_out([s.latency_s for s in streams], users, begin, end - begin), LAID_OUT.format(tool="This version")


def _record(document: Node, n: int, stream: Stream, start: float, waited_s: float | None) -> RequestRecord:
    text = _at(document.get("errors"), n).text()
    tokens: dict[str, typing.Any] = {}
    if text:
        outcome = failure(text)
    elif stream.latency_s <= 0:
        outcome = {
            "error": ErrorClass.UNKNOWN,
            "error_message": "failed: its latency is 0, and the file keeps no reason",
        }
    elif stream.unclosed:
        outcome = {"error": ErrorClass.BAD_RESPONSE, "error_message": CUT}
    else:
        outcome = {}
        prompt, output = _at(document.get("input_lens"), n).count(), _at(document.get("output_lens"), n).count()
        tokens = {
            "prompt_tokens": prompt,
            "prompt_token_source": "none" if prompt is None else _counted_by(document),
            "completion_tokens": output,
            "token_source": "none" if output is None else "service",
        }
    return request(
        started_at=start,
        latency_ms=1000 * stream.latency_s,
        ttft_ms=_ms(stream.ttft_s),
        last_token_ms=_ms(stream.last_s),
        chunks=stream.chunks,
        gaps_s=stream.gaps_s,
        schedule_delay_ms=_ms(waited_s),
        **tokens,
        **outcome,
    )


def _counted_by(document: Node) -> str:
    """Whose the prompt tokens are: until 0.16 the tokenizer's, from 0.20 on the service's where it sent usage; `rtfx` came between."""
    return "service" if document.get("latencies") else "none" if "rtfx" in document.value else "tokenizer"


def _at(node: Node, n: int) -> Node:
    """An item of a list; null where it is shorter, or not there."""
    items = node.value if isinstance(node.value, list) else []
    return Node(items[n] if n < len(items) else None, f"{node.place}[{n}]", node.origin)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _notes(found: Imported) -> typing.Iterator[str]:
    records = [r for level in found.levels for r in level.records]
    cut = sum(r.error_message == CUT for r in records)
    if cut:
        yield f"{cut} answers ended without the closing event that others have: counted as failures, by vllm as successes."
    yield "An answer that ends in an error event is a success to vllm bench: its error rate is a lower bound."
    if any(r.prompt_token_source == "tokenizer" for r in records):
        yield "Prompt tokens are vllm bench's tokenizer's, not the service's."
    if any(r.token_source == "service" for r in records) or any(level.aggregates for level in found.levels):
        yield "Token counts are the service's usage where it sent that, else vllm bench's tokenizer's; the file does not say which."
