"""Answers of guidellm before 0.7 that an error event ended: it counts them as successes.

Before 0.5 they lack the usage that others have; from then on usage comes with every token. In both they have fewer closing events,
and the last event came as late as a token would have. `request_iterations` counts an event's lines, one or two of them.
"""

import collections

from analysis.peers.nodes import Node

CUT = "the others' closing events or usage did not come: taken as broken off by an error event, which guidellm counts as a success"
BEFORE_07 = (
    "An answer that ends in an error event is a success to guidellm before 0.7: its error rate is a lower bound."
)
_LATE = 0.5  # of the usual gap between tokens
_LINES = (2, 1)  # of an event, the empty one behind it counted or not


def told_as_failures(version: str | None) -> bool:
    """Whether this version knows an error event."""
    return version is not None and not version.startswith(("0.2", "0.3", "0.4", "0.5", "0.6"))


def cut_off(rows: list[Node], version: str | None) -> set[str]:
    """The places of those among the successes. Raises Misshapen."""
    events = [row for row in rows if row.get("info", "timings", "request_iterations").count()]
    if told_as_failures(version) or not events:
        return set()
    without = {row.place for row in events if not row.get("prompt_tokens")}
    return (without if 2 * len(without) < len(events) else set()) | _unclosed(events)


def _unclosed(rows: list[Node]) -> set[str]:
    for lines in _LINES:
        closing = {row.place: _count(row, "request") - lines * _count(row, "token") for row in rows}
        ((usual, times),) = collections.Counter(closing.values()).most_common(1)
        if usual > 0 and 2 * times > len(rows):
            return {row.place for row in rows if closing[row.place] < usual and _late(row)}
    return set()


def _late(row: Node) -> bool:
    """A last token that bears the finish reason is followed by the usage at once, an error comes when another token was due."""
    times = row.get("info", "timings")
    first, last, end = (times.get(f"{n}_iteration").number() for n in ("first_token", "last_token", "last_request"))
    if first is None or last is None or end is None:
        return False
    return end - last > _LATE * (last - first) / max(1, _count(row, "token") - 1)


def _count(row: Node, kind: str) -> int:
    return row.get("info", "timings", f"{kind}_iterations").count() or 0
