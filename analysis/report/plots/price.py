"""The picture that decides: price against latency, a trace for each target through its levels."""

import math
import typing

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from analysis.report.plots import style as style
from analysis.report.plots.view import View, lines, untrusted
from analysis.words.format import money, number, seconds
from analysis.words.level import level_text

PRICE, RATE = "usd_per_10k_transactions", "transactions_per_minute"
HALO = [withStroke(linewidth=2.5, foreground="white")]
SMALLEST, LARGEST = 40.0, 900.0  # areas of the bubbles, square points


def price_performance(view: View) -> Figure | None:
    """$ per 10,000 transactions against latency on the dataset of interest; area is transactions a minute.

    The latency is the statistic that the SLO limits, p95 without one.
    """
    statistic, limit = view.latency_limit
    latency = f"latency_{statistic}_s"
    steps = view.candidates[view.candidates["payload"] == view.report.dataset].dropna(subset=[latency, PRICE, RATE])
    if steps.empty:
        return None
    fig, (ax,) = style.figure(f"Price against {statistic} latency, {view.dataset}", height_in=5.2)
    style.value_axis(ax.xaxis, steps[latency], log_above=15)
    style.value_axis(ax.yaxis, steps[PRICE], log_above=15)
    crowded = len(steps) > 42
    largest = LARGEST / 2 if crowded else LARGEST
    steps = steps.assign(area=SMALLEST + (largest - SMALLEST) * steps[RATE] / steps[RATE].max())
    for series, line in lines(steps):
        _trace(ax, view.looks[series], line, latency, label_all=not crowded)
    missed, best = steps[steps["slo"] == "missed"], view.chosen(steps)
    ax.plot(missed[latency], missed[PRICE], "x", color=style.LIMIT, markersize=8, markeredgewidth=1.5, zorder=4,
            gid="missed")  # fmt: skip
    unproven = steps[steps["slo"].isin(["undecided", "unknown"])]
    ax.plot(unproven[latency], unproven[PRICE], linestyle="none", marker="$?$", color=style.LIMIT, markersize=9, zorder=4,
            gid="unproven")  # fmt: skip
    ax.scatter(best[latency], best[PRICE], s=best["area"] * 1.5 + 90, facecolors="none", edgecolors=style.INK,
               linewidths=2, zorder=5, gid="chosen")  # fmt: skip
    shaded = _feasible(ax, limit, view.limit("cost_per_10k_transactions_usd"))
    style.label(ax, f"{statistic} latency (s)", "$ per 10,000 transactions")
    style.legend(
        fig,
        _handles(view, steps, len(best) > 0, shaded, not missed.empty, not unproven.empty),
        _words(view, steps, best, latency),
    )
    return fig


def _words(view: View, steps: pd.DataFrame, best: pd.DataFrame, latency: str) -> str:
    kinds = [words for kind, words in (("users", "users"), ("rate", "planned requests/s")) if steps[kind].notna().any()]
    levels = " or ".join(kinds)
    words = f"Numbers are {levels}; areas are transactions per minute, {number(steps[RATE].max())} at the largest."
    for row in best.itertuples():
        cost, time = money(getattr(row, PRICE)), seconds(getattr(row, latency))
        name = style.short_names([row.series], 60)[row.series]
        words += f"\nChosen: {name} at {level_text(row._asdict())}, {cost} per 10,000 transactions, {time}."
    return words


def _trace(ax: Axes, look: style.Look, line: pd.DataFrame, latency: str, label_all: bool) -> None:
    """A target's bubbles in the order of its levels, joined; hollow where not to be trusted; levels beside them."""
    ax.plot(line[latency], line[PRICE], color=look.colour, linestyle=look.dash, linewidth=1.2, marker=look.marker,
            markersize=4, zorder=3.5, label=look.name)  # fmt: skip
    hollow = untrusted(line)
    for mask, face in ((~hollow, look.colour + "66"), (hollow, "none")):
        some = line[mask]
        ax.scatter(some[latency], some[PRICE], s=some["area"], facecolors=face,
                   edgecolors=look.colour, linewidths=1.3, zorder=3)  # fmt: skip
    ends = {line["level"].min(), line["level"].max()}
    for row in line.itertuples():
        if label_all or row.level in ends:
            # the radius of a circle of that area, in points, and a little air
            up = (row.area / math.pi) ** 0.5 + 1.5
            ax.annotate(row.level_text, (getattr(row, latency), getattr(row, PRICE)), xytext=(0, up), fontsize=7.5,
                        textcoords="offset points", ha="center", va="bottom", color=look.colour, zorder=6,
                        path_effects=HALO)  # fmt: skip


def _feasible(ax: Axes, latency_limit: float | None, price_limit: float | None) -> bool:
    """Shade what lies inside the SLO's limits and draw them. True if there is such a limit."""
    if latency_limit is None and price_limit is None:
        return False
    if latency_limit is not None:
        style.make_room(ax, latency_limit, "x", most=2.0)
    if price_limit is not None:
        style.make_room(ax, price_limit, "y", most=2.0)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    width = min(latency_limit if latency_limit is not None else right, right) - left
    height = min(price_limit if price_limit is not None else top, top) - bottom
    if width > 0 and height > 0:
        ax.add_patch(Rectangle((left, bottom), width, height, color=style.FEASIBLE, zorder=0.5, gid="feasible"))
    if latency_limit is not None and left < latency_limit <= right:
        style.limit_line(ax, latency_limit, f"SLO {latency_limit:g} s", upright=True)
    if price_limit is not None and bottom < price_limit <= top:
        style.limit_line(ax, price_limit, f"SLO {money(price_limit)}")
    return width > 0 and height > 0


def _handles(
    view: View, steps: pd.DataFrame, chosen: bool, shaded: bool, missed: bool, unproven: bool
) -> list[typing.Any]:
    handles: list[typing.Any] = style.target_handles(view.looks_in(steps), bool(untrusted(steps).any()))
    if chosen:
        handles.append(style.ring_handle("chosen"))
    if missed:
        handles.append(
            Line2D(
                [], [], color=style.LIMIT, marker="x", linestyle="none", markeredgewidth=1.6, label="misses a criterion"
            )
        )
    if unproven:
        handles.append(
            Line2D(
                [], [], color=style.LIMIT, marker="$?$", linestyle="none", label="a criterion is undecided or unknown"
            )
        )
    if shaded:
        handles.append(
            Patch(facecolor=style.FEASIBLE, edgecolor="#9ccfaa", label="within the limits on price and latency")
        )
    return handles
