"""A real run made longer: each stage's measured window so many times over, one behind the other, as if it had gone on.

Every copy of a request has its own time, call number and request id, and gaps between its deltas that are not the first one's to
the last count; windows, counts and later stages move along. What settled, held or warmed up stands once.
"""

import collections
import csv
import io
import json
import pathlib
import typing

from locustfiles.contract.record import FIELDS
from locustfiles.contract.requests_file import HEADER

_AT = {name: n for n, name in enumerate(FIELDS)}
STARTED, CALL, REQUEST_ID, GAPS = (_AT[name] for name in ("started_at", "call", "request_id", "gaps"))
BLOCK = 4 << 20
_MOVED = ("started_at", "settle_from", "measure_from", "measure_until", "hold_until")


class Line(typing.NamedTuple):
    """A record in the pieces between what its copies have of their own."""

    started_at: float
    before_call: str  # from behind the time to before the call
    call: int
    before_id: str
    request_id: str
    before_gaps: str
    gaps: list[str]  # of the copies, in turn
    rest: str  # from behind them to the end

    def copy(self, number: int, later_s: float, calls: int) -> str:
        """Copy 0 is the record itself."""
        own = self.request_id and f"{number:08x}{self.request_id[8:]}" if number else self.request_id
        return (
            f"{self.started_at + later_s:.6f}{self.before_call}{self.call + number * calls}{self.before_id}{own}"
            f"{self.before_gaps}{self.gaps[number % len(self.gaps)]}{self.rest}\n"
        )


def multiply(run: pathlib.Path, records: int, into: pathlib.Path) -> int:
    """Make the run `into` of about so many records; how many it has."""
    into.mkdir(parents=True)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    by_stage: dict[int, dict[str, list[Line]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    rows = _rows(run / "requests.csv")
    for row in rows:
        by_stage[int(row[_AT["stage"]])][row[_AT["phase"]]].append(_line(row))
    measured = sum(len(phases["measure"]) for phases in by_stage.values())
    times = max(1, round((records - len(rows) + measured) / measured))
    calls = 1 + max(int(row[CALL]) for row in rows)
    later = _move(manifest, times, {stage: len(phases["measure"]) for stage, phases in by_stage.items()})
    (into / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with open(into / "requests.csv", "wb") as file:
        file.write(HEADER)
        texts = _texts(manifest["stages"], later, by_stage, times, calls)
        file.writelines(text.encode() for text in _blocks(texts))
    return len(rows) + (times - 1) * measured


def _rows(path: pathlib.Path) -> list[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _line(row: list[str]) -> Line:
    def between(begin: int, end: int) -> str:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="").writerow(["", *row[begin:end], ""])
        return text.getvalue()

    return Line(
        float(row[STARTED]),
        between(STARTED + 1, CALL),
        int(row[CALL]),
        between(CALL + 1, REQUEST_ID),
        row[REQUEST_ID],
        between(REQUEST_ID + 1, GAPS),
        _gaps(row[GAPS]),
        between(GAPS + 1, len(row)).removesuffix(","),
    )


def _gaps(text: str) -> list[str]:
    """`156*20 175` -> itself, `156*19 157 175`, …: of the commonest gap some a bin longer, never all."""
    counts = collections.Counter({int(k): int(n or 1) for k, _, n in (word.partition("*") for word in text.split())})
    if not counts:
        return [""]
    common, most = counts.most_common(1)[0]
    found = []
    for longer in range(most):
        own = counts + collections.Counter({common + 1: longer})
        own[common] -= longer
        found.append(" ".join(f"{k}*{n}" if n > 1 else str(k) for k, n in sorted(own.items())))
    return found


def _move(manifest: dict[str, typing.Any], times: int, measured: dict[int, int]) -> list[float]:
    """Windows times as long, what follows so much later, and the counts of what is there then; by how much each stage is later."""
    later, more, each = 0.0, 0, []
    for stage in manifest["stages"]:
        longer = (times - 1) * (stage["measure_until"] - stage["measure_from"])
        each.append(later)
        for name in _MOVED:
            _add(stage, name, later + (longer if name in ("measure_until", "hold_until") else 0.0))
        here = (times - 1) * measured.get(stage["stage"], 0)
        _add(stage, "records", here)
        later, more = later + longer, more + here
    for part in manifest["parts"]:
        _add(part, "ended_at", later)
        for name in ("produced", "received", "rows"):
            _add(part, name, more)
    _add(manifest, "ended_at", later)
    for name in ("produced", "received"):
        _add(manifest["workers"][0], name, more)  # of one process
    return each


def _add(of: dict[str, typing.Any], name: str, more: float) -> None:
    """What is not known stays so."""
    if of[name] is not None:
        of[name] += more


def _texts(
    stages: list[dict[str, typing.Any]],
    each_later: list[float],
    by_stage: dict[int, dict[str, list[Line]]],
    times: int,
    calls: int,
) -> typing.Iterator[str]:
    for line in (line for lines in by_stage[0].values() for line in lines):
        yield line.copy(0, 0.0, calls)
    for stage, later in zip(stages, each_later, strict=True):
        phases = by_stage[stage["stage"]]
        window_s = (stage["measure_until"] - stage["measure_from"]) / times
        for line in phases["settle"]:
            yield line.copy(0, later, calls)
        for number in range(times):
            for line in phases["measure"]:
                yield line.copy(number, later + number * window_s, calls)
        for line in phases["hold"]:
            yield line.copy(0, later + (times - 1) * window_s, calls)


def _blocks(texts: typing.Iterable[str]) -> typing.Iterator[str]:
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size > BLOCK:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
