"""A run that begins: its folder's name, and its manifest with what is known before the first record."""

import datetime
import pathlib
import platform
import uuid

from locustfiles.common.planning.inputs import Inputs
from locustfiles.contract.manifest import Manifest, Part
from locustfiles.contract.version import git_revision, versions

OWN_PRICES = "no price book: see each target's source"


def default_path(inputs: Inputs) -> pathlib.Path:
    """runs/<UTC time>-<scenario>"""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return pathlib.Path("runs") / f"{stamp}-{inputs.scenario.name}"


def begun_manifest(inputs: Inputs, now: float) -> Manifest:
    """now: Unix seconds, this process's clock."""
    scenario, book = inputs.scenario, next((s for s in inputs.sources.values() if s.origin == "book"), None)
    run_id = uuid.uuid4().hex
    return Manifest(
        name=scenario.name,
        run_id=run_id,
        status="running",
        started_at=now,
        parts=[Part(run_id, now, None, "running")],
        ended_at=None,
        scenario_file=str(inputs.scenario_file),
        scenario=scenario.model_dump(mode="json"),
        seed=scenario.seed,
        versions=versions(),
        git_revision=git_revision(),
        host=platform.node(),
        price_book={
            "file": book.name if book else None,
            "region": book and book.region,
            "as_of": book.as_of.isoformat() if book and book.as_of else None,
            "source": book.source if book else OWN_PRICES,
        },
        price_sources=inputs.sources_as_json,
        prices=inputs.prices_as_json,
        payloads=inputs.payload_files,
        content=inputs.content,
        most_tokens={t.name: inputs.most_tokens(t) for t in scenario.targets},
    )
