"""Like for like: what keeps the targets of one dataset, or runs, from being compared as they are."""

import itertools
import typing

import numpy as np
import pandas as pd

from analysis.cost.pricing import Prices, price_text
from analysis.runs.rows import Rows
from analysis.runs.run_reader import Run
from analysis.runs.texts import codes_of
from analysis.runs.token_totals import prompt_total
from analysis.verdicts.place import prompts_of
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.level import LevelKind, kind_of
from locustfiles.contract.scenario.families import other_work
from locustfiles.contract.scenario.prefix import Prefix

MAX_OUTPUT_DIFFERENCE = 0.10
MAX_COUNT_DIFFERENCE = 0.02
PAIRS = 5  # of targets that are told; of more their number


class Measured(typing.NamedTuple):
    """The successes of one target of one run on the dataset."""

    who: str  # as texts name it
    file: str | None  # SHA-256 of the payload file; None: not known
    run: str
    good: Rows
    prefix: Prefix | None  # what stands before its prompts
    work: str | None = None  # what its answers are, where they are no text


def comparability_warnings(runs: list[Run], dataset: str, prices: dict[str, Prices]) -> list[str]:
    """Warnings on comparing the targets of one dataset, a sentence each. prices: by run."""
    measured = [m for run in runs for m in _measured(run, dataset)]
    files = {m.run: m.file[:12] for m in measured if m.file is not None}
    warnings = _operations(measured) + _output_lengths(measured) + _token_counts(measured)
    if differ := _differing(files):
        warnings.append(
            f"`{dataset}` is not the same file in every run (SHA-256 {differ}): their targets were asked other prompts."
        )
    if differ := _differing({run.name: run.scenario.region for run in runs if run.scenario.region}):
        warnings.append(
            f"The runs are of different regions ({differ}), where prices and the way to the endpoint differ."
        )
    return warnings + _prices(runs, prices)


def _measured(run: Run, dataset: str) -> typing.Iterator[Measured]:
    records = run.of_stages
    good = records[(records["payload"] == dataset) & (records["phase"] == "measure") & records["error"].isna()]
    codes, targets = codes_of(good["target"])
    for code in pd.unique(codes):
        target = run.target(targets[code])
        good_of = good[codes == code]
        yield Measured(
            run.named(target.name), prompts_of(run, dataset), run.name, good_of, target.prefix, other_work(target)
        )


def _operations(measured: list[Measured]) -> list[str]:
    """Embeddings, rankings, counting tokens and guarding texts beside answers, or beside each other."""
    if len({m.work for m in measured}) < 2:
        return []
    shown = ", ".join(f"{m.who} {m.work}" for m in measured if m.work)
    return [
        f"Not all ask a model for an answer ({shown}): what does other work is no rival of one that writes, whatever it costs."
    ]


def of_like_work(candidates: list[Result], runs: typing.Mapping[str, Run]) -> list[Result]:
    """Those that may be rivals: beside models that write on the same prompts nothing that does other work. runs: by name."""
    work = [other_work(runs[run].target(target)) for run, target in (c.seat for c in candidates)]
    written = {c.payload for c, of in zip(candidates, work, strict=True) if of is None}
    return [c for c, of in zip(candidates, work, strict=True) if of is None or c.payload not in written]


def _output_lengths(measured: list[Measured]) -> list[str]:
    means = {m.who: m.good["completion_tokens"].mean() for m in measured if m.good["completion_tokens"].notna().any()}
    if len(means) < 2 or max(means.values()) <= (1 + MAX_OUTPUT_DIFFERENCE) * min(means.values()):
        return []
    shown = ", ".join(f"{who} {show.number(mean)}" for who, mean in means.items())
    return [
        f"Mean output tokens differ by more than 10 % ({shown}): compare the targets per transaction, not per token."
    ]


def _token_counts(measured: list[Measured]) -> list[str]:
    """Targets that count the same prompts differently have different tokenizers or chat templates."""
    warnings: list[str] = []
    counts = [_prompt_counts(m.good) for m in measured] if len(measured) > 1 else [pd.Series()] * len(measured)
    for (one, counted), (other, also) in itertools.combinations(zip(measured, counts, strict=True), 2):
        if (one.run != other.run and (one.file is None or one.file != other.file)) or one.prefix != other.prefix:
            continue  # equal ids may be of other prompts
        both = pd.concat([counted, also], axis=1, keys=["one", "other"]).dropna()
        both = both[both["one"] > 0]
        if both.empty:
            continue
        ratio = float(np.median(both["other"] / both["one"]))
        if abs(ratio - 1) > MAX_COUNT_DIFFERENCE:
            change = f"{show.percent(abs(ratio - 1))} {'more' if ratio > 1 else 'fewer'}"
            warnings.append(
                f"{other.who} counts {change} tokens than {one.who} in the same prompts (another tokenizer or chat "
                "template): compare them per transaction, not per token."
            )
    more = len(warnings) - PAIRS
    return warnings if more <= 0 else [*warnings[:PAIRS], f"So do {more} more pairs of targets."]


def _prompt_counts(good: Rows) -> pd.Series:
    """Prompt id -> tokens, cached ones included; without what only the payload file says, which is no target's count."""
    counted = good[good["prompt_token_source"] != "payload"]
    found = prompt_total(counted).groupby(counted["prompt_id"]).mean()
    return found.set_axis(found.index.astype("str"))


def _differing(of_run: dict[str, str]) -> str:
    """`monday us-east-1, tuesday eu-west-1`; nothing where all have the same."""
    return ", ".join(f"{run} {value}" for run, value in of_run.items()) if len(set(of_run.values())) > 1 else ""


def _prices(runs: list[Run], prices: dict[str, Prices]) -> list[str]:
    """Where the runs price one instance or model differently."""
    found: dict[str, dict[str, str]] = {}
    for run in runs:
        for target in run.scenario.targets:
            text = price_text(prices[run.name].of_target[target.name])
            found.setdefault(target.price_key or target.name, {})[run.name] = text
    return [
        f"`{key}` is not priced alike ({', '.join(f'run {run}: {text}' for run, text in texts.items())}), so its runs are not "
        "taken together; to compare by the same prices, give a price book with --pricing."
        for key, texts in found.items()
        if len(set(texts.values())) > 1
    ]


def mixed_loads(results: list[Result]) -> list[str]:
    """A warning where stages of one dataset were loaded in both ways."""
    names: dict[LevelKind, set[str]] = {"users": set(), "rate": set()}
    for r in results:
        names[kind_of(r.figures)].add(f"`{r.figures.identity.target}`")
    if not all(names.values()):
        return []
    closed, opened = (", ".join(sorted(some)) for some in names.values())
    warning = (
        f"{closed} was loaded by users (closed loop), {opened} by requests/s (open loop): a "
        "closed loop slows down with its target, so compare their latencies at the same throughput only."
    )
    return [warning]
