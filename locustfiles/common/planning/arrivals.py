"""When the requests of an open-loop stage are due: made once, on the master, from one seed."""

import collections.abc
import csv
import math
import pathlib
import random
import re
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.loads import Arrivals, Load


class Arrival(typing.NamedTuple):
    """One request that is due `at_s` seconds after the stage's first; token lengths only where a trace has them."""

    at_s: float
    prompt_tokens: int | None = None
    max_tokens: int | None = None


class BadTrace(BadInput):
    """A file of arrivals that cannot be replayed; the text names file, line and remedy."""


def arrivals(
    rate: float, kind: Arrivals, seed_text: str, cv: float | None = None, burst_size: int | None = None
) -> collections.abc.Iterator[Arrival]:
    """Endless arrivals at `rate` a second on average.

    constant: evenly spaced. poisson: exponential gaps. gamma: gaps of a gamma distribution whose standard deviation is `cv` of
    their mean. bursts: `burst_size` at one moment, and a Poisson process of such moments.
    """
    draw, number, size, at_s = random.Random(seed_text), 0, burst_size or 1, 0.0
    gap = _gaps(rate / size, cv, draw)
    while True:
        for _ in range(size):
            yield Arrival(at_s)
        number += 1
        at_s = number / rate if kind == "constant" else at_s + gap()


def _gaps(rate: float, cv: float | None, draw: random.Random) -> collections.abc.Callable[[], float]:
    """Seconds from one moment of arrivals to the next."""
    if cv is None:
        return lambda: draw.expovariate(rate)
    shape = 1 / cv**2
    return lambda: draw.gammavariate(shape, 1 / (rate * shape))


def ramp_arrivals(load: Load, seed_text: str) -> list[Arrival]:
    """Those of a ramp over `measure_s`: arrivals at one a second, each moved to when the ramp has so many on average."""
    ramp, seconds, found = load.ramp, load.at_most_s, list[Arrival]()
    assert ramp is not None
    steeper = (ramp.end - ramp.begin) / seconds  # requests/s more each second
    for arrival in arrivals(1.0, load.arrivals, seed_text, load.cv, load.burst_size):
        if arrival.at_s > ramp.mean * seconds:
            break
        root = math.sqrt(max(0.0, ramp.begin**2 + 2 * steeper * arrival.at_s))
        found.append(Arrival(min(seconds, (root - ramp.begin) / steeper)))
    return found


def known_arrivals(
    load: Load, traces: collections.abc.Mapping[str, list[Arrival]], seed_text: str
) -> list[Arrival] | None:
    """Of a replay or a ramp all of them, from the first to the last; None elsewhere, where they have no end."""
    if load.ramp:
        return ramp_arrivals(load, f"{seed_text}/ramp")
    return traces[load.replay] if load.replay else None


_COLUMNS = ("timestamp", "prompt_tokens", "completion_tokens")
#: names that published traces have for these, letters alone
_OTHERS = {
    "timestamp": ("timestamp", "arrivaltime", "arrivedat", "time"),
    "prompt_tokens": (
        "prompttokens", "contexttokens", "inputlength", "inputtokens", "numprefilltokens", "requesttokens", "promptlength",
    ),
    "completion_tokens": (
        "completiontokens", "generatedtokens", "outputlength", "outputtokens", "numdecodetokens", "responsetokens",
    ),
}  # fmt: skip


def load_trace(path: str | pathlib.Path) -> list[Arrival]:
    """A recorded trace: CSV with `timestamp` (seconds, from any zero) and, where known, `prompt_tokens` and
    `completion_tokens`. The first arrival is due at 0. Raises BadTrace."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            _check_header(path, rows.fieldnames or ())
            found = [_arrival(path, rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError) as e:
        raise BadTrace(
            f"{path}: cannot be read ({getattr(e, 'strerror', None) or 'it is not UTF-8 text'}); check the path"
        ) from None
    except csv.Error as e:
        raise BadTrace(f"{path}:{rows.line_num}: not CSV ({e}); write {','.join(_COLUMNS)} a line") from None
    if len(found) < 2:
        raise BadTrace(f"{path}: fewer than two arrivals, no rate to replay; give more")
    found.sort(key=lambda arrival: arrival.at_s)
    if found[-1].at_s == found[0].at_s:
        raise BadTrace(f"{path}: all arrivals have one timestamp; give seconds with fractions")
    return [arrival._replace(at_s=arrival.at_s - found[0].at_s) for arrival in found]


def _check_header(path: str | pathlib.Path, names: collections.abc.Sequence[str]) -> None:
    """A trace whose lengths stand under other names must not be replayed without them. Raises BadTrace."""
    letters = {re.sub("[^a-z]", "", name.lower()): name for name in names if name}
    renamed = [
        f"`{letters[other]}` to `{ours}`"
        for ours in _COLUMNS
        if ours not in names
        for other in _OTHERS[ours]
        if other in letters
    ]
    if renamed:
        raise BadTrace(f"{path}:1: columns of other names; rename {', '.join(renamed)} (the time in seconds)")
    if "timestamp" not in names:
        raise BadTrace(
            f"{path}:1: no column `timestamp`; the header must be {','.join(_COLUMNS)} (the last two are optional)"
        )


def _arrival(path: str | pathlib.Path, line: int, row: dict) -> Arrival:
    try:
        at_s = float(row["timestamp"])
        prompt_tokens, max_tokens = (int(row[name]) if row.get(name) else None for name in _COLUMNS[1:])
    except (TypeError, ValueError):
        at_s, prompt_tokens, max_tokens = float("nan"), None, None
    if not -1e12 < at_s < 1e12 or any(n is not None and n < 1 for n in (prompt_tokens, max_tokens)):
        raise BadTrace(f"{path}:{line}: not seconds and token counts of at least 1; mend the line")
    return Arrival(at_s, prompt_tokens, max_tokens)
