"""Who counted the tokens, and whether a target's tokenizer counts as its service does."""

import functools
import typing

import numpy as np
import pandas as pd

from analysis.runs.rows import Rows
from analysis.runs.run_reader import Run
from analysis.runs.token_totals import prompt_total
from analysis.words import format as show
from locustfiles.contract.scenario.targets import Target

PROMPT_SOURCES = ("service", "tokenizer", "payload", "none")
OUTPUT_SOURCES = ("service", "tokenizer", "none")
MAX_DIFFERENCE = 0.05  # of the service's count, median, after the constant
MIN_RECORDS = 10
TOO_FEW: typing.Final = "too few to compare"
MIN_COUNTS = 3  # different counts by the tokenizer: one count alone always fits a constant
#: stop reasons of answers whose output is not all text
TOOL_STOPS = ("tool_use", "tool_calls")


Counts = typing.Literal["prompt", "output"]


class Sources(typing.NamedTuple):
    """One target of a run: the share of each source among its measured successes."""

    run: str
    target: str
    successes: int
    prompt: dict[str, float]  # by PROMPT_SOURCES
    output: dict[str, float]  # by OUTPUT_SOURCES


class Comparison(typing.NamedTuple):
    """Service against tokenizer counts of one target's prompts or outputs.

    constant = median(service - tokenizer): the chat template; for outputs the end-of-text token.
    residual = |service - tokenizer - constant| / service.
    slope: tokens by the service for each further token by the tokenizer (least squares), which the constant would
    hide; of prompts only, for outputs end at max_tokens whatever is counted.
    """

    run: str
    target: str
    tokenizer: str | None
    counts: Counts
    records: int  # that have both counts
    distinct: int  # different counts by the tokenizer
    constant_tokens: float | None
    residual_p50: float | None
    residual_p95: float | None
    slope: float | None
    state: typing.Literal["equal", "differ", "too few to compare"]

    @property
    def warning(self) -> str | None:
        if self.state != "differ":
            return None
        grows = (
            ""
            if self.slope is None
            else f", and the service counts {show.number(self.slope)} for each further one of its tokens"
        )
        return (
            f"Run {self.run}, `{self.target}`: tokenizer `{self.tokenizer}` is not the model's: its {self.counts} counts "
            f"differ from the service's by {show.percent(self.residual_p50)} (median; p95 {show.percent(self.residual_p95)}) "
            f"after the constant of {show.number(self.constant_tokens)} tokens{grows}; what it alone counted is wrong by as much."
        )


def token_sources(runs: list[Run]) -> list[Sources]:
    """Of every target with successes."""
    found = []
    for run in runs:
        records = run.of_stages
        good = records[records["error"].isna() & (records["phase"] == "measure")]
        for target in run.scenario.targets:
            mine = good[good["target"] == target.name]
            if len(mine):
                prompt = {s: float((mine["prompt_token_source"] == s).mean()) for s in PROMPT_SOURCES}
                output = {s: float((mine["token_source"] == s).mean()) for s in OUTPUT_SOURCES}
                found.append(Sources(run.name, target.name, len(mine), prompt, output))
    return found


def comparisons(runs: list[Run]) -> list[Comparison]:
    """Prompts and outputs of every target that has a tokenizer and successes."""
    found = []
    for run in runs:
        for target in run.scenario.targets:
            if target.tokenizer is None:
                continue
            good = Rows(run.records)[(run.records["target"] == target.name) & run.records["error"].isna()]
            if len(good):
                prompts, outputs = _prompts(good), _outputs(good)
                found += [_compare(run, target, "prompt", *prompts), _compare(run, target, "output", *outputs)]
    return found


def _prompts(good: Rows) -> tuple[pd.Series, pd.Series]:
    """(service, tokenizer) counts of whole prompts."""
    good = good[good["prompt_token_source"] == "service"]
    return prompt_total(good), good["tokenizer_prompt_tokens"]


def _outputs(good: Rows) -> tuple[pd.Series, pd.Series]:
    """(service, tokenizer) counts of the visible text: answers whose reasoning or tool input has no count are left out."""
    reasoned = (good["hidden_reasoning"] == 1) | (good["ttft_visible_ms"] > good["ttft_ms"])
    unknown = (reasoned & good["reasoning_tokens"].isna()) | good["stop_reason"].isin(TOOL_STOPS)
    good = good[(good["token_source"] == "service") & ~unknown]
    return good["completion_tokens"] - good["reasoning_tokens"].fillna(0), good["tokenizer_completion_tokens"]


def _compare(run: Run, target: Target, counts: Counts, service: pd.Series, tokenizer: pd.Series) -> Comparison:
    both = service.notna() & tokenizer.notna() & (service > 0)
    service, tokenizer = service[both], tokenizer[both]
    n, distinct = len(service), int(tokenizer.nunique())
    who = functools.partial(Comparison, run.name, target.name, target.tokenizer, counts, n, distinct)
    if n < MIN_RECORDS or distinct < MIN_COUNTS:
        return who(None, None, None, None, TOO_FEW)
    constant = float((service - tokenizer).median())
    residual = (service - tokenizer - constant).abs() / service
    middle, tail = float(residual.median()), float(residual.quantile(0.95))
    slope, error = _slope(tokenizer.to_numpy(), service.to_numpy()) if counts == "prompt" else (None, 0.0)
    off = middle > MAX_DIFFERENCE or (slope is not None and abs(slope - 1) - 2 * error > MAX_DIFFERENCE)
    return who(constant, middle, tail, slope, "differ" if off else "equal")


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope of y on x by least squares, and its standard error."""
    dx, dy = x - x.mean(), y - y.mean()
    squares = float((dx**2).sum())
    slope = float((dx * dy).sum()) / squares
    return slope, float(np.sqrt(((dy - slope * dx) ** 2).sum() / (len(x) - 2) / squares))
