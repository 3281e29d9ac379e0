"""What searches found: the highest level that keeps the limits, with the stages that say so as evidence."""

import pandas as pd

from analysis.advice.report_model import Found
from analysis.runs.run_reader import Run
from analysis.verdicts.stage_results import Result
from analysis.words.level import level_text, value_of
from locustfiles.contract.manifest import Finding

#: of the steps table, beside each stage of the evidence
FIGURES = (
    "requests", "error_rate", "latency_p50_s", "latency_p50_low_s", "latency_p50_high_s", "latency_p95_s",
    "latency_p95_low_s", "latency_p95_high_s", "latency_p99_s", "latency_p99_low_s", "latency_p99_high_s", "ttft_p50_s",
    "ttft_p95_s", "ttft_p95_low_s", "ttft_p95_high_s", "throughput_per_s", "throughput_low", "throughput_high",
    "batches", "usd_per_transaction", "verdict", "reasons",
)  # fmt: skip
COLUMNS = ("stage", "users", "rate", "visit", "outcome", *FIGURES)
NOT_CONFIRMED = (
    "not confirmed: the boundary was not measured twice with the same outcome, or the search ran out of time; take the answer "
    "as a guess"
)


def findings_of(runs: list[Run], results: list[Result]) -> list[Found]:
    """Every search of the runs."""
    rows = {(r.key.run, r.key.stage): r.row for r in results}
    return [_found(run.name, finding, rows) for run in runs for finding in run.manifest.findings]


def _found(run: str, finding: Finding, rows: dict) -> Found:
    evidence, visits = [], {}
    for stage in finding.stages:
        row = rows.get((run, stage))
        if row is None:  # of a part that was cut short
            continue
        level = f"{value_of(row):g}"
        visit = visits[level] = visits.get(level, 0) + 1
        told = finding.outcomes.get(level, [])
        outcome = told[visit - 1] if visit <= len(told) else None
        evidence.append({"visit": visit, "outcome": outcome} | {n: row[n] for n in COLUMNS if n in row})
    table = pd.DataFrame(evidence, columns=list(COLUMNS)).sort_values(["users", "rate", "visit"], ignore_index=True)
    text = f"`{finding.target}` on `{finding.payload}`: {finding.text}."
    return Found(
        run, finding.target, finding.payload, finding.of, finding.answer, finding.fails_at, finding.confirmed, finding.why, text,
        _warnings(finding, table), table.astype({"users": "Int64", "rate": "float64"}),
    )  # fmt: skip


def _warnings(finding: Finding, evidence: pd.DataFrame) -> list[str]:
    warnings = [] if finding.confirmed else [NOT_CONFIRMED]
    for verdict in ("INVALID", "SUSPECT"):
        some = evidence[evidence["verdict"] == verdict]
        if len(some):
            levels = ", ".join(dict.fromkeys(level_text(row) for _, row in some.iterrows()))
            warnings.append(f"{len(some)} of its {len(evidence)} stages are {verdict} ({levels})")
    return warnings


def findings_table(found: list[Found]) -> pd.DataFrame:
    """A row a stage of the evidence, with the finding that it belongs to."""
    columns = ["run", "target", "payload", "of", "answer", "fails_at", "confirmed", "text"]
    rows = [
        [getattr(f, name) for name in columns] + ["; ".join(f.warnings), *row]
        for f in found
        for row in f.evidence.itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=[*columns, "warnings", *COLUMNS])
