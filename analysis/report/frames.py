"""What an analysis found as data frames: steps.csv, tables/*.csv and the lists of summary.json are written from these."""

import dataclasses
import typing

import pandas as pd

from analysis.advice.even_lines import EvenLine
from analysis.advice.knee import Knee
from analysis.advice.repeats import FIGURES, RepeatedLevel
from analysis.advice.report_model import Report
from analysis.advice.search_findings import Evidence, Found
from analysis.advice.target_sentences import Sentence
from analysis.cost.price_rows import PriceRow
from analysis.cost.run_cost import CostPart, RunCost
from analysis.metrics.token_counts import OUTPUT_SOURCES, PROMPT_SOURCES, Comparison, Sources
from analysis.metrics.worker_load import WorkerInStage
from analysis.report.mix_tables import mix_rows
from analysis.report.ramp_tables import slice_rows
from analysis.report.service_tables import service_rows
from analysis.verdicts.stage_results import Result
from analysis.words.columns import METRICS, STEP_COLUMNS, TURN_METRICS, Column, columns, row_of, turn_row_of

KINDS = {"count": "Int64", "number": "float64", "flag": "boolean"}
LEVEL = {"users": "Int64", "rate": "float64"}  # kinds of a level's columns, one of which is empty
WHO = columns(lambda f: (f.run, f.identity.target, f.identity.payload, f.users, f.rate))
OUTCOME = columns(lambda f: (f.limits.slo, f.trust.verdict))
#: beside each stage of a finding's evidence
EVIDENCE = columns(
    lambda f: (
        f.outcome.requests, f.outcome.error_rate, f.latency.p50, f.latency.p50_low, f.latency.p50_high, f.latency.p95,
        f.latency.p95_low, f.latency.p95_high, f.latency.p99, f.latency.p99_low, f.latency.p99_high, f.ttft.p50,
        f.ttft.p95, f.ttft.p95_low, f.ttft.p95_high, f.throughput.throughput_per_s, f.throughput.throughput_low,
        f.throughput.throughput_high, f.throughput.batches, f.cost.usd_per_transaction, f.trust.verdict, f.trust.reasons,
    )
)  # fmt: skip
#: of a finding, with each stage of its evidence
FINDING = ("run", "target", "payload", "of", "answer", "fails_at", "confirmed", "text")


Row = typing.TypeVar("Row", bound=typing.NamedTuple)


def frame_of(kind: type[Row], rows: typing.Sequence[Row], **types: str) -> pd.DataFrame:
    """Named tuples of a kind, a column a field; also of none."""
    return pd.DataFrame(rows, columns=list(kind._fields)).astype(types)


def steps_table(results: list[Result]) -> pd.DataFrame:
    """A row a stage, the columns of METRICS; whole numbers as Int64, not known as NA."""
    rows, kinds = [row_of(r.figures) for r in results], {m.name: KINDS.get(m.kind) for m in METRICS}
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kinds[name]) for name in STEP_COLUMNS})


def turns_table(results: list[Result]) -> pd.DataFrame:
    """A row a stage of conversations and turn number, the columns of TURN_METRICS; without columns where there is none."""
    rows = [turn_row_of(turn) for r in results for turn in r.turns]
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(
        {m.name: pd.Series([row[m.name] for row in rows], dtype=KINDS.get(m.kind)) for m in TURN_METRICS}
    )


def intervals_table(results: list[Result]) -> pd.DataFrame:
    """A row a stage and column that has a 95 % interval."""
    rows = [[r.key.run, r.key.stage, column.name, *ends] for r in results for column, ends in r.intervals.items()]
    return pd.DataFrame(rows, columns=["run", "stage", "column", "low", "high"])


def criteria_table(results: list[Result]) -> pd.DataFrame:
    """A row a stage and limit."""
    rows = [
        {
            **dataclasses.asdict(r.key),
            "criterion": c.criterion.name,
            "words": c.criterion.text,
            "limit": c.criterion.limit,
            "value": c.value,
            "state": c.state,
            "why": c.why,
            "cell": c.cell,
        }
        for r in results
        for c in r.checks
    ]
    columns = ["run", "stage", "criterion", "words", "limit", "value", "state", "why", "cell"]
    return pd.DataFrame(rows, columns=columns)


