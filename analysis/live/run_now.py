"""A run's manifest as it stands now, and whether somebody is still writing to its folder."""

import dataclasses
import os
import pathlib
import time
import typing

from analysis.cost.pricing import prices_of_run
from analysis.runs.records_file import read_records
from analysis.runs.run_reader import run_of_some, scenario_of
from locustfiles.contract.manifest import Manifest
from locustfiles.contract.prices.price import Price
from locustfiles.contract.requests_file import HEADER
from locustfiles.contract.run_folder import NotARun, RunFolder
from locustfiles.contract.scenario.scenario import Scenario

LOCKS = pathlib.Path("/proc/locks")
QUIET_S = 60.0  # where locks cannot be looked at: a folder that nothing is written to for so long is nobody's any more
TORN_S = 3.0  # a manifest that is written in its place (a full disk) may be half there for so long


@dataclasses.dataclass(frozen=True, slots=True)
class RunNow:
    """What the manifest says."""

    manifest: Manifest
    scenario: Scenario
    prices: dict[str, Price]

    @property
    def part(self) -> str:
        """The run_id of the process that writes, or wrote last."""
        return self.manifest.parts[-1].run_id if self.manifest.parts else self.manifest.run_id


class ManifestFile:
    """Reads manifest.json when it has changed."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._seen: tuple[int, ...] | None = None
        self._now: RunNow | None = None
        self._bad_since: float | None = None

    def read(self) -> RunNow | None:
        """None where there is none. Raises NotARun where it stays unreadable for TORN_S."""
        try:
            there = self.folder.manifest.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._seen = self._now = None
            return None
        except OSError as e:
            raise NotARun(f"{self.folder.manifest}: cannot be read ({e.strerror}); see to the disk") from None
        seen = there.st_mtime_ns, there.st_size, there.st_ino
        if seen == self._seen:
            return self._now
        try:
            manifest = self.folder.read_manifest()
            scenario = scenario_of(self.folder, manifest)
            empty = run_of_some(self.folder, manifest, scenario, read_records(HEADER)[0])
            self._now = RunNow(manifest, scenario, prices_of_run(empty).of_target)
        except NotARun:
            self._bad_since = self._bad_since or time.monotonic()
            if time.monotonic() - self._bad_since > TORN_S:
                raise
            return self._now
        self._seen, self._bad_since = seen, None
        return self._now


def going_on(now: RunNow, folder: RunFolder, load: dict[str, typing.Any]) -> bool:
    """Whether the run's process is there: as the load says that asks, else by the folder's lock, which is only looked at."""
    told = load.get("run")
    if told and load.get("state") not in (None, "idle", "ended"):  # its status may say more than has been written yet
        return True
    if now.manifest.status != "running":
        return False
    return _locked(folder.path) or (not told and _written_lately(folder))  # it may be about to write its end


def _locked(path: pathlib.Path) -> bool:
    """Taking it to see whether it is free would make a run that begins in this moment believe that it is not."""
    try:
        there = path.stat()
        of = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
        return any(line.split()[1] == "FLOCK" and of in line.split() for line in LOCKS.read_text().splitlines())
    except (OSError, IndexError):
        return False


def _written_lately(folder: RunFolder) -> bool:
    try:
        latest = max(path.stat().st_mtime for path in (folder.requests, folder.manifest))
    except OSError:
        return False
    return time.time() - latest < QUIET_S
