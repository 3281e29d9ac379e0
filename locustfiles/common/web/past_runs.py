"""The runs of a folder, as a list: what each was is read from the head of its manifest alone."""

import json
import os
import pathlib
import re
import typing
import urllib.parse

from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.visible import visible

HEAD = 4096  # bytes of a manifest, in which all that is shown stands
MOST = 200
ENDED = ("complete", "stopped", "failed")
BROKEN_OFF = "broken off"  # killed, or begun by a process that still runs


class PastRun(typing.NamedTuple):
    """A run's folder."""

    path: pathlib.Path
    name: str  # the folder's
    quoted: str  # as it stands in an address; empty for a name that no address can have
    scenario: str | None
    status: str  # complete, stopped, failed, running, or broken off
    started_at: float | None
    ended: bool
    report: bool  # there is one in its folder

    @property
    def shown(self) -> dict[str, typing.Any]:
        """For a page."""
        kept = ("name", "quoted", "scenario", "status", "started_at", "report")
        return {name: getattr(self, name) for name in kept}


def past_runs(folder: pathlib.Path, under_way: pathlib.Path | None) -> list[PastRun]:
    """Every run in it, the newest first."""
    try:
        with os.scandir(folder) as entries:
            found = [past_run(folder / entry.name, under_way) for entry in entries]
    except OSError:
        return []
    return sorted((run for run in found if run), key=lambda run: (run.started_at or 0, run.name), reverse=True)


def past_run(path: pathlib.Path, under_way: pathlib.Path | None) -> PastRun | None:
    """None: no run is there."""
    folder = RunFolder(path)
    try:
        with open(folder.manifest, "rb") as file:
            head, changed_at = file.read(HEAD).decode(errors="replace"), os.fstat(file.fileno()).st_mtime
    except OSError:
        return None
    status, started_at, ended_at = (_field(head, name) for name in ("status", "started_at", "ended_at"))
    if not isinstance(status, str) or not isinstance(_field(head, "run_id"), str):
        return None  # another program's file of that name
    ended = isinstance(ended_at, int | float)
    shown = status if status in ENDED else "running" if under_way and path == under_way else BROKEN_OFF
    scenario = _field(head, "name")
    return PastRun(
        path,
        visible(path.name),
        _quoted(path.name),
        visible(scenario) if isinstance(scenario, str) else None,
        shown,
        float(started_at) if isinstance(started_at, int | float) else changed_at,
        ended,
        (folder.report / "report.html").is_file(),
    )


def run_named(folder: pathlib.Path, name: str, under_way: pathlib.Path | None) -> PastRun | None:
    """The one in that folder; None where there is none. A name that leads elsewhere is none."""
    if name in ("", ".", "..") or "/" in name or "\x00" in name or os.sep in name:
        return None
    return past_run(folder / name, under_way)


def _field(head: str, name: str) -> typing.Any:
    """The first field of that name, which is the manifest's own: they stand before any other."""
    found = re.search(rf'"{name}":\s*("(?:[^"\\]|\\.)*"|[-+.\deE]+|null)', head)
    try:
        return json.loads(found[1]) if found else None
    except ValueError:
        return None


def _quoted(name: str) -> str:
    try:
        return urllib.parse.quote(name, safe="")
    except UnicodeEncodeError:
        return ""
