"""The picture that decides: price against latency, a trace for each target through its levels."""

import math
import typing

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import AbstractPathEffect, withStroke

from analysis.advice.not_compared import IN_FULL
from analysis.report.plots import style
from analysis.report.plots.legend import legend
from analysis.report.plots.view import Mark, View, lines
from analysis.words.format import money, number, seconds
from analysis.words.level import kind_of, level_text
from analysis.words.spread import Statistic

HALO: list[AbstractPathEffect] = [withStroke(linewidth=2.5, foreground="white")]
LONGEST = 220  # characters of a sentence under the picture
IN_LEGEND = 6  # options that never answered
SMALLEST, LARGEST = 40.0, 900.0  # areas of the bubbles, square points


class Bubble(typing.NamedTuple):
    """A level in the picture: $ per 10,000 transactions against its latency; the area is transactions a minute."""

    mark: Mark
    latency: float
    price: float
    rate: float
    area: float


def price_performance(view: View) -> Figure | None:
    """$ per 10,000 transactions against latency on the dataset of interest; area is transactions a minute.

    The latency is the statistic that the SLO limits, p95 without one.
    """
    statistic, limit = view.latency_limit
    bubbles = _bubbles([m for m in view.candidates if m.payload == view.report.dataset], statistic)
    if not bubbles:
        return None
    fig, (ax,) = style.figure(f"Price against {statistic} latency, {view.dataset}", height_in=5.2)
    style.value_axis(ax.xaxis, [b.latency for b in bubbles], log_above=15)
    style.value_axis(ax.yaxis, [b.price for b in bubbles], log_above=15)
    crowded, shown = len(bubbles) > 42, {b.mark.key: b for b in bubbles}
    marks = [b.mark for b in bubbles]
    for series, line in lines(marks):
        _trace(ax, view.looks[series], [shown[m.key] for m in line], label_all=not crowded)
    missed = [b for b in bubbles if b.mark.figures.limits.slo == "missed"]
    unproven = [b for b in bubbles if b.mark.figures.limits.slo in ("undecided", "unknown")]
    best = [shown[m.key] for m in view.chosen(marks)]
    ax.plot(*_places(missed), "x", color=style.LIMIT, markersize=8, markeredgewidth=1.5, zorder=4, gid="missed")
    ax.plot(
        *_places(unproven), linestyle="none", marker="$?$", color=style.LIMIT, markersize=9, zorder=4, gid="unproven"
    )
    style.mark_chosen(ax, *_places(best))
    shaded = _feasible(ax, limit, view.limit("cost_per_10k_transactions_usd"))
    style.label(ax, f"{statistic} latency (s)", "$ per 10,000 transactions")
    handles = _handles(view, marks, bool(best), shaded, bool(missed), bool(unproven))
    legend(fig, handles, "\n".join([_words(bubbles, best), *caption_lines(view.report.not_compared)]))
    return fig


def _bubbles(marks: list[Mark], statistic: Statistic) -> list[Bubble]:
    """Of the levels that have a latency, a price and a rate."""
    known = []
    for m in marks:
        latency, price = m.user.latency.at(statistic), m.figures.cost.usd_per_10k_transactions
        rate = m.figures.throughput.transactions_per_minute
        if latency is not None and price is not None and rate is not None:
            known.append((m, latency, price, rate))
    largest = LARGEST / 2 if len(known) > 42 else LARGEST
    most = max((rate for *_, rate in known), default=0.0)
    return [
        Bubble(m, latency, price, rate, SMALLEST + (largest - SMALLEST) * rate / most)
        for m, latency, price, rate in known
    ]


def _places(bubbles: list[Bubble]) -> tuple[list[float], list[float]]:
    return [b.latency for b in bubbles], [b.price for b in bubbles]


def _words(bubbles: list[Bubble], best: list[Bubble]) -> str:
    kinds = {kind_of(b.mark.figures) for b in bubbles}
    levels = " or ".join(words for kind, words in (("users", "users"), ("rate", "planned requests/s")) if kind in kinds)
    words = f"Numbers are {levels}; areas are transactions per minute, {number(max(b.rate for b in bubbles))} at the largest."
    for b in best:
        name = style.short_names([b.mark.series], 60)[b.mark.series]
        level = level_text(b.mark.figures)
        words += f"\nChosen: {name} at {level}, {money(b.price)} per 10,000 transactions, {seconds(b.latency)}."
    return words


def caption_lines(sentences: list[str]) -> list[str]:
    """Lines under the picture: the first of them, and how many more there are."""
    more = len(sentences) - IN_FULL
    return [
        *map(_short, sentences[:IN_FULL]),
        *([f"{more} more could not be compared: see the report."] if more > 0 else []),
    ]


def silent(view: View) -> list[str]:
    """What a legend calls the options of the dataset that never answered; of many the first and how many more there are."""
    names = [one.who.replace("`", "") for one in view.report.silent if one.payload in (None, view.report.dataset)]
    short = [style.literal(name) for name in style.short_names(names).values()]
    return short if len(short) <= IN_LEGEND else [*short[:IN_LEGEND], f"{len(short) - IN_LEGEND} more"]


def _short(sentence: str) -> str:
    """As much of a long sentence as two lines under the picture hold."""
    plain = sentence.replace("`", "")
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1].rstrip()}…"


def _trace(ax: Axes, look: style.Look, line: list[Bubble], label_all: bool) -> None:
    """A target's bubbles in the order of its levels, joined; hollow where not to be trusted; levels beside them."""
    ax.plot(*_places(line), color=look.colour, linestyle=look.dash, linewidth=1.2, marker=look.marker,
            markersize=6, markeredgecolor="white", markeredgewidth=0.6, zorder=3.5, label=look.name)  # fmt: skip
    for hollow, face in ((False, look.colour + "66"), (True, "none")):
        some = [b for b in line if b.mark.hollow == hollow]
        ax.scatter(
            *_places(some), s=[b.area for b in some], facecolors=face, edgecolors=look.colour, linewidths=1.3, zorder=3
        )
    ends = {line[0].mark.level, line[-1].mark.level}
    for b in line:
        if label_all or b.mark.level in ends:
            # the radius of a circle of that area, in points, and a little air
            up = (b.area / math.pi) ** 0.5 + 1.5
            ax.annotate(b.mark.level_text, (b.latency, b.price), xytext=(0, up), fontsize=7.5,
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
    view: View, steps: list[Mark], chosen: bool, shaded: bool, missed: bool, unproven: bool
) -> list[typing.Any]:
    handles: list[typing.Any] = style.target_handles(view.looks_in(steps), any(m.hollow for m in steps))
    if chosen:
        handles.append(style.chosen_handle())
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
    handles += [style.silent_handle(name) for name in silent(view)]
    if shaded:
        handles.append(
            Patch(facecolor=style.FEASIBLE, edgecolor="#9ccfaa", label="within the limits on price and latency")
        )
    return handles
