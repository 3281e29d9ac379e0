"""The recommendation of each model as a table."""

import pandas as pd

from analysis.advice.recommend import Recommendation
from analysis.verdicts.stage_results import Result
from analysis.words.level import level_text
from analysis.words.user_perceived import perceived
from analysis.words.value_text import instances_of

COLUMNS = (
    "Model", "Target", "Level", "Instance", "USD per 10,000", "Latency p95 (s)", "Transactions per minute", "Error rate", "Verdict",
    "Mind", "Runner-up", "Margin", "Tie",
)  # fmt: skip


def model_table(best: Recommendation, candidates: list[Result]) -> pd.DataFrame:
    """A row a model; empty where there is one alone. A model of which none can be recommended has the reason."""
    by_key = {c.key: c for c in candidates}
    rows: list[dict[str, object]] = []
    for one in best.by_model:
        if one.pick is None:
            rows.append({"Model": one.model, "Mind": one.text})
            continue
        pick, other = by_key[one.pick], None if one.runner_up is None else by_key[one.runner_up]
        figures = pick.figures
        rows.append(
            {
                "Model": one.model,
                "Target": pick.who.replace("`", ""),
                "Level": level_text(figures),
                "Instance": instances_of(figures),
                "USD per 10,000": figures.cost.usd_per_10k_transactions,
                "Latency p95 (s)": perceived(figures).latency.p95,
                "Transactions per minute": figures.throughput.transactions_per_minute,
                "Error rate": perceived(figures).error_rate,
                "Verdict": figures.trust.verdict,
                "Mind": one.label or "",
                "Runner-up": f"{other.who} at {level_text(other.figures)}".replace("`", "") if other else None,
                "Margin": one.margin,
                "Tie": one.tie,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
