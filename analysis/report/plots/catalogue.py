"""The report's pictures: which there are, and the ones of rates against users.

`draw_all(report, folder)` writes a PNG for every plot that has data; a plot without any is left out, and
`PLOTS` says in a line what was missing. Nothing is drawn for a value that is not known.
"""

import pathlib
import typing

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.advice.report_model import Report
from analysis.report.plots import break_even as plot_break_even
from analysis.report.plots import latency as plot_latency
from analysis.report.plots import price as plot_price
from analysis.report.plots import style as style
from analysis.report.plots.view import View, lines, untrusted


class Plot(typing.NamedTuple):
    """One picture of the report: its file, what it shows, how to read it, how it is drawn, why it may be absent."""

    file: str
    title: str
    reads: str
    draw: typing.Callable[[View], Figure | None]
    absent: str
    by_level: bool = False  # drawn against users or planned rates


def draw_all(report: Report, folder: str | pathlib.Path) -> list[pathlib.Path]:
    """Draw what can be drawn from a Report into `folder`; the PNG files written, in the report's order."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for plot in PLOTS:  # an older report's picture must not pass for this one's
        for file in (plot.file, by_rate_file(plot)):
            (folder / file).unlink(missing_ok=True)
    view = View.of(report)
    wanted = [(plot.file, plot.draw, view) for plot in PLOTS]
    if view.kind == "users" and report.open_loop:  # users and rates never share an axis
        wanted += [(by_rate_file(plot), plot.draw, view.by("rate")) for plot in PLOTS if plot.by_level]
    drawn = ((file, draw(of)) for file, draw, of in wanted)
    return [style.save(fig, folder / file) for file, fig in drawn if fig is not None]


def by_rate_file(plot: Plot) -> str:
    """error_rates.png -> error_rates_by_rate.png, for a report that has users and rates."""
    return plot.file.replace(".png", "_by_rate.png")


def error_rates(view: View) -> Figure | None:
    """Share of failed requests against users: facets are payloads, lines are targets."""
    steps = view.steps.dropna(subset=["level", "error_rate"])
    if not steps["error_rate"].any():
        return None
    fig, axes = style.facets(f"Error rate by {view.by_what}", list(steps["payload"].unique()))
    order = list(view.looks)
    first = next(iter(axes.values()))
    top = steps["error_rate"].max() * 100
    for payload, ax in axes.items():
        here = steps[steps["payload"] == payload]
        for series, line in lines(here):
            # lines at 0 % lie on each other: markers of falling size keep all of them in sight
            size = 6 + 1.2 * max(0, min(len(order), 8) - 1 - order.index(series))
            _line(ax, view.looks[series], line["level"], line["error_rate"] * 100, untrusted(line), size)
        ax.annotate(_without_failures(here), (1, 1), xycoords="axes fraction", xytext=(0, 2), ha="right", va="top",
                    textcoords="offset points", fontsize=8, color=style.QUIET)  # fmt: skip
        style.level_axis(ax, steps["level"])
        bottom, left = style.edges(ax, list(axes.values()))
        style.label(ax, view.axis if bottom else None, "Failed requests (%)" if left else None)
    first.set_ylim(-0.05 * max(top, 1), min(max(top, 1) * 1.2, 106))
    limit = view.limit("error_rate")
    if limit and limit * 100 <= first.get_ylim()[1]:  # a limit of 0 is the axis itself
        for ax in axes.values():
            style.limit_line(ax, limit * 100, f"SLO {limit * 100:g} %" if ax is first else "")
    style.legend(fig, style.target_handles(view.looks_in(steps), bool(untrusted(steps).any())))
    return fig


def _without_failures(steps: pd.DataFrame) -> str:
    """`no failures: 9 of 10 targets`; empty when every one had some."""
    worst = steps.groupby("series")["error_rate"].max()
    clean = int((worst == 0).sum())
    if not clean:
        return ""
    return "no failures" if clean == len(worst) else f"no failures: {clean} of {len(worst)} targets"


def throughput(view: View) -> Figure | None:
    """Transactions a minute and output tokens a second against users, for the dataset of interest."""
    steps = view.of_interest
    panels = {
        "transactions_per_minute": "Transactions per minute",
        "completion_tokens_per_s": "Output tokens per second",
    }
    panels = {column: words for column, words in panels.items() if steps[column].notna().any()}
    if not panels:
        return None
    fig, axes = style.figure(f"Throughput by {view.by_what}, {view.dataset}", 1, len(panels), 4.4)
    knees = 0
    for ax, (column, words) in zip(axes, panels.items()):
        drawn = steps.dropna(subset=[column])
        for series, line in lines(drawn):
            look = view.looks[series]
            _line(ax, look, line["level"], line[column], untrusted(line))
            at = view.knee(line)
            knees += len(at)
            ax.plot(at["level"], at[column], "o", markersize=14, markerfacecolor="none", markeredgecolor=look.colour,
                    markeredgewidth=1.6, gid="knee")  # fmt: skip
        style.level_axis(ax, steps["level"])
        style.value_axis(ax.yaxis, drawn[column])
        style.label(ax, view.axis, words)
    handles = style.target_handles(view.looks_in(steps), bool(untrusted(steps).any()))
    if knees:
        handles.append(style.ring_handle("knee: no later level is more than 5 % faster"))
    style.legend(fig, handles)
    return fig


def _line(ax: Axes, look: style.Look, x: pd.Series, y: pd.Series, hollow: pd.Series, size: float = 6.5) -> None:
    """A target's line with filled markers, hollow where the stage is not to be trusted."""
    ax.plot(x, y, color=look.colour, linestyle=look.dash, linewidth=1.6, label=look.name)
    for mask, face in ((~hollow, look.colour), (hollow, "white")):
        if mask.any():
            ax.plot(x[mask], y[mask], look.marker, color=look.colour, markerfacecolor=face, markersize=size,
                    markeredgewidth=1.4, label="_markers")  # fmt: skip


