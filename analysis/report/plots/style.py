"""One look for every plot: colours, markers, names that fit, axes, legends, the mark of a stage not to be trusted.

Figures are made without pyplot, so nothing is shared between them and nothing needs closing. A target
has the same colour and marker in every plot; colour is never the only difference.
"""

import dataclasses
import math
import pathlib
import typing

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from analysis.report.plots.names import literal, short_names
from analysis.report.plots.png import png

WIDTH_IN, DPI = 9.0, 160  # 1,440 px wide
INK, QUIET, GRID, LIMIT, FEASIBLE = "#1f2933", "#5f6b7a", "#e3e7ec", "#b3261e", "#e4f3e8"
#: all at 3:1 or more against white
COLOURS = ("#0b6bb8", "#d1491b", "#0e8a6a", "#8e3fa8", "#a87400", "#c2367c", "#5b6ee1", "#6b8e00", "#7a5230", "#2b8ba3")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">")
CHOSEN, STAR = "*", "#ffd23f"  # a marker that no series has
Dash = typing.Literal["-", "--", "-.", ":"]
DASHES: tuple[Dash, ...] = ("-", "--", "-.", ":")
SUSPECT = "hollow: SUSPECT or INVALID stage"


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """How one target is drawn and what it is called."""

    name: str
    colour: str
    marker: str
    dash: Dash


