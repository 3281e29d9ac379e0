"""Whether a run uses a prompt cache on purpose: then warm prompts are what is measured, and no reason to doubt the figures."""

import typing

from analysis.runs.run_reader import Run
from locustfiles.contract.scenario.targets import Target

_MARKS = {"cachePoint", "cache_control", "prompt_cache_key"}  # Converse's, Claude's, OpenAI's


def caches_on_purpose(run: Run, target: Target, payload: str) -> bool:
    """By the target's `cache_system` or `prefix`, a mark among its parameters, or by cache points in its payload."""
    asks = target.prefix is not None and target.prefix.asks_for_a_cache
    if asks or getattr(target, "cache_system", False) or _marked(target.parameters):
        return True
    return bool(run.manifest.payloads.get(payload, {}).get("cache_points"))


def _marked(value: typing.Any) -> bool:
    if isinstance(value, dict):
        return not _MARKS.isdisjoint(value) or any(map(_marked, value.values()))
    return isinstance(value, list) and any(map(_marked, value))
