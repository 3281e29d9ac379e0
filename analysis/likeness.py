"""Like for like: whether targets on one dataset can be compared per token at all."""

import numpy as np
import pandas as pd

from analysis import format as show

MOST_OUTPUT_DIFFERENCE = 0.10
MOST_COUNT_DIFFERENCE = 0.02


def likeness(records: pd.DataFrame, dataset: str) -> list[str]:
    """Warnings on comparing the targets of one dataset, a sentence each; records of all runs."""
    good = records[(records["payload"] == dataset) & (records["phase"] == "measure") & records["error"].isna()]
    return _output_lengths(good) + _token_counts(good)


def _output_lengths(good: pd.DataFrame) -> list[str]:
    means = good.groupby("target", sort=False)["completion_tokens"].mean().dropna()
    if len(means) < 2 or means.max() <= (1 + MOST_OUTPUT_DIFFERENCE) * means.min():
        return []
    shown = ", ".join(f"`{target}` {show.number(mean)}" for target, mean in means.items())
    return [
        f"Mean output tokens differ by more than 10 % ({shown}): compare the targets per transaction, not per token."
    ]


def _token_counts(good: pd.DataFrame) -> list[str]:
    """Targets that count the same prompts differently have different tokenizers or chat templates."""
    good = good[good["prompt_token_source"] != "payload"]  # what the file says is no target's count
    counts = good.groupby(["target", "prompt_id"], sort=False)["prompt_tokens"].mean().unstack("target")
    targets, warnings = list(counts.columns), []
    for i, one in enumerate(targets):
        for other in targets[i + 1 :]:
            both = counts[[one, other]].dropna()
            both = both[both[one] > 0]
            if both.empty:
                continue
            ratio = float(np.median(both[other] / both[one]))
            if abs(ratio - 1) > MOST_COUNT_DIFFERENCE:
                change = f"{show.percent(abs(ratio - 1))} {'more' if ratio > 1 else 'fewer'}"
                warnings.append(
                    f"`{other}` counts {change} tokens than `{one}` in the same prompts (another tokenizer or chat "
                    "template): compare them per transaction, not per token."
                )
    return warnings
