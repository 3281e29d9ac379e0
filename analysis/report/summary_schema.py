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
from analysis.words.columns import METRICS

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


def schema() -> Schema:
    """Of JSON Schema 2020-12."""
    known = {f.name: f.type for f in dataclasses.fields(Report)}
    as_they_are = ("dataset", "made_at", "made_by", "break_even", "retries", "cut", "not_compared", "open_loop", "tables", "notes",
                   "instrument", "slo", "pricing", "runs")  # fmt: skip
    properties = {name: _of(known[name]) for name in as_they_are}
    recommendation = _of(known["recommendation"])
    recommendation["properties"]["text"] = {"type": "string"}
    recommendation["required"].append("text")
    without_parts = {name: kind for name, kind in typing.get_type_hints(RunCost).items() if name != "parts"}
    properties |= {"recommendation": recommendation, "findings": _ROWS | {"items": {"type": "object"}}}
    properties |= {name: {"type": "array", "items": _of(kind)} for name, kind in _TABLES.items()}
    properties |= {name: {"type": "array", "items": {"$ref": "#/$defs/stage"}} for name in ("steps", "candidates")}
    properties |= {"run_cost": {"type": "array", "items": _object(without_parts)}}
    properties |= dict.fromkeys(
        ("candidate_intervals", "repeats", "repeat_spread", "failed", "criteria", "intervals", "token_sources"), _ROWS
    )
    properties |= dict.fromkeys(("total_cost_usd", "total_cost_usd_low", "total_cost_usd_high"), _NUMBER)
    told = {name: {"type": "string"} for name in ("name", "unit", "definition", "better", "kind")}
    properties |= {"metrics": {"type": "array", "items": _closed(told)}}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "summary.json of a Swarmledger report"}
    return head | {"$defs": {"stage": _stage()}} | _closed(dict(sorted(properties.items())))


def _stage() -> Schema:
    """A row of steps.csv, each column with its unit and definition."""
    rows = {
        m.name: _KINDS[m.kind] | {"description": f"{m.definition}{f' ({m.unit})' if m.unit else ''}"} for m in METRICS
    }
    return _closed(rows)


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _object(fields: dict[str, typing.Any]) -> Schema:
    return _closed({name: _of(kind) for name, kind in fields.items()})


def _of(kind: typing.Any) -> Schema:
    """Of values of a type, as `plain` makes them."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(each) for each in inner]}
    if origin is list or (origin is tuple and inner[-1] is ...):
        return {"type": "array", "items": _of(inner[0])}
    if origin is tuple:
        return {
            "type": "array",
            "prefixItems": [_of(each) for each in inner],
            "minItems": len(inner),
            "maxItems": len(inner),
        }
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inner[1])}
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return _object({f.name: hints[f.name] for f in dataclasses.fields(kind)})
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = typing.get_type_hints(kind)
        return _object({name: hints[name] for name in kind._fields})
    raise TypeError(f"no schema of {kind}")


def text() -> str:
    """As the file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE} written\n")
