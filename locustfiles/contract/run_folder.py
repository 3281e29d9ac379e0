"""A run's folder: its file names, its manifest, and how requests.csv is written and read.

runs/<name>/manifest.json   what the run was: scenario, prices, versions, workers, stage windows
            requests.csv    one RequestRecord a row
            locust_*.csv    Locust's own
            report/         written by the analysis alone
"""

import csv
import dataclasses
import errno
import io
import json
import os
import pathlib
import shutil
import typing

import pydantic

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import SCHEMA, Manifest, manifest_of
from locustfiles.contract.record import FIELDS, RequestRecord, csv_cells, with_all_fields


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
        """Raises FolderUsed if it holds a run. One that was refused before its first stage does not count."""
        if (self.manifest.exists() or self.requests.exists()) and not self._unbegun():
            raise FolderUsed(
                f"{self.path}: already holds a run; choose another --run-dir, or add --resume or --overwrite"
            )

    def _unbegun(self) -> bool:
        try:
            manifest = self.read_manifest()
            if manifest.stages or manifest.abandoned:
                return False
            text = self.requests_text()[0].decode(errors="replace") if self.requests.exists() else ""
        except NotARun:  # who knows what it is
            return False
        return all(row["phase"] == "warmup" for row in csv.DictReader(io.StringIO(text, newline="")))

    def create(self, overwrite: bool = False) -> None:
        """Make the folder. Raises FolderUsed if it holds a run and `overwrite` is false."""
        if not overwrite:
            self.check_free()
        used = [f for f in (self.manifest, self.requests) if f.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for old in [*used, *self.path.glob("locust*_*.csv")]:
                old.unlink()
            if used and self.report.exists():  # beside the new records it would be taken for theirs
                shutil.rmtree(self.report)
        except OSError as e:
            raise BadInput(f"{self.path}: cannot be written ({e.strerror}); choose another --run-dir") from None

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace manifest.json in one step, so that a crash leaves the old or the new one. Where the disk is full, the new one,
        without its indentation, goes into the room of the old one. Raises OSError."""
        draft, document = self.manifest.with_suffix(".tmp"), dataclasses.asdict(manifest)
        try:
            draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            draft.replace(self.manifest)
        except OSError as e:
            draft.unlink(missing_ok=True)
            text = json.dumps(document, separators=(",", ":")).encode() + b"\n"
            room = 512 * self.manifest.stat().st_blocks if self.manifest.exists() else 0
            if e.errno not in (errno.ENOSPC, errno.EDQUOT) or len(text) > room:
                raise
            with open(self.manifest, "r+b", buffering=0) as file:
                file.truncate(file.write(text))

    def read_manifest(self) -> Manifest:
        """Raises NotARun if there is none or it cannot be read."""
        if not self.manifest.is_file():
            raise NotARun(f"{self.path}: no run folder, it has no manifest.json; give the folder named by --run-dir")
        try:
            data = json.loads(self.manifest.read_text(encoding="utf-8"))
            if data["schema"] != SCHEMA:
                raise NotARun(
                    f"{self.manifest}: its schema is {data['schema']}, this version reads {SCHEMA}; use the version that wrote it"
                )
            return manifest_of(data)
        except pydantic.ValidationError as e:
            first = e.errors(include_input=False)[0]
            where, message = ".".join(str(part) for part in first["loc"]), first["msg"][0].lower() + first["msg"][1:]
            raise NotARun(
                f"{self.manifest}: cannot be read ({where}: {message}); put back the file that the run wrote"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise NotARun(
                f"{self.manifest}: cannot be read ({e}), damaged or of another version; put back the file that the run wrote"
            ) from None

    def requests_text(self) -> tuple[bytes, int]:
        """requests.csv without a torn last line, and the number of lines so skipped (0 or 1).

        Raises NotARun if the file is missing or its header is not a record's.
        """
        if not self.requests.is_file():
            raise NotARun(f"{self.path}: no requests.csv in it, nothing was sent; give another run")
        text = self.requests.read_bytes()
        whole = with_all_fields(text[: text.rfind(b"\n") + 1])
        if whole is None:
            raise NotARun(
                f"{self.requests}: its header is not that of this version; analyse it with the one that wrote it"
            )
        return whole, int(not text.endswith(b"\n"))


def check_header(path: pathlib.Path) -> None:
    """Raises BadInput where a requests.csv is another version's, to which nothing can be added."""
    with open(path, "rb") as file:
        header = file.readline()
    if header.decode(errors="replace").strip() != ",".join(FIELDS):
        raise BadInput(
            f"{path}: another version began it, nothing can be added; go on with that one, or begin a new run"
        )


class RequestsFile:
    """requests.csv, append only; `add` rows, `flush` them in one write."""

    def __init__(self, path: pathlib.Path, append: bool = False) -> None:
        """append: go on after the last whole line of a file that is there. Raises BadInput where its header is another."""
        if append:
            check_header(path)
        self._file: typing.BinaryIO = open(path, "r+b" if append else "wb", buffering=0)
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._unwritten = b""
        self.rows = 0
        if append:
            self._file.seek(self._file.read().rfind(b"\n") + 1)
            self._file.truncate()
        else:
            self._writer.writerow(FIELDS)
            self.flush()

    def add(self, record: RequestRecord) -> None:
        self.add_row(record.row())

    def add_row(self, row: typing.Sequence[str]) -> None:
        self.add_rows((row,))

    def add_rows(self, rows: typing.Sequence[typing.Sequence[str]]) -> None:
        self._writer.writerows(map(csv_cells, rows))
        self.rows += len(rows)

    def flush(self) -> None:
        """Hand the buffered rows to the system. Raises OSError (a full disk), keeping what was not written."""
        self._unwritten += self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        while self._unwritten:
            self._unwritten = self._unwritten[self._file.write(self._unwritten) :]

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._file.close()
