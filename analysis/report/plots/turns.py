"""How times and prompts grow from turn to turn of conversations."""

import typing

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.report.plots import style
from analysis.report.plots.legend import legend
from analysis.report.plots.names import literal
from analysis.report.plots.view import Mark, View, numbers
from analysis.words.level import level_text
from analysis.words.session_figures import TurnFigures
from analysis.words.spread import Spread

Turns = tuple[TurnFigures, ...]


class Panel(typing.NamedTuple):
    words: str
    spread: typing.Callable[[TurnFigures], Spread]


PANELS = (Panel("Latency (s)", lambda t: t.latency), Panel("Time to first token (s)", lambda t: t.ttft))


def by_turn(view: View) -> Figure | None:
    """Latency, TTFT and prompt tokens by turn on the dataset of interest: of each target its highest level, one that can be trusted
    where there is one."""
    drawn = _drawn(view)
    panels = [p for p in PANELS if any(p.spread(t).p50 is not None for _, turns in drawn for t in turns)]
    if not panels:
        return None
    fig, axes = style.figure(f"Turns of conversations, {view.dataset}", 1, len(panels) + 1, 4.4)
    last = max(t.turn for _, turns in drawn for t in turns)
    for panel, ax in zip(panels, axes, strict=False):
        for mark, turns in drawn:
            _times(ax, view.looks[mark.series], mark.hollow, [(t.turn, panel.spread(t)) for t in turns])
        highest = [s for _, turns in drawn for t in turns for s in (panel.spread(t).p50, panel.spread(t).p95)]
        _axes(ax, last, panel.words, [value for value in highest if value is not None])
    _prompts(axes[-1], view, drawn)
    counts = [t.prompt_tokens_mean for _, turns in drawn for t in turns if t.prompt_tokens_mean is not None]
    _axes(axes[-1], last, "Prompt tokens, mean", counts)
    legend(fig, _handles(view, drawn))
    return fig


def _drawn(view: View) -> list[tuple[Mark, Turns]]:
    """A stage of each target."""
    turns = {r.key: r.turns for r in view.report.results if r.turns}
    best: dict[str, Mark] = {}
    for m in view.all_steps:
        if m.payload != view.report.dataset or m.key not in turns:
            continue
        other = best.get(m.series)
        if other is None or (not m.hollow, m.level) > (not other.hollow, other.level):
            best[m.series] = m
    return [(m, turns[m.key]) for m in best.values()]


def _times(ax: Axes, look: style.Look, hollow: bool, times: list[tuple[int, Spread]]) -> None:
    at, spreads = [n for n, s in times if s.p50 is not None], [s for _, s in times if s.p50 is not None]
    low, high = (numbers(getattr(s, end) for s in spreads) for end in ("p50_low", "p50_high"))
    ax.fill_between(at, low, high, color=look.colour + "30", linewidth=0, gid="interval")
    ax.plot(at, numbers(s.p50 for s in spreads), look.marker, linestyle="-", color=look.colour, linewidth=1.6, markersize=5,
            markerfacecolor="white" if hollow else look.colour, label=look.name)  # fmt: skip
    ax.plot(
        at, numbers(s.p95 for s in spreads), color=look.colour, linestyle="--", linewidth=1.1, label="_p95", gid="p95"
    )


def _prompts(ax: Axes, view: View, drawn: list[tuple[Mark, Turns]]) -> None:
    for mark, turns in drawn:
        look, known = view.looks[mark.series], [t for t in turns if t.prompt_tokens_mean is not None]
        at, tokens = [t.turn for t in known], numbers(t.prompt_tokens_mean for t in known)
        ax.plot(at, tokens, look.marker, linestyle="-", color=look.colour, linewidth=1.6, markersize=5,
                markerfacecolor="white" if mark.hollow else look.colour, label=look.name)  # fmt: skip
        cached = [n * (t.cache_read_share or 0.0) for n, t in zip(tokens, known, strict=True)]
        if any(cached):
            ax.plot(at, cached, color=look.colour, linestyle="--", linewidth=1.1, label="_cached", gid="cached")


def _axes(ax: Axes, last: int, words: str, values: list[float]) -> None:
    ax.set_xlim(0.5, last + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    style.value_axis(ax.yaxis, values, log_above=float("inf"))
    style.label(ax, "Turn", words)


def _handles(view: View, drawn: list[tuple[Mark, Turns]]) -> list[Line2D]:
    found = []
    for mark, _ in drawn:
        look = view.looks[mark.series]
        found.append(
            Line2D(
                [],
                [],
                color=look.colour,
                marker=look.marker,
                markersize=6,
                label=f"{look.name}, {literal(level_text(mark.figures))}",
            )
        )
    found.append(Line2D([], [], color=style.QUIET, linestyle="--", label="p95; of prompts what was read from a cache"))
    return found + ([style.suspect_handle()] if any(m.hollow for m, _ in drawn) else [])
