"""The bench's results as Markdown."""

import typing

from scripts.bench.measure import Figures, Spread

UNKNOWN = "–"
STREAM_HEAD = (
    "client", "users", "TTFT error mean / p50 / p99 (ms)", "latency error mean / p50 / p99 (ms)", "endpoint late p99 (ms)", "requests",
    "lost", "requests/s", "CPU ms/request", "client core", "endpoint core", "other programs", "memory MB",
)  # fmt: skip
SHORT_HEAD = (
    "client", "users", "requests/s", "CPU ms/request", "requests/s per core", "latency error mean / p50 / p99 (ms)", "requests", "lost",
    "client core", "endpoint core", "other programs", "memory MB",
)  # fmt: skip


def markdown(head: typing.Sequence[str], rows: typing.Iterable[typing.Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _three(spread: Spread | None) -> str:
    return " / ".join(f"{value:.1f}" for value in spread) if spread else UNKNOWN


def _shares(f: Figures) -> list[str]:
    return [
        f"{100 * f.client_core:.0f} %",
        f"{100 * f.endpoint_core:.0f} %",
        f"{100 * f.others:.0f} %",
        f"{f.memory_mb:.0f}",
    ]


def stream_table(results: list[tuple[str, Figures]]) -> str:
    """(client, figures) of streamed answers -> Markdown."""
    rows = []
    for name, f in results:
        row = [
            name,
            str(f.users),
            _three(f.ttft),
            _three(f.latency),
            f"{f.endpoint_late_p99_ms:.1f}",
            f"{f.requests:,}",
            f"{f.lost:,}",
        ]
        rows.append([*row, f"{f.requests_per_s:.1f}", f"{f.cpu_ms:.2f}", *_shares(f)])
    return markdown(STREAM_HEAD, rows)


def short_table(results: list[tuple[str, Figures]]) -> str:
    """(client, figures) of short whole answers -> Markdown."""
    rows = []
    for name, f in results:
        row = [
            name,
            str(f.users),
            f"{f.requests_per_s:.0f}",
            f"{f.cpu_ms:.2f}",
            f"{1000 / f.cpu_ms:.0f}",
            _three(f.latency),
        ]
        rows.append([*row, f"{f.requests:,}", f"{f.lost:,}", *_shares(f)])
    return markdown(SHORT_HEAD, rows)
