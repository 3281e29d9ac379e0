"""A tool's JSON, asked for what it must hold: what is missing or of another kind is named by its place, with the tool's version."""

import dataclasses
import json
import math
import pathlib
import typing

from analysis.peers.unreadable import not_utf8
from locustfiles.contract.bad_input import BadInput

MOST = 2**53  # a number above it is no count


class Misshapen(BadInput):
    """A file of another form than its tool's versions that are read: damaged, or of another version."""


class NotFromHere(BadInput):
    """A path without the files that a tool writes."""


@dataclasses.dataclass(slots=True)
class Origin:
    """Whose file it is; the version is filled in once it is known."""

    tool: str
    file: pathlib.Path
    read_versions: str  # `0.3 to 0.8`: those whose files are known
    version: str | None = None

    def misshapen(self, what: str) -> Misshapen:
        told = f"{self.tool} {self.version}" if self.version else f"{self.tool}, which does not say its version in it"
        return Misshapen(f"{self.file}: {what}; written by {told}, read are the files of {self.read_versions}")


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and its place."""

    value: typing.Any
    place: str
    origin: Origin

    def get(self, *names: str) -> "Node":
        """What is under these keys, one below the other; a Node of None where one is missing."""
        value = self.value
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return Node(value, ".".join([*filter(None, [self.place]), *names]), self.origin)

    def need(self, *names: str) -> "Node":
        """Raises Misshapen where it is missing or null."""
        found = self.get(*names)
        if found.value is None:
            raise self.origin.misshapen(f"`{found.place}` is missing")
        return found

    def __bool__(self) -> bool:
        return self.value is not None

    def _wrong(self, kind: str) -> Misshapen:
        shown = json.dumps(self.value)
        return self.origin.misshapen(f"`{self.place}` is {shown[:30]}{'…' * (len(shown) > 30)}, no {kind}")

    def number(self) -> float | None:
        """Raises Misshapen for what is none; null is not known."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not math.isfinite(self.value):
            raise self._wrong("number")
        return float(self.value)

    def count(self) -> int | None:
        found = self.number()
        if found is not None and not (0 <= found <= MOST and found == int(found)):
            raise self._wrong("count")
        return None if found is None else int(found)

    def text(self) -> str | None:
        if self.value is not None and not isinstance(self.value, str):
            raise self._wrong("text")
        return self.value or None

    def items(self) -> "list[Node]":
        """Its items; of null none."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self._wrong("list")
        return [Node(item, f"{self.place}[{n}]", self.origin) for n, item in enumerate(self.value)]

    def numbers(self) -> list[float]:
        return [item for node in self.items() if (item := node.number()) is not None]


def read_json(path: pathlib.Path, origin: Origin) -> Node:
    """Raises Misshapen where it is no JSON."""
    try:
        return Node(json.loads(path.read_text(encoding="utf-8-sig")), "", origin)
    except OSError as e:
        raise BadInput(f"{path}: cannot be read ({e.strerror}); check the path") from None
    except UnicodeDecodeError as e:
        raise Misshapen(not_utf8(path, e)) from None
    except (ValueError, RecursionError) as e:
        raise Misshapen(
            f"{path}: no whole JSON file ({str(e).splitlines()[0]}): cut off, or not {origin.tool}'s; copy it again"
        ) from None


class Lines:
    """The objects of a JSON Lines file, one after the other and anew with each loop; `torn` once its last line was left out."""

    def __init__(self, path: pathlib.Path, origin: Origin) -> None:
        self.path, self.origin, self.torn = path, origin, False

    def __iter__(self) -> typing.Iterator[Node]:
        """Raises Misshapen for a line that is no JSON, unless it is the last."""
        some = False
        try:
            with open(self.path, "rb") as file:
                for number, line in enumerate(file, 1):
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8", "replace")
                    if not text.strip():
                        continue
                    try:
                        value = json.loads(text)
                    except (ValueError, RecursionError):
                        if some and not file.read(1 << 16).strip():
                            self.torn = True
                            return
                        raise Misshapen(
                            f"{self.path}: line {number} is no JSON: cut off, or not {self.origin.tool}'s; copy the file again"
                        ) from None
                    some = True
                    yield Node(value, f"line {number}", self.origin)
        except OSError as e:
            raise BadInput(f"{self.path}: cannot be read ({e.strerror}); check the path") from None


def read_lines(path: pathlib.Path, origin: Origin) -> tuple[list[Node], bool]:
    """All of a file of few lines, and whether the last was torn. Raises Misshapen."""
    lines = Lines(path, origin)
    return list(lines), lines.torn


def seek(path: pathlib.Path, *patterns: str) -> list[pathlib.Path]:
    """The files below a folder that match the first pattern that any match; a file itself matches all."""
    if path.is_file():
        return [path]
    for pattern in patterns:
        if found := sorted(each for each in path.rglob(pattern) if each.is_file()):
            return found
    return []