def looks(names: typing.Iterable[str]) -> dict[str, Look]:
    """target -> its Look, in the order given. No two of a hundred have the same colour and marker, those of one colour other dashes."""
    unique = list(dict.fromkeys(names))
    shown = short_names(unique)
    n = len(COLOURS)
    return {
        name: Look(literal(shown[name]), COLOURS[i % n], MARKERS[(i + 3 * (i // n)) % n], DASHES[i // n % len(DASHES)])
        for i, name in enumerate(unique)
    }


def figure(title: str, rows: int = 1, columns: int = 1, height_in: float = 5.2) -> tuple[Figure, list[Axes]]:
    """An empty figure with a title and its axes, row by row."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1, wspace=0.03, hspace=0.04)
    fig = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(fig)
    axes = fig.subplots(rows, columns, squeeze=False).ravel().tolist()
    for ax in axes:
        _plain(ax)
    fig.suptitle(title, x=0.012, ha="left", fontsize=12.5, fontweight="bold", color=INK)
    return fig, axes


def facets(
    title: str, names: typing.Sequence[str], height_in: float = 2.8, shared: bool = True
) -> tuple[Figure, dict[str, Axes]]:
    """A figure with one set of axes for each name, at most three abreast; `shared`: on the same scales."""
    columns = min(3, len(names)) if len(names) != 4 else 2
    rows = math.ceil(len(names) / columns)
    fig, axes = figure(title, rows, columns, 4.4 if rows == 1 else 0.8 + height_in * rows)
    for spare in axes[len(names) :]:
        spare.remove()
    used = dict(zip(names, axes, strict=False))
    shown = short_names(names, 90 // columns)
    for name, ax in used.items():
        if shared and ax is not axes[0]:
            ax.sharex(axes[0])
            ax.sharey(axes[0])
        if len(names) > 1:
            ax.set_title(literal(shown[name]), fontsize=9 if columns > 2 else 9.5, color=INK, loc="left")
    return fig, used


def _plain(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(QUIET)
    ax.tick_params(colors=INK, labelsize=8.5, length=3, color=QUIET)
    ax.grid(True, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)


def label(ax: Axes, x: str | None = None, y: str | None = None) -> None:
    for words, put in ((x, ax.set_xlabel), (y, ax.set_ylabel)):
        if words:
            put(words, fontsize=9.5, color=INK)


def level_axis(ax: Axes, values: typing.Iterable[float]) -> None:
    """The tested levels as ticks; a log scale where they span more than a factor of 30."""
    levels = sorted({float(v) for v in values})
    log = levels[-1] > 30 * levels[0]
    if log:
        ax.set_xscale("log")
        ax.set_xlim(levels[0] / 1.25, levels[-1] * 1.25)
    else:
        room = max((levels[-1] - levels[0]) * 0.05, 0.5 if levels[0] >= 1 else levels[0] / 2)
        ax.set_xlim(levels[0] - room, levels[-1] + room)
    ax.xaxis.set_major_locator(FixedLocator(_apart(levels, log, _gap(ax, levels))))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def _gap(ax: Axes, levels: list[float]) -> float:
    """What part of the axis two tick labels are apart: of many levels at least as much as the longest label is wide."""
    if len(levels) <= 20:
        return 0.05
    return max(0.05, _place(ax).get_gridspec().ncols * (0.01 + 0.0085 * max(len(f"{v:g}") for v in levels)))


def _apart(levels: list[float], log: bool, share: float) -> list[float]:
    """The levels whose tick labels do not touch: first and last always."""
    place = math.log if log else float
    gap = (place(levels[-1]) - place(levels[0])) * share
    kept = levels[:1]
    for level in levels[1:-1]:
        if place(level) - place(kept[-1]) >= gap and place(levels[-1]) - place(level) >= gap:
            kept.append(level)
    return kept + levels[-1:] if len(levels) > 1 else kept


def value_axis(axis: Axis, values: typing.Iterable[float], log_above: float = 40.0) -> bool:
    """From 0, or a log scale where the values span more than `log_above`-fold and none is 0. True if log."""
    values = list(values)
    positive = [v for v in values if v > 0]
    log = bool(positive) and len(positive) == len(values) and max(positive) > log_above * min(positive)
    ax, across = axis.axes, isinstance(axis, XAxis)

    def set_limits(low: float, high: float) -> None:
        (ax.set_xlim if across else ax.set_ylim)(low, high)

    if log:
        (ax.set_xscale if across else ax.set_yscale)("log")
        set_limits(min(positive) / 1.4, max(positive) * 1.4)
        decades = math.log10(max(positive) / min(positive))
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,)))
        axis.set_minor_locator(NullLocator())
    else:
        set_limits(0, (max(positive) if positive else 1) * 1.12)
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    return log


def limit_line(ax: Axes, value: float, words: str, upright: bool = False) -> None:
    """A dashed line at an SLO's limit, named at its left end, an upright one at its top."""
    draw = ax.axvline if upright else ax.axhline
    draw(value, color=LIMIT, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1.5, gid="limit")
    at, coords = ((value, 1), ("data", "axes fraction")) if upright else ((0, value), ("axes fraction", "data"))
    ax.annotate(literal(words), at, xycoords=coords, xytext=(3, -2 if upright else 2), textcoords="offset points",
                ha="left", va="top" if upright else "bottom", fontsize=8, color=LIMIT, zorder=6,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6})  # fmt: skip


def make_room(ax: Axes, value: float, name: str = "y", most: float = 1.6) -> None:
    """Widen an axis so that a limit is in sight, unless that would take more than `most` times its range."""
    low, high = getattr(ax, f"get_{name}lim")()
    if high < value * 1.08 <= high * most:
        getattr(ax, f"set_{name}lim")(low, value * 1.08)


def edges(ax: Axes, among: list[Axes]) -> tuple[bool, bool]:
    """Whether `ax` is the lowest of its column and the first of its row; inner tick labels are hidden."""
    mine = _place(ax)
    below = [place for a in among if (place := _place(a)).colspan == mine.colspan]
    bottom = all(place.rowspan.start <= mine.rowspan.start for place in below)
    ax.tick_params(labelbottom=bottom, labelleft=mine.is_first_col(), which="both")
    return bottom, mine.is_first_col()


def _place(ax: Axes) -> SubplotSpec:
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError("axes outside a grid")
    return place


def suspect_handle() -> Line2D:
    return Line2D([], [], color=QUIET, marker="o", markerfacecolor="white", linestyle="none", label=SUSPECT)


def ring_handle(words: str) -> Line2D:
    return Line2D([], [], color=INK, marker="o", markerfacecolor="none", markersize=10, markeredgewidth=1.8,
                  linestyle="none", label=words)  # fmt: skip


def chosen_handle() -> Line2D:
    return Line2D([], [], color=INK, marker=CHOSEN, markerfacecolor=STAR, markersize=14, markeredgewidth=1.2,
                  linestyle="none", label="chosen")  # fmt: skip


def mark_chosen(ax: Axes, x: list[float], y: list[float]) -> None:
    """A star that no series has, over all else."""
    ax.plot(x, y, CHOSEN, color=INK, markerfacecolor=STAR, markersize=17, markeredgewidth=1.2, zorder=7, gid="chosen")


def silent_handle(name: str) -> Line2D:
    """Of an option that is in no picture, for it never answered."""
    return Line2D([], [], color=LIMIT, marker="x", linestyle="none", mew=1.6, label=f"{name}: never answered")


def target_handles(looks_: typing.Iterable[Look], suspect: bool) -> list[Line2D]:
    """Legend entries: one for each target, and what a hollow marker means where there is one."""
    handles = [
        Line2D([], [], color=k.colour, marker=k.marker, linestyle=k.dash, markersize=6, label=k.name) for k in looks_
    ]
    if suspect:
        handles.append(suspect_handle())
    return handles


def save(fig: Figure, path: pathlib.Path) -> pathlib.Path:
    """Write its PNG. Raises OSError."""
    canvas = FigureCanvasAgg(fig)
    if engine := fig.get_layout_engine():  # savefig would draw the whole figure for its layout, and once more
        engine.execute(fig)
        fig.set_layout_engine(None)
    canvas.draw()
    path.write_bytes(png(np.asarray(canvas.buffer_rgba())[..., :3]))
    return path
