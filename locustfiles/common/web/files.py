"""What a run's folder gives away: its records so far, and its report, made where there is none that is new enough."""

import hashlib
import os
import pathlib
import tempfile
import time
import typing

from flask import Response, make_response, send_file

from locustfiles.common.web.past_runs import PastRun
from locustfiles.common.web.views import lines_so_far
from locustfiles.contract.run_folder import RunFolder

REPORT = "report.html"
#: file -> what it is
DOWNLOADS = {
    "requests.csv": "every request so far, as it was recorded",
    "steps.csv": "a row a finished stage, every figure of the report; made now",
    "report.html": "the report in one file; made now",
    "report.xlsx": "the same with costs as formulas; made now",
    "summary.json": "the same for programs; made now",
    "manifest.json": "what the run was: scenario, prices, versions, stages",
    "locust_stats_history.csv": "Locust's own statistics over time",
}
OF_REPORT = ("steps.csv", REPORT, "report.xlsx", "summary.json")
NO_REPORT = {"state": "none", "for_s": None, "error": None, "made_at": None, "fresh": False}
#: a report runs its own script, and may have been put into a folder by anybody: it gets nothing of the page around it
SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
)


class Making(typing.Protocol):
    """A report that was asked for."""

    folder: pathlib.Path
    began_at: float | None
    made_at: float | None
    error: str | None
    done: typing.Any


class Maker(typing.Protocol):
    """Makes reports, one at a time."""

    def of(self, run: pathlib.Path) -> Making | None: ...

    def make(self, run: pathlib.Path, folder: pathlib.Path) -> Making: ...


class Files:
    """Of any run, by its entry in the list."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._aside: tempfile.TemporaryDirectory | None = None  # for reports of runs that go on

    def sent(self, run: PastRun, name: str) -> Response:
        """As a download. What belongs to a report waits until that is made."""
        if name not in DOWNLOADS:
            return missing(f"{name}: no such file; there are {', '.join(DOWNLOADS)}")
        if name in OF_REPORT:
            error = self.await_report(run)
            if error:
                return missing(f"{name}: the report was not made: {error}")
            found = self._newest(run)
            return _attached(run, (found or RunFolder(run.path).report) / name)
        path = run.path / name
        if name.endswith(".csv"):
            return _lines(run, path)
        return _attached(run, path)

    def report(self, run: PastRun) -> Response:
        """To be looked at: the newest that there is, for its page asks for a newer one by itself."""
        folder = self._newest(run)
        if folder is None:
            return missing(f"{run.name}: there is no report of it yet")
        answer = send_file(folder / REPORT, mimetype="text/html", max_age=0)
        answer.headers["Content-Security-Policy"] = SANDBOX
        return answer

    def state(self, run: PastRun) -> dict[str, typing.Any]:
        """How the report stands, for a page."""
        making, folder = self._maker.of(run.path), self._newest(run)
        made_at = _changed_at(folder / REPORT) if folder else None
        state = "made" if folder else "none"
        if making and not making.done.is_set():
            state = "making" if making.began_at else "waiting"
        elif making and making.error:
            state = "failed"
        return {
            "state": state,
            "for_s": time.time() - making.began_at if making and making.began_at else None,
            "error": making.error if making else None,
            "made_at": made_at,
            "fresh": self._is_fresh(run),
        }

    def make(self, run: PastRun) -> Making:
        """Have it made: into its folder once the run has ended, else aside, for what lies there is of a whole run."""
        return self._maker.make(run.path, RunFolder(run.path).report if run.ended else self._beside(run))

    def await_report(self, run: PastRun) -> str | None:
        """Until one is there that has all of the run's records; why there is none."""
        if self._is_fresh(run):
            return None
        making = self.make(run)
        making.done.wait()
        return making.error

    def _beside(self, run: PastRun) -> pathlib.Path:
        if self._aside is None:
            self._aside = tempfile.TemporaryDirectory(prefix="swarmledger-")
        return pathlib.Path(self._aside.name) / hashlib.sha256(os.fsencode(run.path)).hexdigest()[:16]

    def _newest(self, run: PastRun) -> pathlib.Path | None:
        """The folder of the newest report of it."""
        making = self._maker.of(run.path)
        folders = {RunFolder(run.path).report, *([making.folder] if making else [])}
        there = {folder: at for folder in folders if (at := _changed_at(folder / REPORT)) is not None}
        return max(there, key=there.__getitem__) if there else None

    def _is_fresh(self, run: PastRun) -> bool:
        """Whether all that the run has written is in its report."""
        folder, making, newest = RunFolder(run.path), self._maker.of(run.path), self._newest(run)
        of = _changed_at(newest / REPORT) if newest else None
        if of is None:
            return False
        if making and making.began_at and making.made_at == of:  # it read what there was when it began
            of = making.began_at
        return all((_changed_at(path) or 0) <= of for path in (folder.manifest, folder.requests))


def missing(words: str) -> Response:
    answer = make_response(f"{words}\n", 404)
    answer.mimetype = "text/plain"
    return answer


def _changed_at(path: pathlib.Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _attached(run: PastRun, path: pathlib.Path) -> Response:
    if not path.is_file():
        return missing(f"{path.name}: not there yet")
    return send_file(path, as_attachment=True, download_name=f"{run.name}-{path.name}", max_age=0)


def _lines(run: PastRun, path: pathlib.Path) -> Response:
    if not path.is_file():
        return missing(f"{path.name}: not there yet")
    return lines_so_far(path, f"{run.name}-{path.name}")
