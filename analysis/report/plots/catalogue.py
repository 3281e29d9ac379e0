"""The report's pictures: which there are, and the ones of rates against users.

`draw_all(report, folder)` writes a PNG for every plot that has data; a plot without any is left out, and
`PLOTS` says in a line what was missing. Nothing is drawn for a value that is not known.
"""

import functools
import pathlib
import typing

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.advice.report_model import Report
from analysis.report.plots import break_even as plot_break_even
from analysis.report.plots import latency as plot_latency
from analysis.report.plots import pareto as plot_pareto
from analysis.report.plots import price as plot_price
from analysis.report.plots import style
from analysis.report.plots import turns as plot_turns
from analysis.report.plots.legend import legend
from analysis.report.plots.view import Mark, View, lines, numbers
from analysis.report.side_by_side import side_by_side


class Plot(typing.NamedTuple):
    """One picture of the report: its file, what it shows, how to read it, how it is drawn, why it may be absent."""

    file: str
    title: str
    reads: str
    draw: typing.Callable[[View], Figure | None]
    absent: str
    by_level: bool = False  # drawn against users or planned rates


def draw_all(
    report: Report, folder: str | pathlib.Path, beside: typing.Sequence[typing.Callable[[], None]] = ()
) -> list[pathlib.Path]:
    """Draw what can be drawn from a Report into `folder`; the PNG files written, in the report's order. beside: what else is to
    be done, on another core where there is one."""
    return [file for file in side_by_side([*beside, *_pictures(report, pathlib.Path(folder))]) if file]


def _pictures(report: Report, folder: pathlib.Path) -> typing.Sequence[typing.Callable[[], pathlib.Path | None]]:
    """What draws each picture and returns its file, None where there was nothing to draw."""
    folder.mkdir(parents=True, exist_ok=True)
    for plot in PLOTS:  # an older report's picture must not pass for this one's
        for file in (plot.file, by_rate_file(plot)):
            (folder / file).unlink(missing_ok=True)
    view = View.of(report)
    wanted = [functools.partial(_picture, plot.draw, view, folder / plot.file) for plot in PLOTS]
    if view.kind == "users" and report.open_loop:  # users and rates never share an axis
        rates = view.by("rate")
        wanted += [functools.partial(_picture, p.draw, rates, folder / by_rate_file(p)) for p in PLOTS if p.by_level]
    return wanted


def _picture(draw: typing.Callable[[View], Figure | None], view: View, file: pathlib.Path) -> pathlib.Path | None:
    fig = draw(view)
    return None if fig is None else style.save(fig, file)


def by_rate_file(plot: Plot) -> str:
    """error_rates.png -> error_rates_by_rate.png, for a report that has users and rates."""
    return plot.file.replace(".png", "_by_rate.png")


MOST_AT_ZERO = 8  # series that can lie on each other and be told apart


def error_rates(view: View) -> Figure | None:
    """Share of failed requests against users: facets are payloads, lines are targets."""
    steps = [m for m in view.steps if m.user.error_rate is not None]
    if not any(m.user.error_rate for m in steps):
        return None
    fig, axes = style.facets(f"Error rate by {view.by_what}", list(dict.fromkeys(m.payload for m in steps)))
    order, drawn = list(view.looks), _worth_a_line(steps)
    first = next(iter(axes.values()))
    top = max(_percent(steps))
    for payload, ax in axes.items():
        here = [m for m in steps if m.payload == payload]
        for series, line in lines([m for m in here if m.series in drawn]):
            # lines at 0 % lie on each other: markers of falling size keep all of them in sight
            size = 6 + 1.2 * max(0, min(len(order), 8) - 1 - order.index(series))
            _line(ax, view.looks[series], line, _percent(line), size)
        ax.annotate(_without_failures(here), (1, 1), xycoords="axes fraction", xytext=(0, 2), ha="right", va="top",
                    textcoords="offset points", fontsize=8, color=style.QUIET)  # fmt: skip
        style.level_axis(ax, [m.level for m in steps])
        bottom, left = style.edges(ax, list(axes.values()))
        style.label(ax, view.axis if bottom else None, "Failed requests (%)" if left else None)
    first.set_ylim(-0.05 * max(top, 1), min(max(top, 1) * 1.2, 106))
    limit = view.limit("error_rate")
    if limit and limit * 100 <= first.get_ylim()[1]:  # a limit of 0 is the axis itself
        for ax in axes.values():
            style.limit_line(ax, limit * 100, f"SLO {limit * 100:g} %" if ax is first else "")
    shown = [m for m in steps if m.series in drawn]
    words = None if len(shown) == len(steps) else "Targets without failures are not drawn."
    legend(fig, style.target_handles(view.looks_in(shown), any(m.hollow for m in shown)), words)
    return fig


