"""Repetitions of a level side by side, and how far they lie apart."""

import pandas as pd

from analysis.verdicts.pooled_repeats import groups_of
from analysis.verdicts.stage_results import Result
from analysis.words import format as show

#: of the steps table -> its words and how it is shown
FIGURES = {
    "throughput_per_s": ("Transactions/s", show.number),
    "latency_p50_s": ("Latency p50", show.seconds),
    "latency_p95_s": ("Latency p95", show.seconds),
    "usd_per_transaction": ("Price per transaction", show.money),
}
ROUNDING = 1e-12  # of sums
WHO = ["run", "target", "payload", "users", "rate"]
COLUMNS = [*WHO, "repetition", "stage", *FIGURES, "slo", "verdict"]
SPREAD_COLUMNS = [*WHO, "figure", "repetitions", "mean", "sd", "min", "max"]


def repeats_table(results: list[Result]) -> pd.DataFrame:
    """A row a stage of every level that was measured more than once; `repetition` counts from 1 in the order measured."""
    rows = []
    for group in groups_of(results):
        for number, r in enumerate(group if len(group) > 1 else (), 1):
            figures = [r.row[name] for name in ("stage", *FIGURES, "slo", "verdict")]
            rows.append([*(r.row[name] for name in WHO), number, *figures])
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"users": "Int64", "rate": "float64"} | dict.fromkeys(FIGURES, "float64")
    )


def spread_table(repeats: pd.DataFrame) -> pd.DataFrame:
    """A row a level and figure: mean, standard deviation (n - 1), min and max between the repetitions that are not INVALID."""
    rows = []
    for who, group in repeats[repeats["verdict"] != "INVALID"].groupby(WHO, sort=False, dropna=False):
        for name in FIGURES:
            known = group[name].dropna()
            sd = known.std(ddof=1) if len(known) > 1 else None
            if sd is not None and sd < ROUNDING * known.mean():
                sd = 0.0
            if len(known):
                rows.append([*who, name, len(known), known.mean(), sd, known.min(), known.max()])
    return pd.DataFrame(rows, columns=SPREAD_COLUMNS).astype({"users": "Int64", "rate": "float64"})
