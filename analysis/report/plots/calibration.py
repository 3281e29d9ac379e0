"""The calibration's picture: the distribution of the instrument's error at every level."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.calibration.compare import BOUNDED, FIGURES, Calibration, levels_in
from analysis.report.plots import style
from analysis.report.plots.legend import legend
from analysis.words.level import is_open, kind_of, short_level, value_of

COLOUR = style.COLOURS[0]


def error_by_users(calibration: Calibration) -> Figure | None:
    """Boxes (quartiles, whiskers p5 and p95), p99 and maximum of the error in ms; None when nothing was compared."""
    errors = calibration.errors
    figures = [f for f in BOUNDED if errors[f].notna().any()]
    if not figures:
        return None
    levels = levels_in(errors)
    fig, axes = style.figure(f"Instrument error by concurrency, {calibration.run}", 1, len(figures), 4.4)
    for ax, figure in zip(axes, figures, strict=True):
        for at, level in enumerate(levels):
            here = errors[errors[kind_of(level)] == value_of(level)]
            if here[figure].notna().any():
                _box(ax, at, here[figure].dropna(), here["late_ms"])
        ax.set_xticks(range(len(levels)), labels=[short_level(level) for level in levels])
        room = max(0.0, (4 - len(levels)) / 2)
        ax.set_xlim(-0.6 - room, len(levels) - 0.4 + room)
        ax.set_ylim(bottom=min(0.0, float(errors[figure].min())))
        style.make_room(ax, calibration.bound_ms)
        if calibration.bound_ms <= ax.get_ylim()[1]:
            style.limit_line(ax, calibration.bound_ms, f"bound on p99, {calibration.bound_ms:g} ms")
        words = FIGURES[figure][0]
        style.label(ax, "Users" if not is_open(levels[-1]) else "Level", f"{words[0].upper()}{words[1:]} error (ms)")
    legend(fig, _handles())
    return fig


def _box(ax: Axes, at: int, errors: pd.Series, late: pd.Series) -> None:
    p5, q1, median, q3, p95, p99 = np.percentile(errors, [5, 25, 50, 75, 95, 99])
    ax.bxp(
        [{"whislo": p5, "q1": q1, "med": median, "q3": q3, "whishi": p95, "fliers": []}],
        positions=[at], widths=0.5, showfliers=False, patch_artist=True, manage_ticks=False, zorder=2,
        boxprops={"facecolor": COLOUR + "55", "edgecolor": COLOUR}, medianprops={"color": COLOUR, "linewidth": 1.6},
        whiskerprops={"color": COLOUR}, capprops={"color": COLOUR},
    )  # fmt: skip
    ax.plot([at], [p99], "^", color=style.INK, markersize=6, zorder=3)
    ax.plot([at], [errors.max()], "x", color=style.INK, markersize=5, zorder=3)
    ax.plot([at], [np.percentile(late, 99)], "D", color=style.QUIET, markerfacecolor="white", markersize=5, zorder=3)


def _handles() -> list[Artist]:
    def mark(shape: str, words: str, face: str = style.INK) -> Line2D:
        return Line2D(
            [], [], color=style.INK, marker=shape, linestyle="none", markersize=6, label=words, markerfacecolor=face
        )

    return [
        Patch(facecolor=COLOUR + "55", edgecolor=COLOUR, label="middle half; whiskers p5 to p95"),
        mark("^", "p99"),
        mark("x", "worst"),
        mark("D", "p99 of the endpoint's own lateness", "white"),
    ]