def _worth_a_line(steps: list[Mark]) -> set[str]:
    """The series that are drawn: where there are many, those that had failures."""
    every = {m.series for m in steps}
    return every if len(every) <= MOST_AT_ZERO else {m.series for m in steps if m.user.error_rate}


def _percent(marks: list[Mark]) -> list[float]:
    return [100 * rate for rate in numbers(m.user.error_rate for m in marks)]


def _without_failures(steps: list[Mark]) -> str:
    """`no failures: 9 of 10 targets`; empty when every one had some."""
    targets = {m.series for m in steps}
    clean = len(targets - {m.series for m in steps if m.user.error_rate})
    if not clean:
        return ""
    return "no failures" if clean == len(targets) else f"no failures: {clean} of {len(targets)} targets"


class Panel(typing.NamedTuple):
    """What one half of the picture of throughput shows."""

    words: str
    value: typing.Callable[[Mark], float | None]


PANELS = (
    Panel("Transactions per minute", lambda m: m.figures.throughput.transactions_per_minute),
    Panel("Output tokens per second", lambda m: m.figures.tokens.completion_tokens_per_s),
)


def throughput(view: View) -> Figure | None:
    """Transactions a minute and output tokens a second against users, for the dataset of interest."""
    steps = view.of_interest
    panels = [p for p in PANELS if any(p.value(m) is not None for m in steps)]
    if not panels:
        return None
    fig, axes = style.figure(f"Throughput by {view.by_what}, {view.dataset}", 1, len(panels), 4.4)
    knees = 0
    for ax, panel in zip(axes, panels, strict=True):
        drawn = [m for m in steps if panel.value(m) is not None]
        for series, line in lines(drawn):
            look, at = view.looks[series], view.knee(line)
            _line(ax, look, line, numbers(panel.value(m) for m in line))
            knees += len(at)
            ax.plot([m.level for m in at], numbers(panel.value(m) for m in at), "o", markersize=14, markerfacecolor="none",
                    markeredgecolor=look.colour, markeredgewidth=1.6, gid="knee")  # fmt: skip
        style.level_axis(ax, [m.level for m in steps])
        style.value_axis(ax.yaxis, numbers(panel.value(m) for m in drawn))
        style.label(ax, view.axis, panel.words)
    handles = style.target_handles(view.looks_in(steps), any(m.hollow for m in steps))
    if knees:
        handles.append(style.ring_handle("knee: no later level is more than 5 % faster"))
    legend(fig, handles)
    return fig


def _line(ax: Axes, look: style.Look, line: list[Mark], y: list[float], size: float = 6.5) -> None:
    """A target's line with filled markers, hollow where the stage is not to be trusted."""
    ax.plot([m.level for m in line], y, color=look.colour, linestyle=look.dash, linewidth=1.6, label=look.name)
    for hollow, face in ((False, look.colour), (True, "white")):
        some = [(m.level, value) for m, value in zip(line, y, strict=True) if m.hollow == hollow]
        if some:
            ax.plot(*zip(*some, strict=True), look.marker, color=look.colour, markerfacecolor=face, markersize=size,
                    markeredgewidth=1.4, label="_markers")  # fmt: skip


PLOTS: tuple[Plot, ...] = (
    Plot(
        "price_performance.png",
        "Price against latency",
        "Further left is faster, further down is cheaper; a trace joins one target's levels: users, or requests/s.",
        plot_price.price_performance,
        "no stage on the dataset of interest has both a price per transaction and a latency",
    ),
    Plot(
        "pareto_front.png",
        "Pareto front",
        "What no other option beats in price, latency and throughput at once; a number each, those of the table.",
        plot_pareto.pareto_front,
        "it takes two levels on the dataset of interest that can be recommended",
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
        "turns.png",
        "Turns of conversations",
        "Each target at its highest level: solid the median with its 95 % interval, dashed p95; of prompts dashed what came from a cache.",
        plot_turns.by_turn,
        "no turn of a conversation on the dataset of interest succeeded",
    ),
    Plot(
        "break_even.png",
        "Break-even volume",
        "Hourly instances come whole, so their cost is a staircase; shaded volumes are cheaper by the hour.",
        plot_break_even.break_even,
        "it takes a target priced by the hour and one priced by tokens, each with a priced stage that keeps the limits",
    ),
)
