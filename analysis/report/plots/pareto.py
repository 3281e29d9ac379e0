"""The Pareto front: what no other option beats in price, latency, throughput, and quality where that is known."""

import typing

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.advice.pareto import Option
from analysis.report.plots import style
from analysis.report.plots.legend import legend
from analysis.report.plots.price import HALO, silent
from analysis.report.plots.view import Mark, View

BEATEN = "#b9c2cc"


class Axis(typing.NamedTuple):
    """What a half of the picture has across."""

    words: str
    of: typing.Callable[[Option], float | None]


def pareto_front(view: View) -> Figure | None:
    """$ per 10,000 transactions against latency, throughput and quality; a number each on the front, as in the table beside it."""
    front = view.report.pareto
    if len(front.options) < 2:
        return None
    marks = {m.key: m for m in view.candidates}
    axes_of = [
        Axis(f"{front.statistic} latency (s), left is better", lambda o: o.latency_s),
        Axis("Transactions per minute, right is better", lambda o: o.per_minute),
    ]
    for i, name in enumerate(front.quality[:1]):
        axes_of.append(Axis(f"{style.literal(name)}, right is better", lambda o, i=i: o.quality[i]))  # type: ignore[misc]
    fig, axes = style.figure(f"Pareto front, {view.dataset}", 1, len(axes_of), 4.4)
    for ax, axis in zip(axes, axes_of, strict=True):
        _panel(view, ax, axis, front.options, marks)
    style.label(axes[0], None, "$ per 10,000 transactions, lower is better")
    shown = [marks[o.key] for o in front.options if o.number is not None]
    handles = style.target_handles(view.looks_in(shown), any(m.hollow for m in shown))
    if any(o.number is None for o in front.options):
        handles.append(
            Line2D([], [], color=BEATEN, marker="o", markersize=5, linestyle="none", label="beaten by one of these")
        )
    if any(o.key == view.report.recommendation.pick for o in front.options):
        handles.append(style.chosen_handle())
    handles += [style.silent_handle(name) for name in silent(view)]
    legend(fig, handles, "Numbers are those of the table; levels that miss a limit or cannot be trusted are left out.")
    return fig


def _panel(view: View, ax: Axes, axis: Axis, options: list[Option], marks: dict[typing.Any, Mark]) -> None:
    known = [(o, value) for o in options if (value := axis.of(o)) is not None]
    for o, value in known:
        look = view.looks[marks[o.key].series]
        if o.number is None:
            ax.plot([value], [o.usd_per_10k], "o", color=BEATEN, markersize=4, zorder=2)
            continue
        face = "white" if marks[o.key].hollow else look.colour
        ax.plot([value], [o.usd_per_10k], look.marker, color=look.colour, markerfacecolor=face, markersize=9, zorder=4,
                markeredgewidth=1.4, gid="front")  # fmt: skip
        ax.annotate(str(o.number), (value, o.usd_per_10k), xytext=(6, 5), textcoords="offset points", fontsize=8,
                    color=style.INK, zorder=8, path_effects=HALO)  # fmt: skip
    best = [(value, o.usd_per_10k) for o, value in known if o.key == view.report.recommendation.pick]
    style.mark_chosen(ax, [x for x, _ in best], [y for _, y in best])
    style.value_axis(ax.xaxis, [value for _, value in known], log_above=15)
    style.value_axis(ax.yaxis, [o.usd_per_10k for o, _ in known], log_above=15)
    style.label(ax, axis.words)
