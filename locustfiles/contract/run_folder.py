"""A run's folder: its file names, its manifest, and how requests.csv is read.

runs/<name>/manifest.json   what the run was: scenario, prices, versions, workers, stage windows
            requests.csv    one RequestRecord a row
            locust_*.csv    Locust's own
            endpoint.json   what an endpoint cost that was there for the run alone
            report/         written by the analysis alone
"""

import contextlib
import csv
import dataclasses
import errno
import io
import json
import os
import pathlib
import shutil
import stat

import msgspec
import pydantic

from locustfiles.contract import endpoint_file
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.full_disk import FULL
from locustfiles.contract.manifest import SCHEMA, Manifest, manifest_of
from locustfiles.contract.record import with_all_fields
from locustfiles.contract.requests_file import HEADER
from locustfiles.contract.visible import storable, visible_lines

SHUT = (errno.EACCES, errno.EPERM)  # a folder that nothing may be added to


class NotARun(BadInput):
    """A folder that holds no readable run; the text says what is missing."""


class FolderUsed(BadInput):
    """A folder that already holds a run."""


class RunFolder:
    """Paths of one run's files."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.manifest = self.path / "manifest.json"
        self.requests = self.path / "requests.csv"
        self.report = self.path / "report"

    def locust_prefix(self, part: int) -> pathlib.Path:
        """What the names of a part's Locust files begin with; parts count from 1."""
        return self.path / ("locust" if part == 1 else f"locust-{part}")

    def check_free(self) -> None:
        """Raises FolderUsed if it holds a run, BadInput if it cannot be one. A run that was refused before its first stage, or
        killed as it was begun, does not count."""
        self.check_name()
        if (self.manifest.exists() or self.requests.exists()) and not self._unbegun():
            raise FolderUsed(
                f"{self.path}: already holds a run; choose another --run-dir, or add --resume or --overwrite"
            )

    def check_name(self) -> None:
        """Raises BadInput if no folder can be there: a name that is too long, a file."""
        try:
            if not stat.S_ISDIR(self.path.stat().st_mode):
                raise BadInput(f"{self.path}: is no folder; choose another --run-dir")
        except FileNotFoundError:
            if self.path.is_symlink():
                raise BadInput(
                    f"{self.path}: is a link to a folder that is not there; make that, or choose another --run-dir"
                ) from None
        except OSError as e:
            raise self.unusable(e) from None

    def unusable(self, e: OSError) -> BadInput:
        """What is to be said of a folder that cannot be written."""
        if e.errno in FULL:
            return BadInput(
                f"{self.path}: cannot be written ({e.strerror}); free space there, or choose another --run-dir"
            )
        name = str(self.path) if len(str(self.path)) < 200 else f"{str(self.path)[:60]}…"
        return BadInput(f"{name}: cannot be written ({e.strerror}); choose another --run-dir")

    def _unbegun(self) -> bool:
        try:
            if not self.manifest.exists():
                with open(self.requests, "rb") as file:
                    return HEADER.startswith(file.read(len(HEADER) + 1))
            manifest = self.read_manifest()
            if manifest.stages or manifest.abandoned:
                return False
            text = self.requests_text()[0].decode(errors="replace") if self.requests.exists() else ""
        except (NotARun, OSError):  # who knows what it is
            return not self.requests.exists() and not self.manifest.stat().st_size
        return all(row["phase"] == "warmup" for row in csv.DictReader(io.StringIO(text, newline="")))

    def make(self) -> None:
        """The folder itself. Raises BadInput."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise self.unusable(e) from None

    def create(self, overwrite: bool = False) -> None:
        """Make it, without an earlier run's files. Raises FolderUsed if it holds a run and `overwrite` is false, BadInput."""
        if not overwrite:
            self.check_free()
        self.make()
        used = [f for f in (self.manifest, self.requests) if f.exists()]
        try:
            others = ("locust*_*.csv", "manifest.tmp", endpoint_file.FILE)
            for old in [*used, *(file for name in others for file in self.path.glob(name))]:
                old.unlink()
            if used and self.report.exists():  # beside the new records it would be taken for theirs
                shutil.rmtree(self.report)
        except OSError as e:
            raise self.unusable(e) from None

    def write_manifest(self, manifest: Manifest, path: pathlib.Path | None = None) -> None:
        """Replace manifest.json (path: another file) in one step, so that a crash leaves the old or the new one. Where the disk is full, or
        nothing new may be put into the folder, the new one, without its indentation, goes into the room of the old one.
        Raises OSError."""
        path = path or self.manifest
        draft, (indented, text) = path.with_suffix(".tmp"), _json(manifest)
        try:
            draft.write_bytes(indented)
            draft.replace(path)
        except OSError as e:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            room = 512 * path.stat().st_blocks if path.exists() else 0
            if not (e.errno in FULL and len(text) <= room) and e.errno not in SHUT:
                raise
            with open(path, "r+b", buffering=0) as file:
                file.truncate(file.write(text))

    def read_manifest(self) -> Manifest:
        """Raises NotARun if there is none or it cannot be read."""
        if not os.path.isfile(self.manifest):  # noqa: PTH113  a name that is too long is none
            raise NotARun(f"{self.path}: no run folder, it has no manifest.json; give the folder named by --run-dir")
        try:
            data = json.loads(self.manifest.read_text(encoding="utf-8"))
            if data["schema"] != SCHEMA:
                other = f"its schema is {json.dumps(data['schema'])}, this version reads {SCHEMA}"
                raise NotARun(f"{self.manifest}: {other}; use the version that wrote it")
            # the scenario has texts of several lines, which are checked where they are read
            told = visible_lines({key: value for key, value in data.items() if key != "scenario"})
            return manifest_of(told | ({"scenario": storable(data["scenario"])} if "scenario" in data else {}))
        except pydantic.ValidationError as e:
            first = e.errors(include_input=False)[0]
            where, message = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
            message = message[0].lower() + message[1:]
            raise NotARun(
                f"{self.manifest}: cannot be read ({where}: {message}); put back the file that the run wrote"
            ) from None
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as e:
            raise NotARun(
                f"{self.manifest}: cannot be read ({e}), damaged or of another version; put back the file that the run wrote"
            ) from None

    def requests_text(self) -> tuple[bytes, int]:
        """requests.csv without a torn last line, and the number of lines so skipped (0 or 1).

        Raises NotARun if the file is missing or its header is not a record's.
        """
        self.check_requests()
        text = self.requests.read_bytes()
        whole = with_all_fields(text[: text.rfind(b"\n") + 1])
        if whole is None:
            raise self.other_version()
        return whole, int(not text.endswith(b"\n"))

    def check_requests(self) -> None:
        """Raises NotARun where there is no requests.csv."""
        if not os.path.isfile(self.requests):  # noqa: PTH113
            raise NotARun(f"{self.path}: no requests.csv in it, nothing was sent; give another run")

    def other_version(self) -> NotARun:
        """What is to be said of a requests.csv whose header is not a record's."""
        return NotARun(
            f"{self.requests}: its header is not that of this version; analyse it with the one that wrote it"
        )


def _json(manifest: Manifest) -> tuple[bytes, bytes]:
    """With indentation and without. Written twice a stage beside the event loop that stamps answers: of 500 stages in a
    millisecond, by Python's own encoder in 20."""
    try:
        text = msgspec.json.encode(manifest)
        return msgspec.json.format(text, indent=1) + b"\n", text + b"\n"
    except (TypeError, ValueError, OverflowError):  # a number of more than 64 bits, half a character
        document = dataclasses.asdict(manifest)
        forms = json.dumps(document, indent=1), json.dumps(document, separators=(",", ":"))
        return forms[0].encode() + b"\n", forms[1].encode() + b"\n"
