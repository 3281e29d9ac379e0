"""Two clients side by side: their figures of the same level and way, and the ratio."""

import typing

from scripts.bench.measure import Figures
from scripts.bench.measurements import Key, Measurements
from scripts.bench.table import UNKNOWN, markdown

#: client, and the one that it is set beside
PAIRS = (("ours", "before"), ("ours-openai", "before-openai"), ("ours-openai", "fasthttp-openai"))
HEAD = ("figure", "of", "beside", "the first", "the second", "ratio")


def ratio_table(bench: Measurements) -> str | None:
    """Of all pairs that were measured at the same level and way; None without one."""
    rows = []
    for one, other in PAIRS:
        for key, figures in bench.figures.items():
            beside = bench.figures.get(key._replace(client=other))
            if key.client == one and beside:
                rows += [_row(words, one, other, *values) for words, *values in _compared(key, figures, beside)]
    return markdown(HEAD, rows) if rows else None


def _compared(key: Key, a: Figures, b: Figures) -> typing.Iterator[tuple[str, float, float]]:
    way = "HTTPS" if key.tls else "HTTP"
    if not key.stream:
        if a.cpu_ms and b.cpu_ms:
            yield f"short calls/s a core, {key.users} users, {way}", 1000 / a.cpu_ms, 1000 / b.cpu_ms
        return
    yield f"CPU ms/request, {key.users} streams, {way}", a.cpu_ms, b.cpu_ms
    if not key.tls:
        yield f"memory MB, {key.users} streams", a.memory_mb, b.memory_mb


def _row(words: str, one: str, other: str, a: float, b: float) -> list[str]:
    shown = [f"{v:,.0f}" if v >= 50 else f"{v:.2f}" for v in (a, b)]
    return [words, one, other, *shown, f"{a / b:.2f}" if b else UNKNOWN]
