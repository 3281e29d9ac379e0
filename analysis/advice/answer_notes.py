"""What a reader must know of the answers of a run's targets: how they ended, whether they streamed, what a cache gave."""

import typing

from analysis.advice.queued import queue_note
from analysis.advice.routed import router_note
from analysis.advice.shares import destinations_note, variants_note
from analysis.cost.call_usd import hour_is_priced, unsplit
from analysis.metrics.token_counts import TOOL_STOPS
from analysis.runs.rows import Rows
from analysis.runs.run_reader import Run
from analysis.runs.texts import counted, in_it
from analysis.runs.token_totals import prompt_total
from analysis.verdicts.cache_purpose import caches_on_purpose
from analysis.words import format as show
from locustfiles.contract.error_classes import OwnCode
from locustfiles.contract.prices.price import Price, TokenPrice
from locustfiles.contract.record import GUARDRAIL_STOP
from locustfiles.contract.scenario.remedies import IN_ONE_PIECE
from locustfiles.contract.scenario.targets import Target
from locustfiles.contract.stop_reasons import BAD_STOPS


def answer_notes(run: Run, prices: dict[str, Price] | None = None) -> typing.Iterator[str]:
    """Of each target, where there is something to say."""
    records = run.of_stages
    measured = records[records["error"].isna() & (records["phase"] == "measure")]
    for target in run.scenario.targets:
        good = measured[measured["target"] == target.name]
        notes = (
            _guardrail(target, good, None if prices is None else prices[target.name]),
            router_note(run, good, None if prices is None else prices[target.name]),
            variants_note(good),
            destinations_note(good),
            queue_note(target, good),
            _stops(good),
            _tools(good),
            _in_one_piece(target, good),
            _several_choices(good),
            _unreadable(good),
            _unsplit(good, None if prices is None else prices[target.name]),
            _cache(run, target, good),
        )
        for note in notes:
            if note:
                yield f"Run {run.name}, `{target.name}`: {note}"


def _guardrail(target: Target, good: Rows, price: Price | None) -> str | None:
    """Of a target that has a guardrail, or whose answers show one."""
    blocked = int((good["stop_reason"] == GUARDRAIL_STOP).sum())
    units = good["guardrail_units"].notna()
    if not (blocked or units.any() or getattr(target, "guardrail", None) or "guardrailConfig" in target.parameters):
        return None
    of_a_model = ": a blocked answer is not the model's work, and faster" if target.writes_text else ""
    share = f" ({show.percent(blocked / len(good))}){of_a_model}" if blocked else ""
    return (
        f"its guardrail intervened in {blocked} of {len(good)} successes{share}. "
        f"What AWS charges for the guardrail itself is {_guardrails_charge(int(units.sum()), len(good), price)}."
    )


def _guardrails_charge(reported: int, answers: int, price: Price | None) -> str:
    priced = isinstance(price, TokenPrice) and bool(price.guardrail)
    if priced and reported:
        return f"in the cost of the {reported} of {answers} answers that report its units"
    if priced:
        return "in no cost here, for no answer reports its units, as its trace does"
    if reported:
        return (
            "in no cost here: its units are reported, and their price is not known; add `guardrail:` to the price book"
        )
    return "in no cost here"


def _stops(good: Rows) -> str | None:
    stops = counted(good["stop_reason"])
    stops = stops.groupby(stops.index.str.lower()).sum()
    bad = stops[stops.index.isin(BAD_STOPS - {GUARDRAIL_STOP})].sort_index()
    if bad.empty:
        return None
    named = ", ".join(f"{name} {count}" for name, count in bad.items())
    return (
        f"{int(bad.sum())} of {len(good)} successes ({show.percent(int(bad.sum()) / len(good))}) ended by a stop reason that says that "
        f"they are not what was asked for ({named}); `bad_stop_share` in the `slo:` sets a limit on them."
    )


def _tools(good: Rows) -> str | None:
    stops = counted(good["stop_reason"])
    called = stops[stops.index.str.lower().isin(TOOL_STOPS)]
    if called.empty:
        return None
    named = ", ".join(f"{name} {count}" for name, count in called.sort_index().items())
    return (
        f"{int(called.sum())} of {len(good)} successes ({show.percent(int(called.sum()) / len(good))}) ended in a tool's call ({named}): "
        "their output is the call's input, which is no text."
    )


def _unreadable(good: Rows) -> str | None:
    """Where the service counts tokens and nobody can read it, which is not the same as no count."""
    odd = good[good["error_code"] == OwnCode.UNREADABLE_USAGE]["error_message"].dropna()
    if odd.empty:
        return None
    return (
        f"{len(odd)} of {len(good)} successes have token counts that cannot be read ({odd.mode()[0]}): they are left empty, and are no 0; "
        "mend what the server writes, or add the target's `tokenizer:`, which counts instead."
    )


def _unsplit(good: Rows, price: Price | None) -> str | None:
    """Where tokens were written to a cache at one of two prices, and the answer does not say which."""
    count = int(unsplit(good).sum())
    if not count or not isinstance(price, TokenPrice) or price.cache_write == price.cache_write_1h:
        return None
    told = f"{count} of {len(good)} successes wrote to a cache, and how much of it for an hour is not known: "
    if hour_is_priced(price):
        return (
            f"{told}their cost is told from all at the price of five minutes (`cache_write`) to all at that of an hour."
        )
    of_one = f"{told}it is billed as `cache_write`, and the price of an hour, which is higher, is not known"
    return f"{of_one}; add `cache_write_1h:` to the price."


def _in_one_piece(target: Target, good: Rows) -> str | None:
    whole = int((good["ttft_ms"].isna() & good["chunks"].isna()).sum())
    if not (target.stream and whole):
        return None
    if whole == len(good):
        return f"it {IN_ONE_PIECE}."
    return f"{whole} of {len(good)} answers came in one piece although `stream: true` is asked: they have no TTFT and no TPOT."


def _several_choices(good: Rows) -> str | None:
    """Streams of several choices, whose deltas are not counted (`requests.csv`)."""
    several = int((good["ttft_ms"].notna() & good["chunks"].isna()).sum())
    if not several:
        return None
    return f"{several} of {len(good)} answers had several choices, whose tokens come side by side: they have no TPOT."


def _cache(run: Run, target: Target, good: Rows) -> str | None:
    """Of a target that uses a prompt cache on purpose."""
    stems = [p for p in in_it(good["payload"]) if caches_on_purpose(run, target, p)]
    good = good[good["payload"].isin(stems)]
    whole = float(prompt_total(good).sum())
    if not whole:
        return None
    share = float(good["cache_read_tokens"].sum()) / whole
    if not share:
        return (
            "it asks for a prompt cache, and no prompt token was read from one: the part to cache may be shorter than the least that "
            "the model caches, or the service does not say."
        )
    asked = [v.cache_asked.share for v in run.manifest.stages if v.target == target.name and v.cache_asked]
    wanted = (
        f", where the scenario asks for {' to '.join(dict.fromkeys(map(show.percent, (min(asked), max(asked)))))}"
        if asked
        else ""
    )
    return (
        f"it uses a prompt cache on purpose: {show.percent(share)} of the prompt tokens were read from it{wanted}. Latency, TTFT and "
        "cost are those of warm prompts, repeated prompts included."
    )
