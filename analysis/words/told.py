"""Figures of a stage whose requests nobody kept: what another tool or a published table tells of it, under the names of
steps.csv's columns, and what follows from that by definition alone.
"""

import dataclasses
import re
import typing

from analysis.words.columns import METRICS, Column, Path
from analysis.words.stage_figures import StageFigures

_GROUPS = ("outcome", "tokens", "latency", "ttft", "tpot", "latency_per_output_token_p50_ms", "throughput", "itl")

_PERCENTILE = re.compile(r"_p\d")

#: column name -> the column: what may be told of a stage; its costs follow from prices, its verdict from what is known
TELLABLE: dict[str, Column] = {c.name: c for c in METRICS if c.path[0] in _GROUPS and c.name != "batches"}


def told_figures(empty: StageFigures, values: typing.Mapping[str, float | str]) -> StageFigures:
    """`empty` with these values, and with what they imply. A name that is not in TELLABLE is one of another version."""
    found = empty
    known = {name: value for name, value in (dict(values) | implied(values)).items() if name in TELLABLE}
    for name, value in known.items():
        column = TELLABLE[name]
        found = _with(found, column.path, int(value) if column.kind == "count" else value)
    return found


def implied(values: typing.Mapping[str, float | str]) -> dict[str, float]:
    """What is not told but follows: counts from counts, rates from each other, in flight by Little's law (errors apart)."""
    known = {name: float(v) for name, v in values.items() if not isinstance(v, str)}
    found: dict[str, float] = {}

    def follows(name: str, sources: tuple[str, ...], of: typing.Callable[..., float]) -> None:
        if name not in known and all(s in known for s in sources):
            known[name] = found[name] = of(*(known[s] for s in sources))

    follows("requests", ("successes", "failures"), lambda good, bad: good + bad)
    follows("successes", ("requests", "failures"), lambda n, bad: n - bad)
    follows("failures", ("requests", "successes"), lambda n, good: n - good)
    if known.get("requests"):
        follows("error_rate", ("failures", "requests"), lambda bad, n: bad / (n - known.get("cancelled", 0.0)))
    follows("throughput_per_s", ("transactions_per_minute",), lambda per_minute: per_minute / 60)
    if known.get("window_s"):
        follows("throughput_per_s", ("successes", "window_s"), lambda good, window_s: good / window_s)
    if known.get("completion_tokens_mean"):
        tokens = ("completion_tokens_per_s", "completion_tokens_mean")
        follows("throughput_per_s", tokens, lambda per_s, mean: per_s / mean)
    follows("transactions_per_minute", ("throughput_per_s",), lambda per_s: 60 * per_s)
    for kind in ("prompt", "completion"):
        parts = ("throughput_per_s", f"{kind}_tokens_mean")
        follows(f"{kind}_tokens_per_s", parts, lambda per_s, mean: per_s * mean)
    if not known.get("error_rate"):
        follows("in_flight_mean", ("throughput_per_s", "latency_mean_s"), lambda per_s, mean_s: per_s * mean_s)
    return found


def told_together(each: list[StageFigures]) -> StageFigures:
    """Of repetitions: counts and windows in sum, means and rates by the successes where all tell them, of percentiles the worst."""
    weights = [float(f.outcome.successes or 0) for f in each]
    if not all(weights):
        weights = [1.0] * len(each)
    found = each[0]
    for column in TELLABLE.values():
        known = [value for f in each if (value := column.of(f)) is not None]
        together: typing.Any = None
        if column.kind == "text":
            together = ", ".join(dict.fromkeys(known)) or None
        elif len(known) == len(each):
            if column.kind == "count" or column.name == "window_s":
                together = sum(known)
            elif _PERCENTILE.search(column.name):
                together = max(known)
            else:
                together = sum(w * v for w, v in zip(weights, known, strict=True)) / sum(weights)
        found = _with(found, column.path, together)
    return found


def _with(group: typing.Any, path: Path, value: typing.Any) -> typing.Any:
    first, *rest = path
    return dataclasses.replace(group, **{first: _with(getattr(group, first), tuple(rest), value) if rest else value})
