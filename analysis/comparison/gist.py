"""What a comparison says in a sentence or two of each target."""

from analysis.comparison.figures import NAMES, change, gist_columns, interval, unseen
from analysis.comparison.model import Compared, Comparison, Group


def gist_sentences(comparison: Comparison) -> list[str]:
    """A sentence of each target, payload and other run: what became worse, what better, and what could have stayed unseen."""
    found = [_of_group(group, run) for group in comparison.groups for run in group.together]
    if comparison.invalid:
        found.insert(0, "A stage compared here is INVALID: its figures stand beside the others, but cannot be trusted.")
    return found


def _of_group(group: Group, run: str) -> str:
    """By the changes over levels; of one level alone by that level's. Of the few figures that decide."""
    shared = [level for level in group.levels if run in level.compared]
    first = next(iter(shared[0].results.values()))
    few = gist_columns(first.figures, shared[0].results[run].figures)
    figures = [c for c in group.together[run] or shared[0].compared[run] if c.column in few]
    where = f"over {len(shared)} levels" if group.together[run] else f"at {shared[0].words}"
    sure = {said: [c for c in figures if c.sure and c.said == said] for said in ("worse", "better")}
    parts = [f"{said}: {', '.join(_words(c, group, run) for c in some)}" for said, some in sure.items() if some]
    told = any(c.difference and c.difference.low is not None for c in figures)
    none = (
        "no difference that holds among all that is compared"
        if told
        else "whether anything differs is not told: no figure has an interval"
    )
    parts = parts or [none]
    median = next((c for c in figures if c.column == few[0] and c.difference), None)
    if median and median.difference and median.difference.smallest is not None and not median.sure:
        parts.append(f"of {NAMES[few[0]]} one of {unseen(median.difference)} would have been seen four times of five")
    return f"{group.who} on `{group.payload}` in run {run}, {where}: {'; '.join(parts)}."


def _words(c: Compared, group: Group, run: str) -> str:
    """`latency p50 +8.1 % (+5.2 % to +11.1 %)`; `…, by 2 of them` where the other levels have no interval and so no weight."""
    shared = sum(run in level.compared for level in group.levels)
    few = f", by {c.levels} of them" if group.together[run] and c.levels < shared else ""
    return f"{NAMES[c.column]} {change(c.difference)} ({interval(c.difference)}{few})"
