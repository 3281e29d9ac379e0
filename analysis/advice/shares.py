"""Who answered where several could: production variants of an endpoint, destinations of an inference router."""

import re

from analysis.metrics.percentiles import spread
from analysis.runs.rows import Rows
from analysis.runs.texts import counted, in_it
from analysis.words import format as show

ATTEMPT_S = 60.0  # the longest that a router waits for one destination
MOST = 6  # are told one by one
_ARN = re.compile(r"arn:[a-z-]+:sagemaker:([a-z0-9-]+):\d*:(.+)")


def variants_note(good: Rows) -> str | None:
    """Of a target that several production variants answered."""
    found = in_it(good["variant"])
    if len(found) < 2 or len(in_it(good["routed_to"])) > 1:
        return None
    stages = good["stage"].nunique()
    mixed = sum(len(in_it(good[good["stage"] == stage]["variant"])) > 1 for stage in good["stage"].unique())
    if not mixed:
        return f"each of its stages was answered by one production variant, and not all by the same: {_shares(good, 'variant')}."
    where = f", in {mixed} of {stages} stages" if stages > 1 else ""
    return (
        f"several production variants answered{where}: {_shares(good, 'variant')}. Its figures are of all of them together; "
        "`variant:` measures one alone."
    )


def destinations_note(good: Rows) -> str | None:
    """Of a target that an inference router stood before."""
    told = good[good["routed_to"].notna()]
    if told.empty:
        return None
    reasons = counted(told["routing_reason"])
    why = ", ".join(f"{reason} {show.percent(n / len(told))}" for reason, n in reasons.items()) or "not told"
    note = f"its inference router sent {len(told)} of {len(good)} answered requests to {_shares(told, 'routed_to')}; reasons: {why}."
    if "failover" in reasons.index:
        note += " A `failover` may hide a first attempt elsewhere, whose time is in the latency."
    late = int((told["latency_ms"] > ATTEMPT_S * 1000).sum())
    if late:
        note += f" {late} took longer than the {ATTEMPT_S:g} s of one attempt: they were tried twice."
    return note


def _shares(good: Rows, column: str) -> str:
    """`blue` 70 % (84 answers, mean 1.2 s, p95 2.1 s), `green` …"""
    many = counted(good[column])
    parts = []
    for name, n in list(many.items())[:MOST]:
        latency = spread(good[good[column] == name]["latency_ms"].to_numpy())
        mean, p95 = show.milliseconds(latency.mean), show.milliseconds(latency.p95)
        parts.append(
            f"`{_short(str(name))}` {show.percent(n / len(good))} ({n} answers, latency on average {mean}, p95 {p95})"
        )
    return ", ".join([*parts, *([f"and {len(many) - MOST} more"] if len(many) > MOST else [])])


def _short(name: str) -> str:
    """`endpoint/chat in us-east-1` of an ARN."""
    arn = _ARN.fullmatch(name)
    return f"{arn[2]} in {arn[1]}" if arn else name
