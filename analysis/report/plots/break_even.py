"""The picture of the break-even: dollars an hour against volume, by the hour and by tokens."""

import math

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from analysis.advice.report_model import BreakEven
from analysis.report.plots import style
from analysis.report.plots.legend import legend
from analysis.report.plots.view import View

HOURLY, TOKENS = "#0b6bb8", "#d1491b"
MAX_PAIRS = 9


def break_even(view: View) -> Figure | None:
    """A facet for each pair of an hourly and a token-priced target; shaded where the hourly one is cheaper."""
    drawable = [b for b in view.report.break_even if b.capacity_per_hour and b.token_usd_per_transaction]
    if not drawable:
        return None
    # pairs in which an interval exists come first: with many pairs those are the ones to see
    several = len(view.report.runs) > 1
    pairs = {
        " ".join((b.dataset, *_ends(b, several))): b
        for b in sorted(drawable, key=lambda b: not b.intervals)[:MAX_PAIRS]
    }
    fig, axes = style.facets("Break-even: cost by volume", list(pairs), shared=False)
    for name, pair in pairs.items():
        _pair(axes[name], pair, ticks=4 if len(pairs) > 2 else 8)
    shown = style.short_names(
        dict.fromkeys(e for p in pairs.values() for e in _ends(p, several)), 84 // min(len(pairs), 3)
    )
    for name, pair in pairs.items():
        hourly, tokens = (style.literal(shown[end]) for end in _ends(pair, several))
        axes[name].set_title(f"{hourly}\nor {tokens}", fontsize=9, color=style.INK, loc="left")
    handles: list[Artist] = [
        Line2D([], [], color=HOURLY, linewidth=2, label="by the hour: one more instance at each step"),
        Line2D([], [], color=TOKENS, linewidth=2, linestyle="--", label="by tokens"),
    ]
    if any(b.intervals for b in pairs.values()):
        handles.append(Patch(facecolor=style.FEASIBLE, edgecolor="#9ccfaa", label="the hourly target is cheaper"))
    rest = len(drawable) - len(pairs)
    legend(fig, handles, f"Not drawn: {rest} more of the table's pairs." if rest else None)
    return fig


def _ends(pair: BreakEven, several: bool) -> tuple[str, str]:
    """The two targets, with their runs where there are several."""
    if not several:
        return pair.hourly_target, pair.token_target
    return f"{pair.hourly_target} ({pair.hourly_run})", f"{pair.token_target} ({pair.token_run})"


def _pair(ax: Axes, pair: BreakEven, ticks: int) -> None:
    capacity, usd = pair.capacity_per_hour, pair.token_usd_per_transaction
    if capacity is None or usd is None:
        return
    most = float(pair.curve["transactions_per_hour"].max())
    ax.plot(*staircase(pair.usd_per_hour, capacity, most), color=HOURLY, linewidth=2, label="hourly")
    ax.plot([0, most], [0, most * usd], color=TOKENS, linewidth=2, linestyle="--",
            label="tokens")  # fmt: skip
    for low, high in pair.intervals:
        if low < most:
            ax.axvspan(low, min(high if high is not None else most, most), color=style.FEASIBLE, zorder=0.5)
    highest = max(most * usd, ax.get_ylim()[1])
    style.value_axis(ax.yaxis, [highest], log_above=math.inf)
    style.value_axis(ax.xaxis, [most], log_above=math.inf)
    ax.set_xlim(0, most)
    ax.xaxis.set_major_locator(MaxNLocator(ticks))
    style.label(ax, "Transactions per hour", "$ per hour")


def staircase(usd_per_hour: float, capacity: float, most: float) -> tuple[list[float], list[float]]:
    """Corners of usd_per_hour x ceil(V / capacity) for V from just above 0 to `most` transactions/hour."""
    volumes, costs = [], []
    for instances in range(1, math.ceil(most / capacity) + 1):
        volumes += [(instances - 1) * capacity, min(instances * capacity, most)]
        costs += [instances * usd_per_hour] * 2
    return volumes, costs
