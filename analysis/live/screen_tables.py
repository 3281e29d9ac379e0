"""The tables of the live view: the stages that have ended, and how the workers keep up."""

import typing

import rich.box
import rich.console
from rich.table import Table
from rich.text import Text

from analysis.live.round import Document
from analysis.live.screen_parts import LIMITS, VERDICTS, cut, named
from analysis.live.text import level
from analysis.words import format as show

HEAD_ROWS = 2
SILENT_S = 3.0  # since a worker was heard
#: heading, from how many columns on, cell; what a stage is stands first and takes the room that is left
COLUMNS: tuple[tuple[str, int, typing.Callable[[Document], str]], ...] = (
    ("requests", 90, lambda row: show.count(row.get("requests"))),
    ("errors", 0, lambda row: show.percent(row.get("error_rate"))),
    ("req/s", 0, lambda row: show.number(row.get("throughput_per_s"))),
    ("out tok/s", 105, lambda row: show.number(row.get("completion_tokens_per_s"))),
    ("TTFT p95", 90, lambda row: show.seconds(row.get("ttft_p95_s"))),
    ("p95", 0, lambda row: show.seconds(row.get("latency_p95_s"))),
    ("$ per 10k", 0, lambda row: show.money(row.get("usd_per_10k_transactions"))),
)


def finished(figures: Document, rows: int, width: int) -> list[rich.console.RenderableType]:
    """The last of the stages that have ended, in so many rows."""
    stages = figures.get("stages") or []
    if not stages or rows <= HEAD_ROWS:
        return []
    table = Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), expand=True)
    table.add_column("ended", no_wrap=True, ratio=1, overflow="ellipsis", header_style="dim")
    table.add_column("load", no_wrap=True, header_style="dim")
    chosen = [column for column in COLUMNS if width >= column[1]]
    for heading, _, _ in chosen:
        table.add_column(heading, no_wrap=True, justify="right", header_style="dim")
    table.add_column("verdict", no_wrap=True, header_style="dim")
    with_limits = any(row.get("slo") not in (None, "none") for row in stages)
    if with_limits:
        table.add_column("limits", no_wrap=True, header_style="dim")
    for row in stages[-(rows - HEAD_ROWS) :]:
        what = Text(f"{row['stage']} {row['target']}, {row['payload']}")
        cells = [
            what,
            Text(level(row).replace("requests/s", "/s").replace("request/s", "/s")),
            *(Text(cell(row)) for _, _, cell in chosen),
        ]
        cells.append(Text(row.get("verdict") or "", style=VERDICTS.get(row.get("verdict") or "", "")))
        if with_limits:
            cells.append(Text(row.get("slo") or "", style=LIMITS.get(row.get("slo") or "", "")))
        table.add_row(*cells)
    return [table]


def workers(load: Document, rows: int, width: int) -> rich.console.RenderableType:
    """A row each, or one of all."""
    every = load.get("workers") or []
    if rows <= 1 and len(every) > 1:
        return _all(every, width)
    lines = [named("worker", _one(each), width=width) for each in every[:rows]]
    if len(every) > rows and lines:
        lines[-1] = _all(every[rows - 1 :], width)
    return Text("\n").join(lines) if lines else Text()


def _one(worker: Document) -> str:
    parts = [worker["worker"], f"CPU {show.percent(worker.get('cpu'))}"]
    parts += [f"lag {show.milliseconds(worker.get('lag_ms'))}", f"{show.count(worker.get('users'))} users"]
    heard = worker.get("heard_s_ago")
    parts += [f"silent for {show.number(heard)} s"] if heard is not None and heard > SILENT_S else []
    return " · ".join(parts)


def _all(every: list[Document], width: int) -> Text:
    cpu = [worker["cpu"] for worker in every if worker.get("cpu") is not None]
    lag = [(worker["lag_ms"], worker["worker"]) for worker in every if worker.get("lag_ms") is not None]
    silent = [worker["worker"] for worker in every if (worker.get("heard_s_ago") or 0) > SILENT_S]
    parts = [f"{len(every)} workers"]
    parts += [f"CPU {show.percent(min(cpu))} to {show.percent(max(cpu))}"] if cpu else []
    parts += [f"lag {show.milliseconds(max(lag)[0])} at most ({max(lag)[1]})"] if lag else []
    parts += [f"silent: {', '.join(silent)}"] if silent else []
    return cut(named("workers", " · ".join(parts), width=width), width)
