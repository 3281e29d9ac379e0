"""Looking at a run folder as the observer does, until nothing more will be known of what is there."""

import dataclasses
import pathlib
import time
import typing

from analysis.live.figures import Document, Watched
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.made_run import START

GOES_ON: Document = {"state": "running", "run": {"status": "running"}}
LONGEST_S = 120


def settled(watched: Watched, load: Document = GOES_ON) -> Document:
    """The figures."""
    over = time.monotonic() + LONGEST_S
    while True:
        figures = watched.look(load)
        if not watched.busy:
            return figures
        assert time.monotonic() < over
        time.sleep(0.01)


def seen(folder: pathlib.Path, load: Document = GOES_ON, at: float | None = None) -> Document:
    """The figures of a folder, by default of a run that goes on. at: s after the start of a made run."""
    watched = Watched(str(folder), clock=time.time if at is None else lambda: START + at)
    try:
        return settled(watched, load)
    finally:
        watched.close()


def rewritten(folder: pathlib.Path, change: typing.Callable[[Manifest], object]) -> None:
    """The manifest, changed."""
    run = RunFolder(folder)
    manifest = run.read_manifest()
    change(manifest)
    run.write_manifest(manifest)


def under_way(folder: pathlib.Path, stage: int) -> None:
    """As the manifest has a stage whose users have been asked for, and no more."""
    begun = {"measure_from": None, "measure_until": None, "hold_until": None, "ended_by": None, "whole": False}

    def change(manifest: Manifest) -> None:
        manifest.status, manifest.ended_at = "running", None
        manifest.stages = [
            dataclasses.replace(v, records=None, workers=[], **begun) if v.stage == stage else v
            for v in manifest.stages
            if v.stage <= stage
        ]

    rewritten(folder, change)
