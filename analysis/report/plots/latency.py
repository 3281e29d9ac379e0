"""The pictures that need every request: prompt tokens against latency, and latency by concurrency."""

import bisect
import math
import typing

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.report.plots import style
from analysis.report.plots.legend import legend
from analysis.report.plots.points import Points, Times, thinned
from analysis.report.plots.view import Mark, View, lines, numbers
from analysis.words.spread import Spread

MAX_POINTS = 20_000
MOST_BOXES = 60  # levels; of more a box and its whiskers are narrower than their lines
#: few users light, many dark; readable without colour; a shade for each level, of which there are no more than points
SHADES = LinearSegmentedColormap.from_list("users", ["#f0a73a", "#d1491b", "#8e1b5c", "#2b0a4a"], N=MAX_POINTS)


def tokens_vs_latency(view: View) -> Figure | None:
    """Each measured success: facets are targets, the shade is the level."""
    known = view.points.known("prompt_tokens", "latency_ms")
    found = int(known.sum())
    if not found:
        return None
    # drawn in random order, or the level sent last would hide the others
    points = thinned(view.points.where(known), MAX_POINTS, "latency_ms")
    fig, axes = style.facets("Prompt tokens against latency", view.series_in(points), 2.5)
    marks = view.all_steps
    levels = sorted({marks[n].level for n in points.marks})
    place, hollow = np.array([bisect.bisect_left(levels, m.level) for m in marks]), np.array([m.hollow for m in marks])
    norm = BoundaryNorm(np.arange(len(levels) + 1) - 0.5, SHADES.N)
    for series, ax in axes.items():
        own = np.isin(points.at, list(view.marks_of(series)))
        for empty in (False, True):
            some = points.where(own & (hollow[points.at] == empty))
            _cloud(ax, some, SHADES(norm(place[some.at])), hollow=empty)
    _tokens_axes(view, axes, points)
    bar = fig.colorbar(ScalarMappable(norm, SHADES), ax=list(axes.values()), location="bottom", aspect=70, pad=0.02)
    bar.set_label(view.axis, fontsize=9.5, color=style.INK)
    every = -(-len(levels) // 20)
    bar.set_ticks(range(0, len(levels), every), labels=[f"{v:g}" for v in levels[::every]], fontsize=8.5)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    words = (
        f"{MAX_POINTS:,} of {found:,} requests, drawn at random, and the fastest and slowest of every stage"
        if found > MAX_POINTS
        else None
    )
    legend(fig, [style.suspect_handle()] if hollow[points.at].any() else [], words)
    return fig


def _cloud(ax: Axes, points: Points, shade: typing.Any, hollow: bool) -> None:
    """shade: an array of colours."""
    if not len(points):
        return
    size = 14 if len(points) < 1000 else 6
    ax.scatter(points.numbers["prompt_tokens"], points.numbers["latency_ms"] / 1000, s=size, facecolors="none" if hollow else shade,
               edgecolors=shade, linewidths=0.8 if hollow else 0, alpha=0.75)  # fmt: skip


def _tokens_axes(view: View, axes: dict[str, Axes], points: Points) -> None:
    first = next(iter(axes.values()))
    style.value_axis(first.yaxis, _ends(points.numbers["latency_ms"] / 1000))
    style.value_axis(first.xaxis, _ends(points.numbers["prompt_tokens"]), log_above=math.inf)
    statistic, limit = view.latency_limit
    if limit is not None:
        style.make_room(first, limit)
    for ax in axes.values():
        bottom, left = style.edges(ax, list(axes.values()))
        style.label(ax, "Prompt tokens" if bottom else None, "Latency (s)" if left else None)
        if limit is not None and limit <= first.get_ylim()[1]:
            style.limit_line(ax, limit, f"SLO {statistic} {limit:g} s" if ax is first else "")


class Time(typing.NamedTuple):
    """One of a request's times: the points' column, the section of the SLO, and the stages' figures."""

    title: str
    column: Times
    limits: str
    spread: typing.Callable[[Mark], Spread]


LATENCY = Time("Latency", "latency_ms", "latency_s", lambda m: m.user.latency)
TTFT = Time("Time to first token", "ttft_ms", "ttft_s", lambda m: m.user.ttft)


def concurrency_vs_latency(view: View) -> Figure | None:
    return _by_users(view, LATENCY)


def concurrency_vs_ttft(view: View) -> Figure | None:
    return _by_users(view, TTFT)


def _by_users(view: View, of: Time) -> Figure | None:
    """Boxes (quartiles, whiskers p5 and p95) of the measured successes, with the stages' p50 and p95 as lines."""
    points, steps = view.points, view.of_interest
    wanted = {view.numbers[m.key] for m in steps}
    times = points.of(wanted, of.column) / 1000
    if not len(times):
        return None
    drawn = {view.all_steps[n].series for n in wanted & points.marks if len(points.of({n}, of.column))}
    series_drawn = [series for series in view.looks if series in drawn]
    fig, axes = style.facets(f"{of.title} by {view.by_what}, {view.dataset}", series_drawn)
    levels = sorted({m.level for m in steps})
    places = {level: at for at, level in enumerate(levels)}
    for series, ax in axes.items():
        here = [m for m in steps if m.series == series]
        _boxes(ax, view, levels, here, of.column)
        for _, line in lines(here):
            at, spreads = [places[m.level] for m in line], [of.spread(m) for m in line]
            for name, values, dash, mark in (
                ("p50", [s.p50 for s in spreads], "-", "o"), ("p95", [s.p95 for s in spreads], "--", "^"),
            ):  # fmt: skip
                ax.plot(at, numbers(values), color=style.INK, linestyle=dash, marker="" if _many(here) else mark, markersize=4,
                        linewidth=1.1, label=name, zorder=3)  # fmt: skip
            if _many(here):
                doubtful = [(place, s.p50) for place, s, m in zip(at, spreads, line, strict=True) if m.hollow]
                ax.plot([place for place, _ in doubtful], numbers(p50 for _, p50 in doubtful), "o", color=style.INK,
                        markerfacecolor="white", markersize=4, zorder=3.1, gid="hollow")  # fmt: skip
    _by_users_axes(view, axes, levels, times, of)
    handles: list[Artist] = [
        Patch(facecolor="#c9d3de", edgecolor=style.QUIET, label=_words_of_boxes(steps)),
        Line2D([], [], color=style.INK, marker="o", markersize=4, label="p50"),
        Line2D([], [], color=style.INK, marker="^", markersize=4, linestyle="--", label="p95"),
    ]
    if any(m.hollow for m in steps):
        handles.append(style.suspect_handle())
    legend(fig, handles)
    return fig


def _boxes(ax: Axes, view: View, levels: list[float], steps: list[Mark], column: Times) -> None:
    """Of the steps of one series: one for each level that has values, else a word in its place."""
    look, stages = view.looks[steps[0].series], dict[float, list[Mark]]()
    for m in steps:
        stages.setdefault(m.level, []).append(m)
    without = set[int]()  # places; of many in a row the first alone has the word
    solid, hollow = dict[int, dict[str, typing.Any]](), dict[int, dict[str, typing.Any]]()  # by their places
    for at, level in enumerate(levels):
        if level not in stages:
            continue
        times = view.points.of({view.numbers[m.key] for m in stages[level]}, column) / 1000
        if not len(times) and _many(steps) and at - 1 in without:
            without.add(at)
            continue
        if not len(times):
            without.add(at)
            words = "all failed" if all(m.figures.outcome.successes == 0 for m in stages[level]) else "none known"
            ax.annotate(words, (at, 0.01), xycoords=("data", "axes fraction"), rotation=90, fontsize=8,
                        color=style.LIMIT, ha="center", va="bottom")  # fmt: skip
            continue
        p5, q1, median, q3, p95 = np.percentile(times, [5, 25, 50, 75, 95])
        box = {"whislo": p5, "q1": q1, "med": median, "q3": q3, "whishi": p95, "fliers": []}
        (hollow if any(m.hollow for m in stages[level]) else solid)[at] = box
    if _many(steps):
        _draw_band(ax, look, [at for at, level in enumerate(levels) if level in stages], solid | hollow)
        return
    _draw_boxes(ax, look, solid, look.colour + "55")
    _draw_boxes(ax, look, hollow, "white")


def _many(steps: list[Mark]) -> bool:
    """Whether boxes would lie on each other."""
    return len({m.level for m in steps}) > MOST_BOXES


def _words_of_boxes(steps: list[Mark]) -> str:
    by_series: dict[str, list[Mark]] = {}
    for m in steps:
        by_series.setdefault(m.series, []).append(m)
    if any(_many(some) for some in by_series.values()):
        return "middle half; whiskers, or a lighter band, p5 to p95"
    return "middle half; whiskers p5 to p95"


def _draw_band(ax: Axes, look: style.Look, at: list[int], boxes: dict[int, dict[str, typing.Any]]) -> None:
    """In place of very many boxes; with a gap where a level has no values."""

    def ends(name: str) -> list[float]:
        return [boxes[place][name] if place in boxes else math.nan for place in at]

    for low, high, shade in (("whislo", "whishi", "40"), ("q1", "q3", "70")):
        ax.fill_between(at, ends(low), ends(high), color=look.colour + shade, linewidth=0, zorder=2, gid="band")


def _draw_boxes(ax: Axes, look: style.Look, boxes: dict[int, dict[str, typing.Any]], face: str) -> None:
    """All at once: each time Matplotlib goes through all of its settings."""
    if boxes:
        ax.bxp(
            list(boxes.values()), positions=list(boxes), widths=0.6, showfliers=False, patch_artist=True, manage_ticks=False, zorder=2,
            boxprops={"facecolor": face, "edgecolor": look.colour}, medianprops={"color": look.colour, "linewidth": 1.6},
            whiskerprops={"color": look.colour}, capprops={"color": look.colour},
        )  # fmt: skip


def _ends(values: np.ndarray) -> list[float]:
    """What an axis goes by, of however many values."""
    return [float(values.min()), float(values.max())]


def _by_users_axes(view: View, axes: dict, levels: list[float], times: np.ndarray, of: Time) -> None:
    first = next(iter(axes.values()))
    style.value_axis(first.yaxis, _ends(times), log_above=20)
    limits = view.limits(of.limits)
    for limit in limits.values():
        style.make_room(first, limit)
    texts = [f"{v:g}" for v in levels]
    most = 20 if len(axes) == 1 else 10  # of short ones
    every = -(-len(levels) // most)
    if every > 1:
        every = -(-len(levels) // (most * 4 // max(4, *map(len, texts))))
    for ax in axes.values():
        ax.set_xticks(range(0, len(levels), every), labels=texts[::every])
        room = max(0.0, (4 - len(levels)) / 2)  # few boxes must not become wide
        ax.set_xlim(-0.6 - room, len(levels) - 0.4 + room)
        bottom, left = style.edges(ax, list(axes.values()))
        style.label(ax, view.axis if bottom else None, f"{of.title} (s)" if left else None)
        for statistic, limit in limits.items():
            if limit <= first.get_ylim()[1]:
                style.limit_line(ax, limit, f"SLO {statistic} {limit:g} s" if ax is first else "")
