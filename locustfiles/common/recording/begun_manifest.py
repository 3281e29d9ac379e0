"""A run that begins: its folder's name, and its manifest with what is known before the first record."""

import datetime
import pathlib
import platform
import uuid

from locustfiles.common.planning.inputs import Inputs
from locustfiles.contract.manifest import Manifest, Part
from locustfiles.contract.prices.sourced import book_among
from locustfiles.contract.version import git_revision, versions


def default_path(inputs: Inputs) -> pathlib.Path:
    """runs/<UTC time>-<scenario>"""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return pathlib.Path("runs") / f"{stamp}-{inputs.scenario.name}"


def begun_manifest(inputs: Inputs, now: float) -> Manifest:
    """now: Unix seconds, this process's clock."""
    scenario = inputs.scenario
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
        price_book=book_among(inputs.sources.values()),
        price_sources=inputs.sources_as_json,
        prices=inputs.prices_as_json,
        payloads=inputs.payload_files,
        content=inputs.content,
        most_tokens={t.name: inputs.most_tokens(t) for t in scenario.targets},
    )
