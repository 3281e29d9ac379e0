"""Repetitions of a level side by side, and how far they lie apart."""

import pandas as pd

from analysis import format as show
from analysis.level import level_text
from analysis.pool import groups_of
from analysis.results import Result

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
    return pd.DataFrame(rows, columns=COLUMNS).astype({"users": "Int64", "rate": "float64"} | dict.fromkeys(FIGURES, "float64"))


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


def shown_repeats(repeats: pd.DataFrame, spread: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """Text cells: each level's repetitions, then mean, standard deviation and range."""
    rows = []
    for who, group in repeats.groupby(WHO, sort=False, dropna=False):
        named = dict(zip(WHO, who))
        lead = {"Run": named["run"], "Target": named["target"], "Dataset": named["payload"], "Level": level_text(named)}
        for _, row in group.iterrows():
            cells = {words: form(row[name]) for name, (words, form) in FIGURES.items()}
            what = {"Repetition": f"{row['repetition']} (stage {row['stage']})"}
            rows.append(lead | what | cells | {"Limits": row["slo"], "Verdict": row["verdict"]})
        same = [(spread[c] == v) | (spread[c].isna() & pd.isna(v)) for c, v in named.items()]
        mine = spread[pd.concat(same, axis=1).fillna(False).all(axis=1)].set_index("figure")
        for words in ("mean", "sd", "min to max") if len(mine) else ():
            cells = {title: _spread(mine, name, words, form) for name, (title, form) in FIGURES.items()}
            rows.append(lead | {"Repetition": words} | cells | {"Limits": "", "Verdict": ""})
    table = pd.DataFrame(rows)
    return table if several_runs or table.empty else table.drop(columns="Run")


def _spread(mine: pd.DataFrame, figure: str, words: str, form) -> str:
    if figure not in mine.index:
        return show.UNKNOWN
    row = mine.loc[figure]
    if words == "min to max":
        return f"{form(row['min'])} to {form(row['max'])}"
    return form(row[words])
