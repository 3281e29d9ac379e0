"""Files that do not say when: the time their folder's name tells, else that of the file; and requests in the order of the file.

Of a request without a start only its length is known, and how many users there were. The requests are laid out one after the
other for each user, what is left of the window between them: counts over the window, and so rates, are right; what happened at
which moment is not known.
"""

import datetime
import heapq
import pathlib
import re
import typing

from analysis.peers.nodes import Origin

LAID_OUT = (
    "{tool} does not keep when a request began: requests stand one after the other for each user, in the order of the file; rates "
    "are counts over its own duration, and what was in flight at which moment is not known."
)
NO_DATE = "The files do not say when it ran: the time is that of {of}."
_PARTS = re.compile(r"yyyy=(\d{4})/mm=(\d\d)/dd=(\d\d)(?:/hh=(\d\d))?(?:/mm=(\d\d))?")
_STAMP = re.compile(r"(?<!\d)(20\d\d)-?([01]\d)-?([0-3]\d)[T_-]?([0-2]\d)[:.-]?([0-5]\d)(?:[:.-]?([0-5]\d))?(?!\d)")


def began_at(path: pathlib.Path, files: typing.Sequence[pathlib.Path]) -> tuple[float, str]:
    """Unix s, and what says so: the folder's name (taken as UTC), else the earliest file's own time."""
    text = path.resolve().as_posix()
    for form in (_PARTS, _STAMP):
        if found := list(form.finditer(text)):
            year, month, day, hour, minute, second = (*(int(part or 0) for part in found[-1].groups()), 0)[:6]
            try:
                at = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
                return at.timestamp(), "the folder's name"
            except ValueError:
                continue
    return min(file.stat().st_mtime for file in files), "the file itself"


def laid_out(latencies_s: typing.Sequence[float], users: int, start: float, length: float) -> list[float]:
    """When each began, by the rule above."""
    idle = max(0.0, users * length - sum(latencies_s)) / max(1, len(latencies_s))
    free, starts = [start] * max(1, users), []
    heapq.heapify(free)
    for latency in latencies_s:
        at = max(start, min(heapq.heappop(free), start + length - latency))
        starts.append(at)
        heapq.heappush(free, at + latency + idle)
    return starts


def needed(row: typing.Mapping[str, typing.Any], names: typing.Sequence[str], origin: Origin) -> None:
    """Raises Misshapen for a table that lacks one of these columns."""
    for name in names:
        if name not in row:
            raise origin.misshapen(f"column `{name}` is missing")