PLOTS: tuple[Plot, ...] = (
    Plot(
        "price_performance.png",
        "Price against latency",
        "Further left is faster, further down is cheaper; a trace joins one target's levels, users or requests/s (5, 2.5/s).",
        plot_price.price_performance,
        "no stage on the dataset of interest has both a price per transaction and a latency",
    ),
    Plot(
        "error_rates.png",
        "Error rate by level",
        "Failed requests as a share of all that ended, cancelled ones left out.",
        error_rates,
        "no measured request failed",
        by_level=True,
    ),
    Plot(
        "tokens_vs_latency.png",
        "Prompt tokens against latency",
        "Each point is a measured success.",
        plot_latency.tokens_vs_latency,
        "no successful request has a prompt token count",
        by_level=True,
    ),
    Plot(
        "concurrency_vs_latency.png",
        "Latency by level",
        "Boxes hold the middle half of the successes, whiskers reach from p5 to p95.",
        plot_latency.concurrency_vs_latency,
        "no request on the dataset of interest succeeded",
        by_level=True,
    ),
    Plot(
        "concurrency_vs_ttft.png",
        "Time to first token by level",
        "Boxes hold the middle half of the streamed successes, whiskers reach from p5 to p95.",
        plot_latency.concurrency_vs_ttft,
        "no answer on the dataset of interest was streamed",
        by_level=True,
    ),
    Plot(
        "throughput.png",
        "Throughput by level",
        "A ring, where there is one, marks the knee: the lowest level that no later one beats by more than 5 %.",
        throughput,
        "no stage on the dataset of interest has a throughput",
        by_level=True,
    ),
    Plot(
        "break_even.png",
        "Break-even volume",
        "Hourly instances come whole, so their cost is a staircase; shaded volumes are cheaper by the hour.",
        plot_break_even.break_even,
        "it takes a target priced by the hour and one priced by tokens, each with a priced stage that keeps the limits",
    ),
)
