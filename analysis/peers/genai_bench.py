"""genai-bench: a folder of an experiment, one JSON a level (`…_num_concurrency_4_time_60s.json`) beside experiment_metadata.json.

Its records have no start and no failure's length; `_time_unit` says whether times are s or ms (before 0.0.3: s). The command
line in its metadata holds the API key: it is never read.
"""

import pathlib
import re
import typing

from analysis.peers.failures import failure
from analysis.peers.imported import Imported, Level, Subject, request, route
from analysis.peers.nodes import Node, NotFromHere, Origin, read_json, seek
from analysis.peers.undated import LAID_OUT, NO_DATE, began_at, laid_out
from locustfiles.contract.record import RequestRecord

READ = "genai-bench 0.0.1 to 0.0.5"
_MS = {"s": 1000.0, "ms": 1.0}
_SERVICES = {"aws-bedrock": "bedrock", "bedrock": "bedrock", "aws-sagemaker": "sagemaker"}
_GAP_S = 1.0  # between two levels
_STATS = ("mean", "p50", "p90", "p95", "p99")


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Those that look like this tool's."""
    return [p for p in seek(path, "*.json") if _looks_so(p)]


def _looks_so(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        return b'"aggregated_metrics"' in file.read(4096)


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    files = files_of(path)
    if not files:
        raise NotFromHere("no JSON with `aggregated_metrics`")
    found = Imported(tool="genai-bench", version=None, levels=[])
    start, said_by = began_at(path, files)
    for document, metadata in _in_order(files):
        found.version = found.version or metadata.get("benchmark_version").text()
        level, length = _level(document, metadata, start)
        found.levels.append(level)
        start += length + _GAP_S
    found.notes = list(_notes(found, said_by))
    return found


def _in_order(files: list[pathlib.Path]) -> list[tuple[Node, Node]]:
    """Each level's file and its folder's metadata, by users."""
    pairs = []
    for file in files:
        beside = file.parent / "experiment_metadata.json"
        origin = Origin("genai-bench", file, READ)
        metadata = read_json(beside, origin) if beside.is_file() else Node(None, "", origin)
        origin.version = metadata.get("benchmark_version").text()
        pairs.append((read_json(file, origin), metadata))
    return sorted(pairs, key=lambda pair: pair[0].get("aggregated_metrics", "num_concurrency").number() or 0.0)


def _level(document: Node, metadata: Node, start: float) -> tuple[Level, float]:
    told = document.need("aggregated_metrics")
    unit = document.get("_time_unit").text() or metadata.get("metrics_time_unit").text() or "s"
    if unit not in _MS:
        raise document.origin.misshapen(f"its times are in `{unit}`, which is neither s nor ms")
    length = told.need("run_duration").number() or 0.0
    users, rows = told.need("num_concurrency").count() or 1, document.get("individual_request_metrics").items()
    level = Level(users=users, records=[], subject=_subject(metadata), payload=_payload(told))
    level.window = (start, start + length)
    if not rows:
        level.aggregates = _aggregates(told, _MS[unit])
        return level, length
    if length <= 0:
        raise document.origin.misshapen("`aggregated_metrics.run_duration` is 0")
    latencies = [(row.get("e2e_latency").number() or 0.0) * _MS[unit] for row in rows]
    starts = laid_out([ms / 1000 for ms in latencies], users, start, length)
    each = zip(rows, starts, latencies, strict=True)
    level.records = [_record(row, at, latency, _MS[unit]) for row, at, latency in each]
    return level, length


def _payload(told: Node) -> str | None:
    batch = told.get("batch_size").count() or 1
    scenario = told.get("scenario").text()
    return f"{scenario}-batch-{batch}" if scenario and batch > 1 else scenario


def _subject(metadata: Node) -> Subject:
    backend = metadata.get("api_backend").text() or "openai"
    return Subject(
        model=metadata.get("model").text() or metadata.get("api_model_name").text(),
        url=route(metadata.get("api_base").text()),
        service=typing.cast(typing.Any, _SERVICES.get(backend, "openai")),
        endpoint=metadata.get("api_model_name").text() if _SERVICES.get(backend) == "sagemaker" else None,
        max_tokens=metadata.get("additional_request_params", "max_tokens").count(),
    )


def _record(row: Node, started_at: float, latency_ms: float, ms: float) -> RequestRecord:
    code, text = row.get("error_code").count(), row.get("error_message").text()
    if code is not None or text:
        return request(started_at=started_at, latency_ms=0.0, **_failed(code, text))
    if row.get("e2e_latency").number() is None:
        raise row.origin.misshapen(f"`{row.place}.e2e_latency` is missing, though it did not fail")
    ttft, wrote = row.get("ttft").number(), row.get("output_latency").number()
    reasoning, prompt = row.get("num_reasoning_tokens").count(), row.get("num_input_tokens").count()
    own = prompt is not None and _counts_prompts(row.origin.version)
    return request(
        started_at=started_at,
        latency_ms=latency_ms,
        ttft_ms=None if ttft is None else ttft * ms,
        last_token_ms=None if ttft is None or wrote is None else (ttft + wrote) * ms,
        prompt_tokens=prompt,
        prompt_token_source="tokenizer" if own else "none",
        completion_tokens=row.get("num_output_tokens").count(),
        reasoning_tokens=reasoning or None,
    )


def _counts_prompts(version: str | None) -> bool:
    """By its tokenizer, whatever the service's usage says."""
    return version in ("0.0.1", "0.0.2", "0.0.3")


def _failed(code: int | None, text: str | None) -> dict[str, typing.Any]:
    """A code of 500 without a body of the service is what it calls a broken connection: no status."""
    own = code == 500 and not re.match(r"\s*[{<\[]", text or "")
    return failure(text, None if own else code)


def _aggregates(told: Node, ms: float) -> dict[str, float | str]:
    """Of a file without requests. Its requests/s and tokens/s are over the whole duration."""
    good, bad = told.get("num_completed_requests").count(), told.get("num_error_requests").count()
    length = told.get("run_duration").number() or 0.0
    known: dict[str, float | None] = {"successes": good, "failures": bad, "window_s": length or None}
    known["completion_tokens_per_s"] = told.get("mean_output_throughput_tokens_per_s").number()
    known["prompt_tokens_per_s"] = told.get("mean_input_throughput_tokens_per_s").number()
    stats = told.get("stats")
    for statistic in _STATS:
        for name, prefix, per in (("e2e_latency", "latency", "s"), ("ttft", "ttft", "s"), ("tpot", "tpot", "ms")):
            value = stats.get(name, statistic).number()
            scale = ms if per == "ms" else ms / 1000
            known[f"{prefix}_{statistic}_{per}"] = None if value is None else value * scale
    known["prompt_tokens_mean"] = stats.get("num_input_tokens", "mean").number()
    known["completion_tokens_mean"] = stats.get("num_output_tokens", "mean").number()
    return {name: value for name, value in known.items() if value is not None}


def _notes(found: Imported, said_by: str) -> typing.Iterator[str]:
    kept = [level for level in found.levels if level.records]
    yield NO_DATE.format(of=said_by)
    if kept:
        yield LAID_OUT.format(tool="genai-bench")
        yield (
            "genai-bench leaves out the requests that were under way at the end of a level, and errors in a stream without a "
            "numeric code: throughput and error rate may be too low by these. How long a failed request took it does not keep (0 here)."
        )
        yield (
            "genai-bench's own error_rate is always 0; here it is counted from the requests. Warm-up and cool-down requests, where "
            "ratios of these were given, are not marked in its files and are counted."
        )
    if _counts_prompts(found.version):
        yield "Prompt tokens are genai-bench's tokenizer's: before 0.0.4 it takes no others."
    yield "Its token counts are the service's where that sent usage, else its tokenizer's; the files do not say which."
    if any(r.reasoning_tokens for level in found.levels for r in level.records):
        yield "Reasoning tokens are counted by its tokenizer where the service does not tell them: they need not fit the service's total."
