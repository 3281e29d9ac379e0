"""service.json and service.csv of a run's folder."""

import dataclasses
import datetime
import json
import math
import os
import pathlib
import typing

import pandas as pd

from analysis.enrich.enriched import Enriched
from analysis.runs.run_reader import Run
from analysis.runs.service_file import FILE, SCHEMA, TABLE
from analysis.words.safe_text import for_spreadsheets
from analysis.words.service_columns import SERVICE_METRICS, service_row
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.version import build

_KINDS = {"count": "Int64", "number": "float64", "text": "object"}


def document(run: Run, found: Enriched, region: str | None, now: datetime.datetime) -> dict[str, typing.Any]:
    """What service.json has: its schema is service.schema.json beside this file."""
    return {
        "schema": SCHEMA,
        "run_id": run.manifest.run_id,
        "made_at": now.isoformat(timespec="seconds"),
        "made_by": dataclasses.asdict(build()),
        "region": region,
        "stages": [{name: _finite(value) for name, value in service_row(s).items()} for s in found.stages],
        "missing": found.missing,
        "figures": [c.told for c in SERVICE_METRICS],
    }


def write(run: Run, found: Enriched, region: str | None) -> pathlib.Path:
    """Write both; the path of service.json. Raises BadInput."""
    told = document(run, found, region, datetime.datetime.now(datetime.UTC))
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    path = run.path / FILE
    try:
        for place, content in ((run.path / TABLE, _table(found)), (path, text)):
            draft = place.with_suffix(".tmp")
            draft.write_text(content, encoding="utf-8")
            os.replace(draft, place)  # noqa: PTH105
    except OSError as e:
        raise BadInput(f"{path}: cannot be written ({e.strerror}); make its folder writable, or copy the run") from None
    return path


def _finite(value: typing.Any) -> typing.Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(found: Enriched) -> str:
    rows = [service_row(s) for s in found.stages]
    frame = pd.DataFrame(
        {c.name: pd.Series([row[c.name] for row in rows], dtype=_KINDS[c.kind]) for c in SERVICE_METRICS}
    )
    return for_spreadsheets(frame).to_csv(index=False)
