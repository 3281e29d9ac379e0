"""What a deployment is about to create, on disk before it is created: so that what a killed process left is found.

A file a deployment, one JSON line a step. Whoever works on it holds a lock, which the system takes back when a process ends in
whatever way: a file that is neither locked nor kept is one that a dead process has left."""

import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints.names import BY_NAME, Item, stamp

FOLDER_VARIABLE = "SWARMLEDGER_ENDPOINTS"


class Head(typing.NamedTuple):
    """The first line of a journal."""

    run: str
    endpoint: str
    region: str
    owner: str
    expires_at: str


class Left(typing.NamedTuple):
    """What a journal says was to be created. kept: on purpose, until `delete` or its expiry."""

    head: Head
    items: list[Item]
    kept: bool
    arn: str | None = None  # of the first that was created: it names the account


def folder(given: str | None) -> pathlib.Path:
    """Where journals are: `--journal`, the variable, else below the user's state folder."""
    named = given or os.environ.get(FOLDER_VARIABLE)
    state = pathlib.Path(os.environ.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local" / "state")
    return pathlib.Path(named) if named else state / "swarmledger" / "endpoints"


class Journal:
    """One deployment's file, locked while this object lives. Raises BadInput where it cannot be written."""

    def __init__(self, path: pathlib.Path, file: typing.TextIO) -> None:
        self.path, self._file = path, file

    @classmethod
    def begin(cls, where: pathlib.Path, head: Head) -> "Journal":
        path = where / f"{head.endpoint}-{head.run}.jsonl"
        try:
            where.mkdir(parents=True, exist_ok=True)
            file = open(path.with_suffix(".new"), "x", encoding="utf-8")
            fcntl.flock(file, fcntl.LOCK_EX)
            journal = cls(path, file)
            journal._write(head._asdict())
            path.with_suffix(".new").rename(path)  # seen by others only now that it is locked
        except OSError as e:
            raise _unwritable(path, e) from None
        return journal

    @classmethod
    def take(cls, path: pathlib.Path) -> "Journal | None":
        """One that is there; None where another process works on it, or it is gone."""
        try:
            file = open(path, "r+", encoding="utf-8")
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return cls(path, file)

    def _write(self, line: dict[str, typing.Any]) -> None:
        try:
            self._file.write(json.dumps({"at": stamp(datetime.datetime.now(datetime.UTC)), **line}) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as e:
            raise _unwritable(self.path, e) from None

    def will_create(self, item: Item) -> None:
        """On disk when this returns."""
        self._write({"create": item.kind.name, "name": item.name})

    def created(self, item: Item, arn: str) -> None:
        self._write({"created": item.kind.name, "name": item.name, "arn": arn})

    def keep(self) -> None:
        """All of it is there, and stays."""
        self._write({"kept": True})

    def close(self) -> None:
        self._file.close()

    def done(self) -> None:
        """Nothing of it is left."""
        self.path.unlink(missing_ok=True)
        self.close()


def _unwritable(path: pathlib.Path, e: OSError) -> BadInput:
    return BadInput(
        f"{path}: cannot be written ({e.strerror}); nothing is created without it: give a folder by --journal"
    )


def read(path: pathlib.Path) -> Left | None:
    """None of a file that is no journal; a torn last line is passed over."""
    lines: list[dict[str, typing.Any]] = []
    with contextlib.suppress(OSError, ValueError):
        lines.extend(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
    if not lines or not set(Head._fields) <= lines[0].keys():
        return None
    head = Head(**{name: str(lines[0][name]) for name in Head._fields})
    items = [Item(BY_NAME[line["create"]], line["name"]) for line in lines if line.get("create") in BY_NAME]
    arn = next((str(line["arn"]) for line in lines if "arn" in line), None)
    return Left(head, items, any(line.get("kept") for line in lines), arn)


def all_in(where: pathlib.Path) -> list[tuple[pathlib.Path, Left]]:
    """Every journal of a folder."""
    paths = sorted(where.glob("*.jsonl")) if where.is_dir() else []
    return [(path, left) for path in paths if (left := read(path)) is not None]


def abandoned(where: pathlib.Path) -> typing.Iterator[tuple[Journal, Left]]:
    """Of those that nobody works on and nobody kept, each locked."""
    for path, _ in all_in(where):
        journal = Journal.take(path)
        if journal is None:
            continue
        left = read(path)  # as it is now that nobody writes
        if left is None or left.kept or not path.exists():
            journal.close()
            continue
        yield journal, left


def forget(where: pathlib.Path, run: str) -> None:
    """The journals of a deployment of which nothing is left."""
    for path, left in all_in(where):
        if left.head.run == run:
            path.unlink(missing_ok=True)
