"""Tables of a run as text cells, for HTML and Markdown."""

import pandas as pd

from analysis.advice.repeats import FIGURES, WHO
from analysis.advice.report_model import Found
from analysis.metrics.token_counts import OUTPUT_SOURCES, PROMPT_SOURCES
from analysis.words import format as show
from analysis.words.level import level_text
from analysis.words.value_text import cells


def shown_workers(workers: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """The same as text cells."""
    shown = pd.DataFrame(
        {
            "Run": workers["run"],
            "Stage": workers["stage"].map(show.count),
            "Target": workers["target"],
            "Dataset": workers["payload"],
            "Level": [level_text(row) for _, row in workers.iterrows()],
            "Worker": workers["worker"],
            "Host": workers["host"],
            "CPU, of one core": workers["cpu"].map(show.percent),
            "Event-loop lag in the window, most": workers["lag_ms"].map(show.milliseconds),
        }
    )
    return shown if several_runs else shown.drop(columns="Run")


def shown_sources(sources: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """`token_sources` as text cells."""
    shown = {"Run": sources["run"], "Target": sources["target"], "Successes": sources["successes"].map(show.count)}
    for kind, names in (("prompt", PROMPT_SOURCES), ("output", OUTPUT_SOURCES)):
        for name in names:
            words = {"none": "nobody", "payload": "the payload file"}.get(name, f"the {name}")
            shown[f"{kind.capitalize()}: by {words}"] = sources[f"{kind}_{name}_share"].map(show.percent)
    return pd.DataFrame(shown).drop(columns=[] if several_runs else "Run")


def shown_comparison(comparison: pd.DataFrame, several_runs: bool) -> pd.DataFrame:
    """`comparison_table` as text cells."""
    words = {"equal": "within 5 %", "differ": "not the model's tokenizer"}
    shown = pd.DataFrame(
        {
            "Run": comparison["run"],
            "Target": comparison["target"],
            "Tokenizer": comparison["tokenizer"],
            "Counts": comparison["counts"],
            "Records with both": comparison["records"].map(show.count),
            "Constant, tokens": comparison["constant_tokens"].map(show.number),
            "Difference after it, median": comparison["residual_p50"].map(show.percent),
            "p95": comparison["residual_p95"].map(show.percent),
            "Service tokens per tokenizer token": comparison["slope"].map(show.number),
            "Finding": comparison["state"].map(lambda s: words.get(s, s)),
        }
    )
    return shown if several_runs else shown.drop(columns="Run")


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


#: shown of it
EVIDENCE = {
    "Level": level_text, "Outcome": lambda row: show.text(row["outcome"]), "Stage": "stage", "Requests": "requests",
    "Error rate": "error_rate", "Latency p50": "latency_p50_s", "p95": "latency_p95_s", "p99": "latency_p99_s",
    "TTFT p95": "ttft_p95_s", "Transactions/s": "throughput_per_s", "Verdict": "verdict",
}  # fmt: skip


def shown_evidence(found: Found) -> pd.DataFrame:
    """The evidence as text cells, a row a stage, by level."""
    return cells(found.evidence, EVIDENCE)
