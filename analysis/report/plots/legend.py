"""The legend below a plot, in as many columns as fit: measured, for a long name must neither be cut off nor leave the rest in one."""

import functools
import math
import textwrap
import typing

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from analysis.report.plots.names import literal
from analysis.report.plots.style import INK, QUIET

SIZE = 8.5  # points
ROOM = 620.0  # points, of a figure 9 inches wide
BESIDE = 2.8 * SIZE  # a sample and the space behind it
BETWEEN = 2.0 * SIZE
MOST_COLUMNS = 6


@functools.cache
def _ruler() -> tuple[TextToPath, FontProperties]:
    return TextToPath(), FontProperties(size=SIZE)


def width(words: str) -> float:
    """Of a line, in points."""
    text, font = _ruler()
    return float(text.get_text_width_height_descent(words.replace(r"\$", "$"), font, False)[0])


def columns_of(labels: typing.Sequence[str]) -> int:
    """The most columns in which the labels fit, filled one after the other as Matplotlib does."""
    widths = [BESIDE + width(words) for words in labels]
    for columns in range(min(len(labels), MOST_COLUMNS), 1, -1):
        parts = np.array_split(widths, columns)
        if sum(max(part) for part in parts) + BETWEEN * (columns - 1) <= ROOM:
            return columns
    return 1


def folded(words: str) -> str:
    """Lines that are wider than the figure, on several."""
    return "\n".join("\n".join(_lines(line)) for line in words.split("\n"))


def _lines(line: str) -> list[str]:
    at = len(line)
    while width(line[:at]) > ROOM:
        at -= 5
    return textwrap.wrap(line, at) if at < len(line) else [line]


def legend(fig: Figure, handles: list, words: str | None = None) -> None:
    """Below the axes, never over the data; `words` above it say what the eye cannot see in the plot."""
    if not handles and not words:
        return
    columns, words = columns_of([h.get_label() for h in handles]), words and folded(words)
    rows = math.ceil(len(handles) / columns) + (words or "").count("\n") + bool(words)
    fig.set_figheight(fig.get_figheight() + 0.2 * rows)
    below = fig.legend(handles=handles, loc="outside lower left", ncols=columns, frameon=False, fontsize=SIZE,
                       labelcolor=INK, title=words and literal(words), title_fontsize=SIZE, alignment="left")  # fmt: skip
    below.get_title().set_color(QUIET)
