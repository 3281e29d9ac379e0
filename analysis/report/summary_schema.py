"""The JSON schema of summary.json, from the types that it is written from: analysis/report/summary.schema.json is this one.

Written anew by `python -m analysis.report.summary_schema`, which the tests ask for where the two differ.
"""

import dataclasses
import datetime
import json
import pathlib
import sys
import types
import typing

import pandas as pd

from analysis.advice.even_lines import EvenLine
from analysis.advice.knee import Knee
from analysis.advice.report_model import Report
from analysis.advice.target_sentences import Sentence
from analysis.cost.price_rows import PriceRow
from analysis.cost.run_cost import CostPart, RunCost
from analysis.metrics.token_counts import Comparison
from analysis.metrics.worker_load import WorkerInStage
from analysis.words.columns import METRICS, TURN_METRICS, Column
from analysis.words.service_columns import SERVICE_METRICS

FILE = pathlib.Path(__file__).parent / "summary.schema.json"
Schema = dict[str, typing.Any]

_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
_ROWS: Schema = {"type": "array", "items": {"type": "object", "additionalProperties": _SCALAR}}
#: a percentile among failures is "inf"; NaN, which is not known, is null
_NUMBER: Schema = {"anyOf": [{"type": ["number", "null"]}, {"const": "inf"}]}
_PLAIN: dict[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: _NUMBER,
    type(None): {"type": "null"},
    typing.Any: {},
    dict: {"type": "object"},
    pd.DataFrame: _ROWS,
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
}
_KINDS: dict[str, Schema] = {
    "count": {"type": ["integer", "null"]},
    "number": _NUMBER,
    "flag": {"type": ["boolean", "null"]},
    "text": {"type": ["string", "null"]},
}
#: tables whose rows are of a type; the others hold what a run gives them
_TABLES: dict[str, typing.Any] = {
    "sentences": Sentence, "knees": Knee, "cost_parts": CostPart, "break_even_prices": EvenLine, "prices": PriceRow,
    "token_comparison": Comparison, "workers": WorkerInStage,
}  # fmt: skip


_OWN_ROWS = {"turns": "turn", "service": "service"}
#: what the summary has of the report as it is
AS_THEY_ARE = (
    "dataset", "made_at", "made_by", "break_even", "endpoints", "retries", "cut", "not_compared", "open_loop", "tables", "notes",
    "instrument", "slo", "pricing", "runs",
)  # fmt: skip
OPEN_TABLES = (
    "candidate_intervals", "mixes", "ramps", "repeats", "repeat_spread", "failed", "criteria", "intervals", "token_sources",
)  # fmt: skip


def schema() -> Schema:
    """Of JSON Schema 2020-12."""
    known, defs = (
        {f.name: f.type for f in dataclasses.fields(Report)},
        {"stage": _row(METRICS), "turn": _row(TURN_METRICS), "service": _row(SERVICE_METRICS, run={"type": "string"})},
    )
    properties = {name: _of(known[name], defs) for name in AS_THEY_ARE}
    _of(known["recommendation"], defs)
    recommendation = defs["Recommendation"]["properties"] | {"text": {"type": "string"}}
    without_parts = {name: kind for name, kind in typing.get_type_hints(RunCost).items() if name != "parts"}
    properties |= {"recommendation": _closed(recommendation), "findings": _ROWS | {"items": {"type": "object"}}}
    properties |= {name: {"type": "array", "items": _of(kind, defs)} for name, kind in _TABLES.items()}
    properties |= {name: {"type": "array", "items": {"$ref": "#/$defs/stage"}} for name in ("steps", "candidates")}
    properties |= {name: {"type": "array", "items": {"$ref": f"#/$defs/{of}"}} for name, of in _OWN_ROWS.items()}
    properties |= {"knee_reasons": {"type": "array", "items": {"type": "string"}}}
    properties |= {"run_cost": {"type": "array", "items": _object(without_parts, defs)}}
    properties |= dict.fromkeys(OPEN_TABLES, _ROWS)
    properties |= dict.fromkeys(("total_cost_usd", "total_cost_usd_low", "total_cost_usd_high"), _NUMBER)
    told = {name: {"type": "string"} for name in ("name", "unit", "definition", "better", "kind")}
    properties |= {name: {"type": "array", "items": _closed(told)} for name in ("metrics", "turn_metrics")}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "summary.json of a Swarmledger report"}
    return head | {"$defs": defs} | _closed(dict(sorted(properties.items())))


def _row(columns: tuple[Column, ...], **first: Schema) -> Schema:
    """A row of steps.csv, turns.csv or service.csv, each column with its unit and definition."""
    rows = {
        m.name: _KINDS[m.kind] | {"description": f"{m.definition}{f' ({m.unit})' if m.unit else ''}"} for m in columns
    }
    return _closed(first | rows)


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _object(fields: dict[str, typing.Any], defs: Schema) -> Schema:
    return _closed({name: _of(kind, defs) for name, kind in fields.items()})


def _of(kind: typing.Any, defs: Schema) -> Schema:
    """Of values of a type, as `plain` makes them. defs: those of records, by name, to which theirs are added."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(each, defs) for each in inner]}
    if origin is list or (origin is tuple and inner[-1] is ...):
        return {"type": "array", "items": _of(inner[0], defs)}
    if origin is tuple:
        each = [_of(one, defs) for one in inner]
        return {"type": "array", "prefixItems": each, "minItems": len(inner), "maxItems": len(inner)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inner[1], defs)}
    if dataclasses.is_dataclass(kind):
        return _record(kind, [f.name for f in dataclasses.fields(kind)], defs)
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _record(kind, list(kind._fields), defs)
    raise TypeError(f"no schema of {kind}")


def _record(kind: typing.Any, names: list[str], defs: Schema) -> Schema:
    if kind.__name__ not in defs:
        defs[kind.__name__] = {}  # known already inside itself
        hints = typing.get_type_hints(kind)
        defs[kind.__name__] = _object({name: hints[name] for name in names}, defs)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def text() -> str:
    """As the file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE} written\n")
