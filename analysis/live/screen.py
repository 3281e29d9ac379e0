"""The live view of a terminal: what is known of a run, drawn for a width and a height, as text with ANSI codes.

It is only drawn here; the load test writes it at the foot of its terminal. Whatever comes from a scenario or an endpoint is
made visible first, and is never read as markup.
"""

import io
import math

import rich.console
from rich.table import Table
from rich.text import Text

from analysis.live import screen_parts as part
from analysis.live.round import Document, Round
from analysis.live.screen_tables import finished, workers
from locustfiles.contract.visible import visible_lines

LEFT_FREE = 6  # rows above it, for log lines
MOST_ROWS = 30
WIDE = 150  # columns from which on finished stages and workers stand beside the figures
GAP = 3
WORKERS = 5  # that have a row of their own


def height(rows: int) -> int:
    """How many of a terminal's rows it takes at most."""
    return max(1, min(rows - LEFT_FREE, MOST_ROWS))


class Screen:
    """Draws a round. It remembers since when a stop is awaited, and counts down."""

    def __init__(self) -> None:
        self._stop: tuple[float, float] | None = None  # when it was first heard of, and how long it may take

    def __call__(self, now: Round) -> str:
        """now.asked: [columns, rows] of the terminal."""
        columns, rows = now.asked
        most = height(rows)
        console = rich.console.Console(
            file=io.StringIO(), force_terminal=True, width=columns, legacy_windows=False, highlight=False
        )
        load, figures = visible_lines(now.load), visible_lines(now.figures)
        with console.capture() as drawn:
            console.print(self._view(load, figures, columns, most))
        return "\n".join(line.rstrip(" ") for line in drawn.get().split("\n")[:most]).rstrip("\n")

    def _view(self, load: Document, figures: Document, columns: int, most: int) -> rich.console.RenderableType:
        wide = columns >= WIDE
        width = (columns - GAP) * 48 // 100 if wide else columns
        lines = self._figures(load, figures.get("stage"), width)
        if not wide:
            lines.append(workers(load, 1, width))
            return rich.console.Group(*lines, *finished(figures, most - len(lines), width))
        of_figures, width = width, columns - width - GAP
        of_workers = min(len(load.get("workers") or ()), WORKERS)
        tables = [*finished(figures, most - of_workers, width), workers(load, of_workers, width)]
        grid = Table.grid(padding=(0, GAP, 0, 0))
        grid.add_column(width=of_figures)
        grid.add_column(width=width)
        grid.add_row(rich.console.Group(*lines), rich.console.Group(*tables))
        return grid

    def _figures(self, load: Document, stage: Document | None, width: int) -> list[rich.console.RenderableType]:
        lines: list[rich.console.RenderableType] = [part.head(load, stage, width), part.progress(load, width)]
        if ending := part.ending(load, self._left_s(load), width):
            lines.append(ending)
        lines.append(part.rates(load, stage, width))
        if stage is None or not stage.get("requests"):
            return [*lines, part.cost(load, stage or {}, width), Text(part.NOTHING_YET, style="dim")]
        lines += [*part.times(stage, width), part.errors(stage, width), part.tokens(stage, width)]
        lines += part.of_whole(stage, width)
        return [*lines, part.cost(load, stage, width), *part.verdict(stage, width)]

    def _left_s(self, load: Document) -> float | None:
        """Until everything in flight has ended at the latest."""
        told = (load.get("ending") or {}).get("at_most_s")
        if told is None:
            self._stop = None
            return None
        at = load.get("at") or 0.0
        self._stop = self._stop or (at, told)
        since, at_most = self._stop
        return math.ceil(max(0.0, min(told, at_most - (at - since))))
