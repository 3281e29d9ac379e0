"""endpoint.json of a run folder: the endpoints that were there for the run alone, and what they cost from creation to deletion."""

import dataclasses
import json
import pathlib
import typing

import pydantic

from locustfiles.contract.visible import visible_lines

FILE, SCHEMA = "endpoint.json", 1


@dataclasses.dataclass(slots=True)
class Instances:
    """Of one production variant. usd_per_hour: of one instance, None where no source has its price."""

    variant: str
    instance_type: str | None  # None: serverless, or pools of several types
    instance_count: int | None
    usd_per_hour: float | None
    source: str | None = None  # of the price
    reason: str | None = None  # why there is none


@dataclasses.dataclass(slots=True)
class EndpointLife:
    """One endpoint. Times are UTC, `2026-11-29T16:40:00Z`; None: it never came to that. usd: as if every second from creation to
    deletion were billed; None: not known."""

    endpoint: str
    region: str
    run: str  # the deployment's id, of its tags
    owner: str
    created_at: str
    in_service_at: str | None
    began_at: str | None  # the command
    ended_at: str | None
    deleted_at: str
    instances: list[Instances]
    hours: float
    usd_per_hour: float | None
    usd: float | None
    left: list[str] = dataclasses.field(default_factory=list)  # what could not be deleted, and may go on costing


@dataclasses.dataclass(slots=True)
class _Document:
    endpoints: list[EndpointLife]
    schema: int = SCHEMA


#: in the place of an earlier run's, where nothing can be deleted
EMPTY = f'{{"endpoints": [], "schema": {SCHEMA}}}\n'.encode()
_READER = pydantic.TypeAdapter(_Document)


def read(folder: pathlib.Path) -> list[EndpointLife] | None:
    """Those of a run, one a part; empty where there is no file, None where it cannot be read."""
    try:
        document = _READER.validate_python(visible_lines(json.loads((folder / FILE).read_bytes())))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError):
        return None
    return document.endpoints if document.schema == SCHEMA else None


def add(folder: pathlib.Path, life: EndpointLife) -> pathlib.Path:
    """One more, in one step. A file that cannot be read is replaced. Raises OSError."""
    path = folder / FILE
    document = _Document([*(read(folder) or []), life])
    draft = path.with_suffix(".tmp")
    value: dict[str, typing.Any] = dataclasses.asdict(document)
    draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
    return path
