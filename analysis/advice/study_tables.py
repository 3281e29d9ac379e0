"""Tables in the form of two known studies: one stage in full, and the best configuration per model.

`most_cost_effective` at 5 users, `best_throughput` at 20 and `best_latency` at 1, one row per model,
over all its targets on one dataset. A level that was not measured is replaced by the nearest one that all of them have, or,
where none is near, by each target's own nearest; the row says at which it was measured. Limits are not applied here; INVALID
stages are left out, and those of the open loop, which have no number of users.
"""

import typing

import pandas as pd

from analysis.advice.choice import few_errors
from analysis.advice.comparability import MAX_OUTPUT_DIFFERENCE
from analysis.advice.label_heads import label_heads
from analysis.advice.models import NOT_NAMED, model_of
from analysis.advice.tie import tie
from analysis.verdicts.place import Place
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.columns import Column, column
from analysis.words.level import is_open, level_text
from analysis.words.spread import STATISTICS, Spread
from analysis.words.user_perceived import errors_text
from analysis.words.value_text import instances_of


class Question(typing.NamedTuple):
    """What one of the three tables asks: the best `column` at `users`."""

    table: str
    users: int
    column: Column
    lowest: bool
    rule: str


QUESTIONS = (
    Question(
        "most_cost_effective",
        5,
        column(lambda f: f.cost.usd_per_1m_output_tokens),
        True,
        "lowest USD per 1M output tokens at 5 users",
    ),
    Question(
        "best_throughput",
        20,
        column(lambda f: f.tokens.completion_tokens_per_s),
        False,
        "most output tokens per second at 20 users",
    ),
    Question(
        "best_latency",
        1,
        column(lambda f: f.latency_per_output_token_p50_ms),
        True,
        "lowest median latency per output token at 1 user",
    ),
)

#: a level within this factor of the one asked for is near it
NEAR = 2


def information(result: Result) -> pd.DataFrame:
    """`Information | Value` of one stage: the summary of a price-performance study."""
    f = result.figures
    rows = {
        "experiment_name": f.identity.target,
        "payload_file": f"{f.identity.payload}.jsonl",
        "instance_type": f.identity.instance_type,
        **({"rate": level_text(f)} if is_open(f) else {"concurrency": f.users}),
        "error_rate": f.outcome.error_rate,
        "prompt_token_count_mean": f.tokens.prompt_tokens_mean,
        "prompt_token_throughput": f.tokens.prompt_tokens_per_s,
        "completion_token_count_mean": f.tokens.completion_tokens_mean,
        "completion_token_throughput": f.tokens.completion_tokens_per_s,
        **_spread("latency_{}", f.latency),
        **_spread("ttft_{}", f.ttft),
        **_spread("tpot_{}_ms", f.tpot),
        "transactions_per_minute": f.throughput.transactions_per_minute,
        "price_per_txn": f.cost.usd_per_transaction,
    }
    if f.retried:
        rows |= {
            "calls": f.calls.calls,
            "call_error_rate": f.calls.call_error_rate,
            "attempts_per_call_mean": f.calls.attempts_per_call_mean,
            **_spread("call_latency_{}", f.calls.call_latency),
        }
    return pd.DataFrame(list(rows.items()), columns=["Information", "Value"], dtype=object)


def _spread(name: str, of: Spread) -> dict[str, float | None]:
    return {name.format(s): of.at(s) for s in STATISTICS}


def study_tables(
    results: list[Result], dataset: str, labels: dict[tuple[str, str], dict], hourly: dict[tuple[str, str], float]
) -> dict[str, pd.DataFrame]:
    """The three tables. labels: (run, target) -> its free columns; hourly: (run, target) -> $/h in all."""
    of_dataset = [r for r in results if r.payload == dataset]
    names = list(dict.fromkeys(name for r in of_dataset for name in labels.get(r.seat, {})))
    models: dict[str, list[Result]] = {}
    for r in of_dataset:
        models.setdefault(_row_of(r), []).append(r)
    tables = {}
    for question in QUESTIONS:
        rows = []
        for measured in models.values():
            group = [r for r in measured if r.trusted and r.figures.users is not None and question.column.of(r.figures)]
            if group:
                rows.append(_row(question, group, _note(question, group, measured), names, labels, hourly))
        tables[question.table] = pd.DataFrame(rows, columns=_columns(names))
    return tables


def _row_of(result: Result) -> str:
    """The model, of one that is not named the target."""
    model = model_of(result)
    return result.figures.identity.model if model == NOT_NAMED else model


BEFORE = ("Model", "Target", "Run", "Verdict", "Note")  # the labels
BEHIND = (
    "Instance", "Concurrent requests", "Latency (ms/token) median", "Throughput (tokens/s)", show.HOURLY_PRICE,
    "Minutes per 1M output tokens", "USD per 1M output tokens", "Runner-up", "Margin", "Tie",
)  # fmt: skip