def failed_table(failed: list[Result]) -> pd.DataFrame:
    """Stages that missed a limit, a cell per limit: its value and ✓, ✗ or ?; or ? and why the value is not known."""
    who = columns(lambda f: (f.run, f.identity.stage, f.identity.target, f.identity.payload, f.users, f.rate))
    return pd.DataFrame([_cells(r, who) | {c.criterion.text: c.cell for c in r.checks} for r in failed])


def _cells(result: Result, of: typing.Iterable[Column]) -> dict[str, typing.Any]:
    return {column.name: column.of(result.figures) for column in of}


def repeats_table(levels: list[RepeatedLevel]) -> pd.DataFrame:
    """A row a stage of every level that was measured more than once; `repetition` counts from 1 in the order measured."""
    stage = columns(lambda f: (f.identity.stage,))
    rows = [
        _cells(r, WHO) | {"repetition": number} | _cells(r, (*stage, *FIGURES, *OUTCOME))
        for level in levels
        for number, r in enumerate(level.repetitions, 1)
    ]
    names = [*(c.name for c in WHO), "repetition", *(c.name for c in (*stage, *FIGURES, *OUTCOME))]
    return pd.DataFrame(rows, columns=names).astype(LEVEL | {c.name: "float64" for c in FIGURES})


def spread_table(levels: list[RepeatedLevel]) -> pd.DataFrame:
    """A row a level and figure: how far its repetitions lie apart."""
    rows = [
        _cells(level.repetitions[0], WHO) | {"figure": column.name} | apart._asdict()
        for level in levels
        for column, apart in level.apart.items()
    ]
    names = [*(c.name for c in WHO), "figure", "repetitions", "mean", "sd", "min", "max"]
    return pd.DataFrame(rows, columns=names).astype(LEVEL)


def evidence_table(evidence: list[Evidence]) -> pd.DataFrame:
    """A row a stage that was measured for a finding, by level."""
    where = columns(lambda f: (f.identity.stage, f.users, f.rate))
    rows = [
        _cells(e.result, where) | {"visit": e.visit, "outcome": e.outcome} | _cells(e.result, EVIDENCE)
        for e in evidence
    ]
    names = [*(c.name for c in where), "visit", "outcome", *(c.name for c in EVIDENCE)]
    return pd.DataFrame(rows, columns=names).astype(LEVEL)


def findings_table(found: list[Found]) -> pd.DataFrame:
    """A row a stage of the evidence, with the finding that it belongs to."""
    rows = [
        [getattr(f, name) for name in FINDING] + ["; ".join(f.warnings), *row]
        for f in found
        for row in evidence_table(f.evidence).itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=[*FINDING, "warnings", *evidence_table([]).columns])


def sources_table(sources: list[Sources]) -> pd.DataFrame:
    """A row per run and target: the share of each source among the measured successes."""
    rows = [[s.run, s.target, s.successes, *s.prompt.values(), *s.output.values()] for s in sources]
    shares = [f"prompt_{source}_share" for source in PROMPT_SOURCES]
    shares += [f"output_{source}_share" for source in OUTPUT_SOURCES]
    return pd.DataFrame(rows, columns=["run", "target", "successes", *shares])


def tables_of(report: Report) -> dict[str, pd.DataFrame]:
    """Name -> table, of every table that summary.json lists beside the study's."""
    candidates = report.candidates if report.pooled else []
    return {
        "steps": steps_table(report.results),
        "candidates": steps_table(candidates) if candidates else pd.DataFrame(),
        "candidate_intervals": intervals_table(candidates) if candidates else pd.DataFrame(),
        "turns": turns_table(report.results),
        "mixes": mix_rows(report.mixes),
        "ramps": slice_rows(report.ramps),
        "service": service_rows(report.service),
        "repeats": repeats_table(report.repeats),
        "repeat_spread": spread_table(report.repeats),
        "sentences": frame_of(Sentence, report.sentences, **LEVEL),
        "failed": failed_table(report.failed),
        "criteria": criteria_table(report.results),
        "intervals": intervals_table(report.results),
        "knees": frame_of(Knee, report.knees, **LEVEL),
        "run_cost": frame_of(RunCost, report.run_cost).drop(columns="parts"),
        "cost_parts": frame_of(CostPart, [part for cost in report.run_cost for part in cost.parts], above="Int64"),
        "break_even_prices": frame_of(EvenLine, report.even_lines),
        "prices": frame_of(PriceRow, report.prices),
        "token_sources": sources_table(report.token_sources),
        "token_comparison": frame_of(Comparison, report.token_comparison),
        "workers": frame_of(WorkerInStage, report.workers),
    }
