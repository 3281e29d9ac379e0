"""The most streams that a client carries on one core: the last step at which the p99 of its TTFT error is within the limit."""

import typing

from scripts.bench.measure import Figures
from scripts.bench.measurements import Key, Measurements
from scripts.bench.table import UNKNOWN, markdown

STEPS = (200, 300, 400, 500, 600, 800)
LIMIT_MS = 5.0  # of the p99 of the TTFT error
LATE_MS = 3.0  # of the endpoint's own lateness, p99: beyond it a miss may be the endpoint's
HEAD = (
    "client", "way", "most streams", "TTFT error p99 (ms)", "endpoint late p99 (ms)", "next step", "its TTFT error p99 (ms)",
    "its endpoint late p99 (ms)", "the limit is",
)  # fmt: skip
WORDS = f"""- Most streams: the last of {", ".join(map(str, STEPS))} before the first at which the p99 of the TTFT error is above
  {LIMIT_MS:g} ms; that one is measured twice, and the second counts. The limit is the client where the endpoint's own lateness at
  that step is at most {LATE_MS:g} ms (p99), else the pair: the endpoint or the machine had no core left either."""


def climb(bench: Measurements, names: typing.Iterable[str], tls: bool) -> None:
    """Measure step after step, the clients side by side, each until it misses. Raises EndpointFailed."""
    climbing = list(names)
    for users in STEPS:
        for name in list(climbing):
            key = Key(name, users, True, tls)
            figures = bench.of(key)
            if figures is not None and missed(figures):
                figures = bench.of(key, again=True)
            if figures is None or missed(figures):
                climbing.remove(name)


def missed(figures: Figures) -> bool:
    return figures.ttft is None or figures.ttft.p99 > LIMIT_MS


def most_table(bench: Measurements, names: typing.Iterable[str], ways: typing.Iterable[bool]) -> str:
    """Of what was measured; ways: whether over TLS."""
    return markdown(HEAD, [_row(bench, name, tls) for name in names for tls in ways])


def _row(bench: Measurements, name: str, tls: bool) -> list[str]:
    last = first = None  # that is within the limit, and that is not
    for users in STEPS:
        figures = bench.figures.get(Key(name, users, True, tls))
        if figures is None:
            break
        if missed(figures):
            first = figures
            break
        last = figures
    limit = UNKNOWN if first is None else "the client" if _on_time(first) else "the pair"
    return [
        name,
        "HTTPS" if tls else "HTTP",
        f"below {STEPS[0]}" if last is None and first else UNKNOWN if last is None else str(last.users),
        *_both(last),
        UNKNOWN if first is None else str(first.users),
        *_both(first),
        limit,
    ]


def _on_time(figures: Figures) -> bool:
    return figures.endpoint_late_p99_ms is not None and figures.endpoint_late_p99_ms <= LATE_MS


def _both(figures: Figures | None) -> list[str]:
    if figures is None:
        return [UNKNOWN, UNKNOWN]
    late = figures.endpoint_late_p99_ms
    return [UNKNOWN if v is None else f"{v:.1f}" for v in (figures.ttft and figures.ttft.p99, late)]
