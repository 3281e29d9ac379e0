"""What keeps the figures of two runs from being compared as they are: answers or prompts of other lengths."""

from analysis.comparison.conditions import NOT_KNOWN, PROMPTS
from analysis.comparison.model import Condition, Group
from analysis.runs.run_reader import Run
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column, column

MAX_OUTPUT_DIFFERENCE = 0.10  # of mean tokens: above it a transaction is another one
MAX_PROMPT_DIFFERENCE = 0.02
_OUTPUT = column(lambda f: f.tokens.completion_tokens_mean)
_PROMPT = column(lambda f: f.tokens.prompt_tokens_mean)
_TURNS = column(lambda f: f.sessions.session_turns_mean)


def cautions(groups: list[Group], reference: str) -> list[str]:
    """A sentence each."""
    return (
        _biased(groups)
        + [text for group in groups for text in (*_lengths(group, reference), *_limits(group, reference))]
        + _weights(groups, reference)
    )


def between(runs: list[Run], conditions: list[Condition]) -> list[str]:
    """What whole runs do not share, so that a difference may be theirs and not the endpoint's."""
    texts = []
    tools = {run.name: run.manifest.imported.tool if run.manifest.imported else "Swarmledger" for run in runs}
    if len(set(tools.values())) > 1:
        each = ", ".join(f"run {name} is of {tool}" for name, tool in tools.items())
        why = "one's times may begin and end elsewhere than another's, and retries and failures be counted otherwise"
        texts.append(f"{each[0].upper()}{each[1:]}: {why}.")
    if any(c.what == PROMPTS and len({*c.values.values()} - {NOT_KNOWN}) > 1 for c in conditions):
        texts.append("The prompts are not of the same files in all runs: what differs may be the prompts.")
    return texts


def _biased(groups: list[Group]) -> list[str]:
    """Stages whose doubts put their price too high or too low, a sentence a way."""
    found: dict[str, dict[str, list[str]]] = {}
    for group in groups:
        for level in group.levels:
            for run, r in level.results.items():
                if bias := r.figures.trust.price_bias:
                    where = f"{group.who} on `{group.payload}` in run {run} at "
                    found.setdefault(bias, {}).setdefault(where, []).append(level.words)
    texts = []
    for bias, places in found.items():
        it, its = ("it", "its") if len(places) == 1 else ("them", "their")
        where = "; ".join(place + ", ".join(levels) for place, levels in places.items())
        texts.append(f"{where}: what makes {it} SUSPECT makes {its} price {bias}.")
    return texts


def _lengths(group: Group, reference: str) -> list[str]:
    texts = []
    for run in group.together:
        for of, most, words, mind in (
            (
                _OUTPUT,
                MAX_OUTPUT_DIFFERENCE,
                "output tokens",
                "a transaction is not the same work; compare costs per token, too",
            ),
            (
                _PROMPT,
                MAX_PROMPT_DIFFERENCE,
                "prompt tokens",
                "other prompts, or another tokenizer or chat template",
            ),
            (
                _TURNS,
                MAX_OUTPUT_DIFFERENCE,
                "turns of a conversation",
                "a conversation is not the same work; its time and cost are those of another",
            ),
        ):
            if worst := _worst(group, reference, run, of, most):
                level, one, other = worst
                more = f"{show.percent(abs(other / one - 1))} {'more' if other > one else 'fewer'}"
                texts.append(
                    f"{group.who} on `{group.payload}` at {level}: mean {words} {show.number(one)} in run {reference}, "
                    f"{show.number(other)} in run {run} ({more}): {mind}."
                )
    return texts


def _limits(group: Group, reference: str) -> list[str]:
    """Where goodput is no figure of the same thing."""
    texts = []
    for run in group.together:
        shared = [level.results for level in group.levels if run in level.results]
        if any(one[reference].good_by and one[run].good_by not in ((), one[reference].good_by) for one in shared):
            texts.append(
                f"{group.who} on `{group.payload}`: goodput is by other limits in run {run} than in run {reference}, "
                "and not compared."
            )
    return texts


def _weights(groups: list[Group], reference: str) -> list[str]:
    """Of mixes whose parts have other shares, a sentence a run."""
    found: dict[str, dict[str, None]] = {}
    for group in groups:
        for level in group.levels:
            own = level.results[reference].figures.mix_share
            for run, share in ((run, r.figures.mix_share) for run, r in level.results.items()):
                if share != own:
                    part = f"{group.who} on `{group.payload}` {show.percent(own)} there, {show.percent(share)} here"
                    found.setdefault(run, {})[part] = None
    why = "each part has another load beside it, and a transaction over all parts is another one"
    return [
        f"Run {run} mixes otherwise than run {reference}: {', '.join(parts)}: {why}." for run, parts in found.items()
    ]


def _worst(group: Group, reference: str, run: str, of: Column, most: float) -> tuple[str, float, float] | None:
    """(level, the reference's mean, the run's) where they are furthest apart, if by more than `most`."""
    found: list[tuple[float, str, float, float]] = []
    for level in group.levels:
        if run in level.results:
            one, other = (_mean(level.results[name], of) for name in (reference, run))
            if one and other and abs(other / one - 1) > most:
                found.append((abs(other / one - 1), level.words, one, other))
    return max(found)[1:] if found else None


def _mean(result: Result, of: Column) -> float | None:
    value: float | None = of.of(result.figures)
    return value
