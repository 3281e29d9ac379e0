"""What a comparison says in a sentence or two of each target, and before that how far it can be trusted."""

from analysis.comparison.figures import NAMES, change, gist_columns, interval, unseen
from analysis.comparison.model import Compared, Comparison, Group, Level
from analysis.words.columns import Column
from analysis.words.stage_figures import Verdict


def gist_sentences(comparison: Comparison) -> list[str]:
    """How many stages are not VALID; then of each target, payload and other run what became worse, what better, and what could
    have stayed unseen."""
    doubts = [text for text in (_doubtful(comparison),) if text]
    return doubts + [_of_group(group, run) for group in comparison.groups for run in group.together]


def _doubtful(comparison: Comparison) -> str:
    """`11 of the 12 stages compared are SUSPECT: …`; nothing where all are VALID."""
    verdicts = [r.figures.trust.verdict for r in comparison.results]
    worst: tuple[Verdict, ...] = ("INVALID", "SUSPECT")
    counts = {verdict: verdicts.count(verdict) for verdict in worst if verdict in verdicts}
    if not counts:
        return ""
    parts = [f"{n} {'is' if n == 1 else 'are'} {verdict}" for verdict, n in counts.items()]
    of = f"Of {len(verdicts)} stages compared {' and '.join(parts)}"
    if "INVALID" in counts:
        return f"{of}: what is INVALID stands beside the others, but cannot be trusted."
    return f"{of}: what differs, or does not, may come from how it was measured."


def _of_group(group: Group, run: str) -> str:
    """By the changes over levels; of one level alone by that level's. Of the few figures that decide."""
    shared = [level for level in group.levels if run in level.compared]
    few = _few(shared[0], run)
    figures = [c for c in group.together[run] or shared[0].compared[run] if c.column in few]
    where = f"over {len(shared)} levels" if group.together[run] else f"at {shared[0].words}"
    sure = {said: [c for c in figures if c.sure and c.said == said] for said in ("worse", "better")}
    parts = [
        f"{said}: {', '.join(_words(c, _by_how_many(c, group, run)) for c in some)}"
        for said, some in sure.items()
        if some
    ]
    told = any(c.difference and c.difference.low is not None for c in figures)
    none = (
        "no difference that holds among all that is compared"
        if told
        else "whether anything differs is not told: no figure has an interval"
    )
    parts = parts or [none]
    if group.together[run]:
        parts += _at_single_levels(shared, run, {c.column for some in sure.values() for c in some})
    parts += _unanswered(shared, run) + (_untold(shared, run) if told else [])
    median = next((c for c in figures if c.column == few[0] and c.difference), None)
    if median and median.difference and median.difference.smallest is not None and not median.sure:
        parts.append(f"of {NAMES[few[0]]} one of {unseen(median.difference)} would have been seen four times of five")
    return f"{group.who} on `{group.payload}` in run {run}, {where}: {'; '.join(parts)}."


def _unanswered(shared: list[Level], run: str) -> list[str]:
    """What must not be missed: stages without a success have no times that could become worse."""
    found: dict[str, list[str]] = {}
    for level in shared:
        for name in (next(iter(level.results)), run):
            outcome = level.results[name].figures.outcome
            if outcome.successes == 0 and outcome.requests:
                found.setdefault(name, []).append(level.words)
    return [f"no request of run {name} succeeded at {', '.join(levels)}" for name, levels in found.items()]


def _untold(shared: list[Level], run: str) -> list[str]:
    """`not told by these samples: latency p95`: at no level, so that a difference of any size may be there."""
    each = [c for level in shared for c in level.compared[run]]
    told, known = {c.column for c in each if c.said != "not known"}, {c.column for c in each if c.difference}
    untold = [NAMES[column] for column in _few(shared[0], run) if column in known - told]
    return [f"not told by these samples: {', '.join(untold)}"] if untold else []


def _few(level: Level, run: str) -> list[Column]:
    first = next(iter(level.results.values()))
    return gist_columns(first.figures, level.results[run].figures)


def _at_single_levels(shared: list[Level], run: str, said: set[Column]) -> list[str]:
    """`at 4 users alone worse: TTFT p50 +19.5 % (…)`: what holds there, and is not said over the levels."""
    parts = []
    for level in shared:
        few = _few(level, run)
        for words in ("worse", "better"):
            some = [
                _words(c)
                for c in level.compared[run]
                if c.column in few and c.column not in said and c.sure and c.said == words
            ]
            if some:
                parts.append(f"at {level.words} alone {words}: {', '.join(some)}")
    return parts


def _words(c: Compared, by: str = "") -> str:
    """`latency p50 +8.1 % (+5.2 % to +11.1 %)`"""
    return f"{NAMES[c.column]} {change(c.difference)} ({interval(c.difference)}{by})"


def _by_how_many(c: Compared, group: Group, run: str) -> str:
    """`, by 2 of them` where the other levels have no interval and so no weight."""
    shared = sum(run in level.compared for level in group.levels)
    return f", by {c.levels} of them" if group.together[run] and c.levels < shared else ""
