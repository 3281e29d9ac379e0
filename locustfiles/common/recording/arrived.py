"""Lines that have arrived, read once: of each record what is counted of it meanwhile, with its type.

A batch is read column by column: that costs a fraction of a whole RequestRecord for each of its lines, which nobody needs
here. The lines themselves go to the file as they came.
"""

import collections.abc
import typing

from locustfiles.contract.lines import rows_of
from locustfiles.contract.record import FIELDS, KINDS, OPTIONAL


class Arrived(typing.NamedTuple):
    """What tally, budget and the run's own counts look at. Names, types and units are RequestRecord's; the values are those
    of requests.csv, rounded as they are there."""

    started_at: float
    worker: str
    target: str
    payload: str
    prompt_id: str | None
    stage: int
    phase: str
    call: int
    attempt: int
    schedule_delay_ms: float | None
    latency_ms: float
    ttft_ms: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    invoked_model: str | None
    billed_units: float | None
    guardrail_units: str | None
    stop_reason: str | None
    http_status: int | None
    error: str | None
    turn: int | None


_AT = tuple((FIELDS.index(name), KINDS[name], name in OPTIONAL) for name in Arrived._fields)


def read(lines: bytes) -> list[Arrived]:
    """Raises ValueError, having read nothing, where one of them is no record of this version."""
    rows = rows_of(lines.decode())
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    if len(columns) != len(FIELDS):
        raise ValueError(f"rows of {len(columns)} cells instead of {len(FIELDS)}")
    typed = (_values(columns[at], kind, may_be_empty) for at, kind, may_be_empty in _AT)
    return list(map(Arrived._make, zip(*typed, strict=True)))


def _values(cells: tuple[str, ...], kind: type, may_be_empty: bool) -> collections.abc.Iterable[typing.Any]:
    if may_be_empty:
        return [kind(cell) if cell else None for cell in cells]
    return cells if kind is str else map(kind, cells)
