"""inference-perf's stage files where no per-request file was asked for: their figures, under the names of steps.csv's columns."""

import pathlib

from analysis.peers.nodes import Node, Origin, read_json

_PERCENTILES = {"mean": "mean", "median": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p99.9": "p99_9"}
_FIGURES = (("request_latency", "latency", "s", 1.0), ("time_to_first_token", "ttft", "s", 1.0))
ALONE = (
    "inference-perf keeps no requests unless report.request_lifecycle.per_request is set: the figures are its own, tokens and "
    "what follows from them counted by its tokenizer (TPOT is left out)."
)


def aggregates_of(file: pathlib.Path, origin: Origin) -> tuple[Node, dict[str, float | str]]:
    """(load_summary, figures) of a stage. Raises Misshapen."""
    stage = read_json(file, origin)
    load, good = stage.need("load_summary"), stage.need("successes")
    found = {
        "window_s": stage.get("benchmark_time_seconds").number(),
        "requests": load.get("count").count(),
        "successes": good.need("count").count(),
        "failures": stage.get("failures", "count").count(),
        "throughput_per_s": good.get("throughput", "requests_per_sec").number(),
        "completion_tokens_per_s": good.get("throughput", "output_tokens_per_sec").number(),
        "prompt_tokens_mean": good.get("prompt_len", "mean").number(),
        "completion_tokens_mean": good.get("output_len", "mean").number(),
    }
    for own, name, unit, factor in _FIGURES:
        spread = good.get("latency", own)
        for key, which in _PERCENTILES.items():
            value = spread.get(key).number()
            found[f"{name}_{which}_{unit}"] = None if value is None else value * factor
    return load, {name: value for name, value in found.items() if value is not None}
