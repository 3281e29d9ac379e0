"""A Report as plain data: summary.json, steps.csv and tables/*.csv."""

import dataclasses
import datetime
import enum
import json
import pathlib
import typing

import numpy as np
import pandas as pd

from analysis.advice.report_model import Report
from analysis.advice.search_findings import Found
from analysis.report.frames import evidence_table, findings_table, tables_of
from analysis.words.columns import METRICS, TURN_METRICS
from analysis.words.safe_text import for_spreadsheets


def plain(value: typing.Any) -> typing.Any:
    """JSON-ready: DataFrames as lists of rows, dataclasses as objects, what is not known as null, infinity as "inf"."""
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        if value == np.inf:  # a percentile among failures
            return "inf"
        return value if np.isfinite(value) else None
    return value


def summary_of(report: Report, tables: dict[str, pd.DataFrame] | None = None) -> dict[str, typing.Any]:
    """Everything that the report says, as one object. tables: of tables_of(), where they have been made."""
    tables = tables_of(report) if tables is None else tables
    first = ("candidates", "candidate_intervals", "mixes", "ramps", "repeats", "repeat_spread", "sentences", "failed")
    return plain(
        {
            "made_at": report.made_at,
            "made_by": report.made_by,
            "dataset": report.dataset,
            "recommendation": plain(report.recommendation) | {"text": report.recommendation.text},
            "findings": [_finding(f) for f in report.findings],
            **{name: tables[name] for name in first},
            **{name: tables[name] for name in ("steps", "turns", "criteria", "intervals")},
            "knees": tables["knees"],
            "knee_reasons": report.knee_reasons,
            "service": tables["service"],
            "break_even": report.break_even,
            "break_even_prices": tables["break_even_prices"],
            **{name: tables[name] for name in ("run_cost", "cost_parts")},
            "total_cost_usd": report.total_cost,
            "total_cost_usd_low": report.total_cost_low,
            "total_cost_usd_high": report.total_cost,
            "endpoints": report.endpoints,
            "token_sources": tables["token_sources"],
            "token_comparison": tables["token_comparison"],
            "workers": tables["workers"],
            "retries": report.retries,
            "cut": report.cut,
            "not_compared": report.not_compared,
            "open_loop": report.open_loop,
            "tables": report.tables,
            "notes": report.notes,
            "instrument": report.instrument,
            "slo": report.slo,
            "pricing": report.pricing,
            "prices": tables["prices"],
            "runs": report.runs,
            **{name: [m.told for m in of] for name, of in (("metrics", METRICS), ("turn_metrics", TURN_METRICS))},
        }
    )


def _finding(found: Found) -> dict[str, typing.Any]:
    names = [f.name for f in dataclasses.fields(found)]
    return {name: getattr(found, name) for name in names} | {"evidence": evidence_table(found.evidence)}


def write_data(report: Report, folder: pathlib.Path) -> None:
    """Write summary.json, steps.csv and tables/*.csv into `folder`; older tables there are removed."""
    tables = folder / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    for old in tables.glob("*.csv"):
        old.unlink()
    made = tables_of(report)
    text = json.dumps(summary_of(report, made), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    for_spreadsheets(made["steps"]).to_csv(folder / "steps.csv", index=False)
    for name, table in all_tables(report, made).items():
        for_spreadsheets(table).to_csv(tables / f"{name}.csv", index=False)


def all_tables(report: Report, made: dict[str, pd.DataFrame] | None = None) -> dict[str, pd.DataFrame]:
    """name -> table, of every table beside the steps. made: of tables_of(), where they have been made."""
    tables = report.tables | (tables_of(report) if made is None else made)
    tables.pop("steps")
    if report.findings:
        tables["findings"] = findings_table(report.findings)
    for i, pair in enumerate(report.break_even, start=1):
        suffix = f"_{i}" if len(report.break_even) > 1 else ""
        tables[f"break_even_curve{suffix}"] = pair.curve
    return {name: table for name, table in tables.items() if len(table.columns)}
