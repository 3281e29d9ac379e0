"""FMBench's chunks of N simultaneous requests, and its summary of them, where requests themselves were not kept."""

import dataclasses
import pathlib
import typing

from analysis.peers.fmbench_subject import subject_of
from analysis.peers.imported import Level
from analysis.peers.nodes import Origin
from analysis.peers.undated import needed

_GAP_S = 1.0
#: a summary's column -> ours, and the factor
_TOLD = {
    "error_rate": ("error_rate", 1.0), "prompt_token_count_mean": ("prompt_tokens_mean", 1.0),
    "completion_token_count_mean": ("completion_tokens_mean", 1.0), "completion_token_throughput": ("completion_tokens_per_s", 1.0),
    "prompt_token_throughput": ("prompt_tokens_per_s", 1.0), "latency_mean": ("latency_mean_s", 1.0),
    "latency_p50": ("latency_p50_s", 1.0), "latency_p95": ("latency_p95_s", 1.0), "latency_p99": ("latency_p99_s", 1.0),
    "TTFT_mean": ("ttft_mean_s", 1.0), "TTFT_p50": ("ttft_p50_s", 1.0), "TTFT_p95": ("ttft_p95_s", 1.0),
    "TTFT_p99": ("ttft_p99_s", 1.0), "TPOT_mean": ("tpot_mean_ms", 1e3), "TPOT_p50": ("tpot_p50_ms", 1e3),
    "TPOT_p95": ("tpot_p95_ms", 1e3), "TPOT_p99": ("tpot_p99_ms", 1e3), "transactions_per_minute": ("transactions_per_minute", 1.0),
}  # fmt: skip
_TIMES = tuple(name for name in _TOLD if name.split("_")[0] in ("latency", "TTFT", "TPOT"))


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """N requests that were sent at once."""

    experiment: str
    users: int
    payload: str | None
    good: int
    failed: int
    prompt_tokens: float
    completion_tokens: float
    elapsed_s: float | None
    times: tuple[tuple[str, float], ...]
    row: dict[str, str]

    @property
    def key(self) -> tuple[str, int, int, int]:
        """By which it is told apart: two with the same tokens take each other's place."""
        return self.experiment, self.users, round(self.prompt_tokens), round(self.completion_tokens)


def chunks_of(rows: list[dict[str, str]], origin: Origin) -> list[Chunk]:
    """Of all_metrics.csv."""
    needed(rows[0], ("successes", "all_prompts_token_count", "transactions_per_second"), origin)
    return [_chunk(row, origin) for row in rows]


def _chunk(row: dict[str, str], origin: Origin) -> Chunk:
    users, good, sent = (_number(row.get(name)) for name in ("concurrency", "successes", "transactions"))
    if users is None or good is None:
        raise origin.misshapen(f"a chunk has no `{'concurrency' if users is None else 'successes'}`")
    prompts, wrote = (_number(row.get(f"all_{kind}_token_count")) or 0.0 for kind in ("prompts", "completions"))
    times = ((name, value) for name in _TIMES if (value := _number(row.get(name))) is not None)
    return Chunk(
        row["experiment_name"], int(users), row.get("payload_file") or None, int(good), int((sent or users) - good),
        prompts, wrote, _elapsed(row, good, prompts, wrote), tuple(times), row,
    )  # fmt: skip


def _elapsed(row: dict[str, str], good: float, prompts: float, wrote: float) -> float | None:
    """A count by its rate per second; of the largest rate, whose two decimals round it least."""
    rates = (
        (prompts, row.get("prompt_token_throughput")),
        (wrote, row.get("completion_token_throughput")),
        (good, row.get("transactions_per_second")),
    )
    known = [(rate, amount / rate) for amount, text in rates if amount and (rate := _number(text))]
    return max(known)[1] if known else None


def chunk_levels(rows: list[dict[str, str]], start: float, origin: Origin) -> list[Level]:
    """A level of all its chunks' counts: rates by all their times. Percentiles of one request each, or means of percentiles."""
    groups: dict[tuple, list[Chunk]] = {}
    for chunk in chunks_of(rows, origin):
        groups.setdefault((chunk.experiment, chunk.payload, chunk.users), []).append(chunk)
    levels = []
    for chunks in groups.values():
        told = _together(chunks)
        levels.append(_level(chunks[0].row, told, start))
        start = levels[-1].bounds[1] + _GAP_S
    return levels


def _together(chunks: list[Chunk]) -> dict[str, float | str]:
    good, failed = sum(c.good for c in chunks), sum(c.failed for c in chunks)
    told: dict[str, float | str] = {"successes": good, "failures": failed}
    elapsed = [c.elapsed_s for c in chunks if c.elapsed_s is not None]
    if len(elapsed) == len(chunks):
        told["window_s"] = sum(elapsed)
        told["completion_tokens_per_s"] = sum(c.completion_tokens for c in chunks) / sum(elapsed)
    if good + failed:
        told["prompt_tokens_mean"] = sum(c.prompt_tokens for c in chunks) / (good + failed)
    if good:
        told["completion_tokens_mean"] = sum(c.completion_tokens for c in chunks) / good
    for name, (column, factor) in _TOLD.items():
        each = [(c.good, dict(c.times)[name]) for c in chunks if name in dict(c.times) and c.good]
        if each:
            weights = sum(n for n, _ in each)
            told[column] = factor * sum(n * value for n, value in each) / weights
    if all(c.users == 1 for c in chunks) and "latency_p50_s" in told:
        told["latency_mean_s"] = told["latency_p50_s"]  # of one request each: its own latency, and no percentile of it
        told = {name: value for name, value in told.items() if not _percentile(name)}
    return told


def _percentile(name: str) -> bool:
    return any(f"_{p}_" in name for p in ("p50", "p95", "p99"))


def summary_levels(rows: list[dict[str, str]], start: float, origin: Origin) -> list[Level]:
    """A level a row of all_metrics_summary.csv, as it is printed: rates are means of chunks' rates."""
    needed(rows[0], ("transactions_per_minute",), origin)
    levels = []
    for row in rows:
        told = {
            column: v * factor for name, (column, factor) in _TOLD.items() if (v := _number(row.get(name))) is not None
        }
        error_rate = told.get("error_rate")
        if error_rate and "prompt_tokens_mean" in told:  # all prompts by the successes
            told["prompt_tokens_mean"] *= 1 - error_rate
        levels.append(_level(row, typing.cast("dict[str, float | str]", told), start))
        start = levels[-1].bounds[1] + _GAP_S
    return levels


def _level(row: dict[str, str], told: dict[str, float | str], start: float) -> Level:
    users, payload = _number(row["concurrency"]), row.get("payload_file")
    return Level(
        users=None if users is None else int(users),
        subject=subject_of(row, any(name.startswith("ttft") for name in told)),
        payload=pathlib.PurePath(payload).stem if payload else None,
        window=(start, start + float(told.get("window_s", 0.0))),
        aggregates=told,
    )


def _number(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if found == found and abs(found) != float("inf") else None