def _columns(names: list[str]) -> list[str]:
    return [*BEFORE, *label_heads(names, (*BEFORE, *BEHIND)), *BEHIND]


def _levels(question: Question, group: list[Result]) -> dict[Place, int]:
    """Place -> the users at which it is compared: unlike loads are compared only where the targets share no level near
    the one asked for."""
    own: dict[Place, set[int]] = {}
    for r in group:
        own.setdefault(r.place, set()).add(r.figures.users or 0)
    shared = [u for u in set.intersection(*own.values()) if question.users / NEAR <= u <= question.users * NEAR]
    return {place: min(shared or users, key=lambda u: (abs(u - question.users), u)) for place, users in own.items()}


def _note(question: Question, group: list[Result], measured: list[Result]) -> str | None:
    """What a reader must know of the levels compared, and which of the model's targets are not in it."""
    asked, levels, notes = question.users, _levels(question, group), []
    who = {r.place: r.who for r in measured}
    if len(set(levels.values())) > 1:
        each = ", ".join(f"{who[place]} {level}" for place, level in levels.items())
        notes.append(f"the targets share no level near {asked} users; each at its nearest: {each}")
    elif asked not in levels.values():
        everyone = "" if all(r.figures.users != asked for r in group) else " of every target"
        notes.append(f"{asked} users were not measured{everyone}; nearest level shown")
    if left_out := [name for place, name in who.items() if place not in levels]:
        notes.append(f"left out, without such a figure that can be trusted: {', '.join(left_out)}")
    return "; ".join(notes) or None


def _row(
    question: Question, group: list[Result], note: str | None, names: list[str], labels: dict, hourly: dict
) -> list:
    levels = _levels(question, group)
    compared = [r for r in group if r.figures.users == levels[r.place]]
    figure = question.column.of

    def rank(r: Result) -> tuple[bool, bool, float]:
        """What echoes its prompt or fails is best only where nothing else is there."""
        return r.echo is not None, not _answers(r), figure(r.figures) * (1 if question.lowest else -1)

    ranked = sorted(compared, key=rank)
    best = ranked[0]
    other = next((r for r in ranked if r.place != best.place), None)
    margin = abs(figure(other.figures) / figure(best.figures) - 1) if other else None
    found = best.figures
    return [
        _row_of(best),
        found.identity.target,
        ", ".join(dict.fromkeys(key.run for key in (best.members or (best.key,)))),
        found.trust.verdict,
        "; ".join(filter(None, (*_cautions(best, compared), note))) or None,
        *[labels.get(best.seat, {}).get(n) for n in names],
        instances_of(found),
        found.users,
        found.latency_per_output_token_p50_ms,
        found.tokens.completion_tokens_per_s,
        hourly.get(best.seat),
        found.cost.minutes_per_1m_output_tokens,
        found.cost.usd_per_1m_output_tokens,
        other.who.replace("`", "") if other else None,
        margin,
        tie(best, other, question.column) if other else None,
    ]


def _answers(result: Result) -> bool:
    """Whether few enough fail; a limit on errors that is missed counts here, though no stage is left out for a limit."""
    missed = any(c.criterion.of == "error_rate" and c.state == "missed" for c in result.checks)
    return few_errors(result) and not missed


def _cautions(best: Result, compared: list[Result]) -> typing.Iterator[str]:
    """Why a row's figures are not what they seem, or its options not alike."""
    for r in compared:
        mine = "" if r is best else f"{r.who}: "
        if r.echo is not None:
            usd, beyond = r.figures.cost.usd_per_1m_output_tokens, r.echo.beyond
            price = usd and beyond and usd * r.echo.output / beyond
            own = f"; by the {show.count(beyond)} tokens beyond it about {show.money(price)} per 1M" if price else ""
            yield f"{mine}{r.echo.text}{own}"
        if not _answers(r):
            yield f"{mine}{errors_text(r.figures)}"
    outputs = {r.who: mean for r in compared if (mean := r.figures.tokens.completion_tokens_mean)}
    if len(outputs) > 1 and max(outputs.values()) > (1 + MAX_OUTPUT_DIFFERENCE) * min(outputs.values()):
        told = outputs if len(outputs) == 2 else {who: outputs[who] for who in _ends(outputs)}
        each = ", ".join(f"{who} {show.number(mean)}" for who, mean in told.items())
        yield f"output tokens differ by more than {show.percent(MAX_OUTPUT_DIFFERENCE)} ({each}): compare them per transaction"


def _ends(outputs: dict[str, float]) -> tuple[str, str]:
    """The one of fewest and the one of most."""
    return min(outputs, key=lambda who: outputs[who]), max(outputs, key=lambda who: outputs[who])
