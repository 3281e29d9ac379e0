"""aiperf's summary where no record file was written: its figures, under the names of steps.csv's columns."""

from analysis.peers.nodes import Node

MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "sec": 1e3, "s": 1e3}
_PERCENTILES = {"avg": "mean", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99"}
ALONE = (
    "The summary keeps no requests (`--export-level records` does): the figures are aiperf's own, failures left out, tokens counted by "
    "its tokenizer unless the server's were asked for (TPOT is left out)."
)


def aggregates_of(summary: Node) -> dict[str, float | str]:
    """Raises Misshapen."""
    failed = summary.get("error_request_count", "avg").number()
    good = summary.need("request_count", "avg").number()
    found = {
        "successes": good,
        "failures": 0.0 if failed is None else failed,  # a metric without a value is left out
        "throughput_per_s": summary.get("request_throughput", "avg").number(),
        "window_s": _ms(summary, "benchmark_duration", "avg", 1000.0),
        "completion_tokens_per_s": summary.get("output_token_throughput", "avg").number(),
        "prompt_tokens_mean": summary.get("input_sequence_length", "avg").number(),
        "completion_tokens_mean": summary.get("output_sequence_length", "avg").number(),
    }
    for own, name in (("request_latency", "latency"), ("time_to_first_token", "ttft")):
        for key, which in _PERCENTILES.items():
            found[f"{name}_{which}_s"] = _ms(summary, own, key, 1000.0)
    return {name: value for name, value in found.items() if value is not None}


def _ms(summary: Node, name: str, key: str, per: float) -> float | None:
    """A time by its unit, ms / per. Raises Misshapen for a unit that is no time's."""
    value, unit = summary.get(name, key).number(), summary.get(name, "unit").text() or "ms"
    if value is None:
        return None
    if unit not in MS:
        raise summary.origin.misshapen(f"`{name}` is in `{unit}`, no unit of time")
    return value * MS[unit] / per
