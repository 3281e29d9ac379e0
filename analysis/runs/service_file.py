"""service.json of a run's folder, which `python -m analysis enrich` writes: what the service tells of its stages."""

import json
import pathlib
import typing

from analysis.words.service_columns import SERVICE_METRICS, service_figures
from analysis.words.service_figures import ServiceFigures
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.run_folder import NotARun

SCHEMA = 1
FILE, TABLE = "service.json", "service.csv"
#: figures that files of earlier builds do not have
_LATER = ("backlog_time_mean_ms", "backlog_mean", "backlog_max")
_KINDS: dict[str, tuple[type, ...]] = {"count": (int,), "number": (int, float), "text": (str,), "flag": (bool,)}


class ServiceFile(typing.NamedTuple):
    """stages: rows by stage, of those that the manifest still has. missing: what could not be asked for, a line each."""

    stages: list[ServiceFigures]
    missing: list[str]
    made_at: str


def read_service_file(folder: pathlib.Path, manifest: Manifest) -> ServiceFile | None:
    """None where there is no such file, or it is of another run that was here. Rows whose stage was measured again since are left
    out. Raises NotARun."""
    path = folder / FILE
    if not path.is_file():
        return None
    again = f"remove it, or run `python -m analysis enrich {folder}` again"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise NotARun(f"{path}: its schema is {json.dumps(data['schema'])}, this version reads {SCHEMA}; {again}")
        rows = [service_figures(_checked(dict.fromkeys(_LATER) | row)) for row in data["stages"]]
        missing, made_at = [str(line) for line in data["missing"]], str(data["made_at"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as e:
        if isinstance(e, NotARun):
            raise
        raise NotARun(f"{path}: cannot be read ({type(e).__name__}: {e}); {again}") from None
    windows = {s.stage: (s.target, s.measure_from, s.measure_until) for s in manifest.stages}
    kept = [row for row in rows if windows.get(row.stage) == (row.target, row.window_from, row.window_until)]
    return ServiceFile(kept, missing, made_at) if kept or not rows else None


def _checked(row: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Raises KeyError and TypeError."""
    for column in SERVICE_METRICS:
        value = row[column.name]
        kinds = _KINDS[column.kind]
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            raise TypeError(f"`{column.name}` of stage {row['stage']} is no {column.kind}")
    return row
