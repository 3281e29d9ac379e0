"""Why the prompts and answers of a stage were not what was asked for: repeated, cached otherwise, or of other lengths."""

import typing

import pandas as pd

from analysis.runs.stage import Stage
from analysis.runs.token_totals import prompt_total
from analysis.verdicts.cache_purpose import caches_on_purpose
from analysis.verdicts.caution import Caution, caution
from analysis.verdicts.session_cautions import cache_reads_of_new_prompts
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.words.stage_figures import StageFigures

TEMPLATE_TOKENS = 64  # that a chat template may add to a prompt, and is not asked for


def prompt_cautions(stage: Stage, found: StageFigures) -> typing.Iterator[Caution]:
    """Repeats and caches. A cache that is asked for is judged by what is asked; else none is expected."""
    prompts, reads = found.instrument, found.tokens.cache_read_share
    if found.sessions.there and reads:
        reads = cache_reads_of_new_prompts(stage.good)
    if stage.visit.cache_asked is not None:
        yield from _cache_cautions(stage, reads)
        return
    # which is what is measured, and said in a note
    warm = caches_on_purpose(stage.run, stage.target, stage.visit.payload)
    repeats = prompts.prompt_repeat_share or 0.0
    # behind a `prefix:` no two requests are alike
    if not warm and stage.target.prefix is None and repeats > THRESHOLDS["prompt_repeats"].limit:
        yield caution("prompts_repeated", share=repeats, distinct=prompts.prompts_distinct or 0)
    if not warm and (reads or 0.0) > THRESHOLDS["cache_reads"].limit:
        yield caution("cache_reads", share=reads or 0.0)


def _cache_cautions(stage: Stage, reads: float | None) -> typing.Iterator[Caution]:
    asked, near = stage.visit.cache_asked, THRESHOLDS["cache_asked"].limit
    if asked is None or stage.good.empty:
        return
    if reads is None or stage.good["cache_read_tokens"].isna().all():
        yield caution("cache_untold", asked=asked.share)
    elif reads < asked.share - asked.leeway - near:
        yield caution("cache_below", share=reads, asked=asked.share)
    elif reads > asked.share + near:
        yield caution("cache_above", share=reads, asked=asked.share)


def length_cautions(stage: Stage) -> typing.Iterator[Caution]:
    """Where lengths were asked for."""
    good, limit = stage.good, THRESHOLDS["lengths"].limit
    fit = stage.visit.trace_fit
    if fit is None or fit.off <= THRESHOLDS["trace_lengths"].limit:  # else that is said already
        prompts = _off(prompt_total(good), good["asked_prompt_tokens"], TEMPLATE_TOKENS)
        if prompts and prompts[2] > limit:
            yield caution("prompt_lengths", asked=prompts[0], sent=prompts[1], off=prompts[2])
    answers = _off(good["completion_tokens"], good["asked_completion_tokens"], 1)
    if answers and answers[2] > limit:
        yield caution("answer_lengths", asked=answers[0], made=answers[1], off=answers[2])


def _off(found: pd.Series, asked: pd.Series, leeway: int) -> tuple[float, float, float] | None:
    """(mean asked, mean found, sum of |found - asked| beyond the leeway / sum of asked); None where nothing was asked."""
    both = found.notna() & asked.notna()
    if not both.any():
        return None
    found, asked = found[both], asked[both]
    beyond = ((found - asked).abs() - leeway).clip(lower=0)
    return float(asked.mean()), float(found.mean()), float(beyond.sum() / asked.sum())
