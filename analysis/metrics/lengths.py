"""Lengths achieved beside lengths asked for."""

import pandas as pd

from analysis.runs.rows import Rows
from analysis.runs.token_totals import prompt_total
from analysis.words.length_figures import LengthFigures

WITHIN = 0.02


def length_figures(good: Rows) -> LengthFigures:
    """Of successes."""
    prompt = _compared(prompt_total(good), good["asked_prompt_tokens"])
    answer = _compared(good["completion_tokens"], good["asked_completion_tokens"])
    return LengthFigures(
        asked_prompt_tokens_mean=prompt[0],
        prompt_length_ratio=prompt[1],
        prompt_length_share=prompt[2],
        asked_completion_tokens_mean=answer[0],
        completion_length_ratio=answer[1],
        completion_length_share=answer[2],
    )


def _compared(found: pd.Series, asked: pd.Series) -> tuple[float | None, float | None, float | None]:
    """(mean asked, sum found / sum asked, share within WITHIN)."""
    both = found.notna() & asked.notna()
    if not both.any():
        return None, None, None
    found, asked = found[both], asked[both]
    near = (found - asked).abs() <= WITHIN * asked
    return float(asked.mean()), float(found.sum() / asked.sum()), float(near.mean())
