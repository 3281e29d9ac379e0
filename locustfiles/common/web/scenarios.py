"""Which files the start form offers as scenarios: those beside the one that was given at the start, and in the folders below it."""

import os
import pathlib
import re
import typing

import yaml

from locustfiles.contract.strict_yaml import MAX_BYTES

ENDINGS = (".yaml", ".yml", ".json")
DEPTH, MOST_ENTRIES = 2, 5000  # folders below; files and folders looked at, where somebody's home is the folder
SHIPPED = pathlib.Path(__file__).resolve().parents[3] / "configs"
_KEY = re.compile(r"""(?P<indent>[ ]*)(?P<quote>["']?)(?P<key>\w+)(?P=quote)[ ]*:(?:\s|$)""")


class Listing:
    """Of the folder of `given`, the path that the command line named: a scenario, a folder of some, or nothing."""

    def __init__(self, given: str) -> None:
        self._given = given
        self._known: dict[str, tuple[tuple[int, int], bool]] = {}  # path -> its time and size -> whether it is one

    @property
    def folder(self) -> pathlib.Path:
        given = pathlib.Path(self._given or "configs")
        if given.is_dir():
            return given
        return given.parent if self._given else SHIPPED

    def files(self) -> list[str]:
        """Named as `--scenario` names them. The one given at the start is among them, whatever is in it."""
        given = [self._given] if self._given and not pathlib.Path(self._given).is_dir() else []
        return sorted({*given, *(path for path in self._beside() if self._is_one(path))})

    def _beside(self) -> typing.Iterator[str]:
        left, folders = MOST_ENTRIES, [(self.folder, 0)]
        for folder, depth in folders:
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries[:left]:
                hidden = entry.name.startswith(".") or not entry.name.isprintable()
                if entry.is_dir(follow_symlinks=False):
                    folders += [(folder / entry.name, depth + 1)] if depth < DEPTH and not hidden else []
                elif entry.name.endswith(ENDINGS) and not hidden:
                    yield str(folder / entry.name)
            left -= len(entries[:left])

    def _is_one(self, path: str) -> bool:
        try:
            found = pathlib.Path(path).stat()
            mark = (found.st_mtime_ns, found.st_size)
            if path not in self._known or self._known[path][0] != mark:
                text = "" if found.st_size > MAX_BYTES else pathlib.Path(path).read_text(encoding="utf-8")
                self._known[path] = mark, looks_like_one(text)
            return self._known[path][1]
        except (OSError, UnicodeDecodeError):
            return False


def looks_like_one(text: str) -> bool:
    """By its outermost keys, which a mistake elsewhere leaves as they are: one that cannot be used is offered, with its error."""
    keys = outermost_keys(text)
    return "targets" in keys or {"payloads", "load"} <= keys


def outermost_keys(text: str) -> set[str]:
    """Of a YAML mapping, in lines or in braces. It need not be valid."""
    lines = [s for line in text.splitlines() if (s := line.rstrip()) and not s.lstrip().startswith(("#", "%", "---"))]
    if not lines:
        return set()
    if lines[0].lstrip().startswith("{"):
        return _in_braces(text)
    indent = len(lines[0]) - len(lines[0].lstrip(" "))
    found = (_KEY.match(line) for line in lines)
    return {one["key"] for one in found if one and len(one["indent"]) == indent}


def _in_braces(text: str) -> set[str]:
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return set()
    return {key.value for key, _ in root.value} if isinstance(root, yaml.MappingNode) else set()
