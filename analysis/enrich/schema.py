"""The JSON schema of service.json, from the columns of its rows: analysis/enrich/service.schema.json is this one.

Written anew by `python -m analysis.enrich.schema`, which the tests ask for where the two differ.
"""

import json
import pathlib
import sys
import typing

from analysis.runs.service_file import SCHEMA
from analysis.words.service_columns import SERVICE_METRICS

FILE = pathlib.Path(__file__).parent / "service.schema.json"
Schema = dict[str, typing.Any]
_KINDS: dict[str, Schema] = {
    "count": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "text": {"type": ["string", "null"]},
}
_TEXT: Schema = {"type": "string"}


def schema() -> Schema:
    """Of JSON Schema 2020-12."""
    stage = {
        c.name: _KINDS[c.kind] | {"description": f"{c.definition}{f' ({c.unit})' if c.unit else ''}"}
        for c in SERVICE_METRICS
    }
    told = dict.fromkeys(("name", "unit", "definition", "better", "kind"), _TEXT)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "service.json of a Swarmledger run: what the service tells of its stages",
        "description": "A value that is not known is null, and never 0.",
    }
    return head | _closed(
        {
            "schema": {"const": SCHEMA},
            "run_id": _TEXT,
            "made_at": _TEXT | {"format": "date-time"},
            "made_by": {"type": "object"},
            "region": {"type": ["string", "null"]},
            "stages": {"type": "array", "items": _closed(stage)},
            "missing": {"type": "array", "items": _TEXT, "description": "what could not be asked for, a line each"},
            "figures": {"type": "array", "items": _closed(told)},
        }
    )


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def text() -> str:
    """As the file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE} written\n")
