"""A vllm bench file without `--save-detailed`: its summary alone, under the names of steps.csv's columns."""

import re

from analysis.peers.nodes import Node

_FIGURES = {"e2el": ("latency", "s"), "ttft": ("ttft", "s"), "tpot": ("tpot", "ms")}
_EARLY = (
    3.0  # the longest gaps are so many times TTFT: it ends at a role event, and they lead from there to the first token
)
NO_TTFT = "TTFT and TPOT are left out: vllm's ended at the empty role event, and its summary alone cannot be put right."
MAYBE = "On the chat route vllm's TTFT ends at the first event, which need not be a token."


def aggregates_of(document: Node, chat: bool) -> tuple[dict[str, float | str], list[str]]:
    """(figures, what is to be said of them)."""
    completed, failed = document.get("completed").count(), document.get("failed").count()
    asked = document.get("num_prompts").count()
    if failed is None and completed is not None and asked is not None and asked >= completed:
        failed = asked - completed
    found = {
        "window_s": document.get("duration").number(),
        "successes": completed,
        "failures": failed,
        "throughput_per_s": document.get("request_throughput").number(),
        "completion_tokens_per_s": document.get("output_throughput").number(),
        "prompt_tokens_mean": _mean(document.get("total_input_tokens").number(), completed),
        "completion_tokens_mean": _mean(document.get("total_output_tokens").number(), completed),
    }
    role = chat and _role_event(document)
    for own, (name, unit) in _FIGURES.items():
        if not (role and own != "e2el"):
            found |= _spread(document, own, name, unit)
    notes = [NO_TTFT] if role else [MAYBE] if chat else []
    return {name: value for name, value in found.items() if value is not None}, notes


def _mean(total: float | None, n: int | None) -> float | None:
    return total / n if total is not None and n else None


def _role_event(document: Node) -> bool:
    ttft, longest = document.get("median_ttft_ms").number(), document.get("p99_itl_ms").number()
    usual = document.get("median_itl_ms").number()
    return None not in (ttft, longest, usual) and (longest or 0.0) > _EARLY * max(ttft or 0.0, usual or 0.0)


def _spread(document: Node, own: str, name: str, unit: str) -> dict[str, float | None]:
    factor = 1000.0 if unit == "s" else 1.0
    found: dict[str, float | None] = {}
    for key in document.value:
        match = re.fullmatch(rf"(mean|median|p(\d+(?:\.\d+)?))_{own}_ms", str(key))
        value = document.get(key).number() if match else None
        if match and value is not None:
            which = {"mean": "mean", "median": "p50"}.get(match[1], f"p{(match[2] or '').replace('.', '_')}")
            found[f"{name}_{which}_{unit}"] = value / factor
    return found
