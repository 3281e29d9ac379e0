"""guidellm: `benchmarks.json`, all levels in one file; from 0.4 on a request's times are under `info.timings`, before beside it.

Times are Unix seconds. Where the service sent no usage, `output_tokens` is what was asked for: it is left out.
"""

import json
import pathlib
import re
import typing

from analysis.peers.failures import failure
from analysis.peers.guidellm_cut import BEFORE_07, CUT, cut_off, told_as_failures
from analysis.peers.imported import Imported, Level, Subject, prompt_id, request, route
from analysis.peers.nodes import Node, NotFromHere, Origin, read_json, seek
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

READ = "guidellm 0.2 to 0.8"
_STATUS = re.compile(r"'([45]\d{2}) |status[_ ]?code[=: ]+([45]\d{2})", re.IGNORECASE)
_LISTS = ("successful", "errored", "incomplete")


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Those that look like this tool's."""
    return [p for p in seek(path, "benchmarks*.json", "*.json") if _looks_so(p)]


def _looks_so(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        head = file.read(1 << 20)
    return b'"benchmarks"' in head and (b'"generative_benchmark"' in head or b'"guidellm_version"' in head)


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    found = Imported(tool="guidellm", version=None, levels=[])
    for file in files_of(path):
        origin = Origin("guidellm", file, READ)
        document = read_json(file, origin)
        found.version = origin.version = document.get("metadata", "guidellm_version").text() or _before(document)
        found.levels += [_level(benchmark, document) for benchmark in document.need("benchmarks").items()]
    if not found.levels:
        raise NotFromHere("no benchmarks.json with a benchmark in it")
    found.notes = list(_notes(found))
    return found


def _before(document: Node) -> str | None:
    """Versions before 0.5 do not say theirs."""
    first = next(iter(document.get("benchmarks").items()), document)
    return "0.4" if first.get("config") else "0.2 or 0.3" if first.get("args") else None


def _level(benchmark: Node, document: Node) -> Level:
    strategy = benchmark.get("args", "strategy") or benchmark.need("config", "strategy")
    lists = benchmark.need("requests")
    rows = [(row, kind) for kind in _LISTS for row in lists.get(kind).items()]
    if not rows:
        raise benchmark.origin.misshapen(f"`{lists.place}` is empty: no request was kept")
    users, rate = _load(strategy, len(rows))
    cut = cut_off([row for row, kind in rows if kind == "successful"], benchmark.origin.version)
    level = Level(
        users=users,
        rate=rate,
        records=[_record(row, "cut" if row.place in cut else kind, users is None) for row, kind in rows],
        subject=_subject(benchmark, document, rows),
        payload=_data(document),
    )
    start, end = benchmark.get("start_time").number(), benchmark.get("end_time").number()
    if start is not None and end is not None and end > start:
        level.window = (start, end)
    if users is None and rate is None:  # a trace, which has a mean rate
        level.rate = len(rows) / (level.bounds[1] - level.bounds[0])
    made = benchmark.get("scheduler_metrics", "requests_made", "total").count()
    made = made or benchmark.get("run_stats", "requests_made", "total").count() or 0
    if len(rows) < made:
        level.problems.append(
            f"the file keeps {len(rows)} of {made} requests (guidellm's sample size): rates and costs are of those alone"
        )
    return level


def _load(strategy: Node, requests: int) -> tuple[int | None, float | None]:
    """(users, rate). `throughput` sends all at once, at most `max_concurrency` of them."""
    kind = strategy.need("type_").text()
    if kind in ("constant", "poisson"):
        return None, strategy.need("rate").number()
    if kind == "trace":
        return None, None
    if kind == "synchronous":
        return 1, None
    return strategy.get("streams" if kind == "concurrent" else "max_concurrency").count() or requests, None


def _subject(benchmark: Node, document: Node, rows: list[tuple[Node, str]]) -> Subject:
    places = (
        benchmark.get("config", "backend"),
        document.get("config", "spec", "backend"),
        benchmark.get("config", "backend", "attributes"),
        document.get("args"),
    )
    older = benchmark.get("worker")
    url = next((u for p in places if (u := p.get("target").text())), None) or older.get("backend_target").text()
    model = next((m for p in places if (m := p.get("model").text())), None) or older.get("backend_model").text()
    kinds = [rows[0][0].get(name).text() for name in ("request_type", "type_")]
    routes = [p.get("request_format").text() for p in places]
    words = " ".join(filter(None, [*kinds, *routes]))
    return Subject(
        model=model,
        url=route(url),
        dialect="openai-chat" if "chat" in words or "completions" not in words else "openai-completions",
        stream=any(_first_token(row) is not None for row, _ in rows),
        max_tokens=next((n for p in places if (n := p.get("max_tokens").count())), None),
    )


def _data(document: Node) -> str | None:
    """The data set's name: its file's, or what it is made by."""
    for place in (document.get("config", "spec", "data"), document.get("args", "data")):
        first = place.items()[0] if isinstance(place.value, list) and place.value else place
        if isinstance(first.value, dict):
            named = first.get("path").text() or first.get("source").text()
            lengths = [str(n) for key in ("prompt_tokens", "output_tokens") if (n := first.get(key).value)]
            return pathlib.PurePath(named).stem if named else "-".join(["synthetic", *lengths])
        if isinstance(first.value, str):
            return first.value[:60] if "=" in first.value else pathlib.PurePath(first.value).stem
    return None


def _first_token(row: Node) -> float | None:
    return row.get("info", "timings", "first_token_iteration").number() or row.get("first_token_time").number()


def _record(row: Node, kind: str, due: bool) -> RequestRecord:
    """due: it was to be sent at a time, which only the open loop has."""
    times, older = row.get("info", "timings"), row.get("scheduler_info")
    start = (
        times.get("request_start").number() or row.get("request_start_time").number() or row.need("start_time").number()
    )
    ends = (times.get("request_end"), times.get("resolve_end"), row.get("request_end_time"), row.get("end_time"))
    end = next((t for node in ends if (t := _known(node)) is not None), None)
    if start is None or end is None:
        raise row.origin.misshapen(f"`{row.place}` has no start or no end")
    targeted = _known(times.get("targeted_start")) or _known(older.get("targeted_start_time"))
    last = _known(times.get("last_token_iteration")) or _known(row.get("last_token_time"))
    visible = _known(times.get("first_output_token_iteration"))
    first = _known(Node(_first_token(row), row.place, row.origin))

    def after(time: float | None) -> float | None:
        return None if time is None else 1000 * (time - start)

    return request(
        started_at=start,
        latency_ms=1000 * (end - start),
        ttft_ms=after(first),
        ttft_visible_ms=after(visible) if visible != first else None,
        last_token_ms=after(last) if first is not None else None,
        chunks=times.get("token_iterations").count() or None,
        schedule_delay_ms=None if targeted is None or not due else max(0.0, 1000 * (start - targeted)),
        prompt_id=_prompt(row),
        request_id=(row.get("response_id").text() or "").removeprefix("chatcmpl-").removeprefix("cmpl-") or None,
        **_tokens(row, kind),
        **_outcome(row, kind),
    )


def _known(node: Node) -> float | None:
    """A time; versions before 0.4 write -1 for none."""
    time = node.number()
    return None if time is None or time <= 0 else time


def _prompt(row: Node) -> str | None:
    """By its text, which is not kept."""
    if text := row.get("prompt").text():
        return prompt_id(text)
    try:
        sent = json.loads(row.get("request_args").text() or "null")
    except ValueError:
        return None
    body = sent.get("body", sent) if isinstance(sent, dict) else {}
    said = (body.get("messages") or body.get("prompt") or body.get("input")) if isinstance(body, dict) else None
    return prompt_id(json.dumps(said)) if said else None


def _tokens(row: Node, kind: str) -> dict[str, typing.Any]:
    """The service's counts. Without its prompt tokens there was no usage, and `output_tokens` is what was asked for."""
    prompt, output = row.get("prompt_tokens").count(), row.get("output_tokens").count()
    if prompt is None or kind == "cut" or (kind != "successful" and not row.get("info")):
        return {}
    return {
        "prompt_tokens": prompt,
        "prompt_token_source": "service",
        "completion_tokens": output,
        "token_source": "none" if output is None else "service",
        "cache_read_tokens": row.get("cached_tokens").count(),
    }


def _outcome(row: Node, kind: str) -> dict[str, typing.Any]:
    if kind == "successful":
        return {}
    text = row.get("info", "error").text() or row.get("error").text()
    if kind == "cut":
        return {"error": ErrorClass.BAD_RESPONSE, "error_message": CUT}
    if kind == "incomplete":
        return {"error": ErrorClass.CANCELLED, "error_message": "not ended when guidellm's run was over"}
    found = _STATUS.search(text or "")
    return failure(text, int(found[1] or found[2]) if found else None)


def _notes(found: Imported) -> typing.Iterator[str]:
    records = [r for level in found.levels for r in level.records]
    good = [r for r in records if r.error is None]
    if cut := sum(r.error_message == CUT for r in records):
        yield f"{cut} answers ended without the closing events or the usage that others have: failures, to guidellm successes."
    if not told_as_failures(found.version) and any(level.subject.stream for level in found.levels):
        yield BEFORE_07
    uncounted = sum(r.completion_tokens is None for r in good)
    if uncounted:
        yield (
            f"{uncounted} of {len(good)} successes came without usage: guidellm writes the output length that was asked for in "
            "its place, which is left out here; so are its tokens/s and inter-token latency."
        )
    yield "guidellm's own `total` statistics count a failed request as a latency of 0; here they are worked out anew from the requests."
    if any(level.users is not None and level.users == len(level.records) for level in found.levels):
        yield "A level without a limit on what is in flight is taken as that many users as requests were sent."
    if found.version and found.version.startswith("0.2"):
        yield (
            "guidellm before 0.4 takes the tokenizer's prompt tokens and the output length that was asked for where the service "
            "sends no usage, and does not say so: its counts are taken as the service's."
        )
