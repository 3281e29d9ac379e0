"""Why a file cannot be read as it is: empty, packed, or text that is not UTF-8; and what to do."""

import codecs
import json
import pathlib
import re
import typing

from analysis.words.packed import packed_by

_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SQLITE = b"SQLite format 3\x00"
_WRONG_KIND = {
    ".csv": "a CSV", ".html": "a web page", ".xlsx": "a workbook", ".yaml": "YAML", ".yml": "YAML", ".log": "a log", ".txt": "a text",
    ".md": "a text", ".png": "a picture", ".parquet": "Parquet", ".json": "JSON", ".jsonl": "JSON Lines",
}  # fmt: skip
_HEAD = 1 << 14
_MOST_FILES = 5000  # that are looked at
_PARSED = 1 << 26  # bytes of a file that is none of the tool's
# names that vllm bench and genai-bench give a level
_LEVEL = re.compile(r"(\d|inf)qps.*\.json$|_(num_concurrency|batch_size)_\d+_.*\.json$")
_NOT_ITS = "named as the tool's results are, and holds none: damaged; copy it again, or take it out of the folder"


def why_not(path: pathlib.Path) -> str | None:
    """`packed by gzip; unpack it: gunzip a.json.gz`; None for text, for a database, and for what cannot be opened."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    if not head.strip():
        return "empty; copy it again, or take it out of the folder"
    if path.suffix != ".xlsx" and (packed := packed_by(head)):
        return f"packed by {packed.name}; unpack it: {packed.unpack} {path.name}"
    if head[257:262] == b"ustar":
        return f"packed by tar; unpack it: tar xf {path.name}"
    if head.startswith(_SQLITE):
        return None
    return _encoding(path, head)


def _encoding(path: pathlib.Path, head: bytes) -> str | None:
    form = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if form is None and path.suffix in (".json", ".jsonl", ".csv") and head[:64].count(0) >= len(head[:64]) // 3:
        form = "UTF-16 without a byte order mark" if head[:64].count(0) <= len(head[:64]) // 2 else "UTF-32"
    return f"{form}, not UTF-8; {resaved(path, form.partition(' ')[0])}" if form else None


def resaved(path: pathlib.Path, form: str) -> str:
    """The remedy."""
    return f"save it as UTF-8: iconv -f {form} -t UTF-8 {path.name}"


def not_utf8(path: pathlib.Path, error: UnicodeDecodeError) -> str:
    """Of a file whose bytes are none."""
    return f"{path}: not UTF-8 (byte {error.start}), in another encoding or damaged; {resaved(path, 'WINDOWS-1252')}, or copy it again"


def unreadable_below(path: pathlib.Path, found: typing.Sequence[pathlib.Path]) -> tuple[pathlib.Path, str] | None:
    """The first file that cannot be read as it is, of those that may be the tool's: all of them, or where some are found, one of the
    same name elsewhere, or of the same kind beside it. So no level is missed in silence."""
    for file in found:
        if why := why_not(file):
            return file, why
    each = [path] if path.is_file() else (p for _, p in zip(range(_MOST_FILES), sorted(path.rglob("*")), strict=False))
    kinds = {(p.parent, p.suffix) for p in found}
    names = {p.name for p in found}
    for file in each:
        plain = pathlib.PurePath(file.name)
        while plain.suffix in (".gz", ".zip", ".zst", ".bz2", ".xz"):
            plain = plain.with_suffix("")
        named = plain.name in names or bool(found and _LEVEL.search(plain.name))
        beside = (file.parent, plain.suffix) in kinds
        if file in found or not (named or beside or not found) or not file.is_file() or not _of_results(file):
            continue
        why = why_not(file) or (_NOT_ITS if named else _broken(file) if found else None)
        if why:
            return file, why
    return None


def _broken(file: pathlib.Path) -> str | None:
    """Another's JSON beside is none of ours, but what is no JSON may have been a level."""
    if file.suffix != ".json" or file.stat().st_size > _PARSED:
        return None
    try:
        json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return _NOT_ITS
    return None


def _of_results(file: pathlib.Path) -> bool:
    return any(
        s in (".json", ".jsonl", ".csv", ".db", ".gz", ".zip", ".zst", ".bz2", ".xz", ".tar", ".tgz", ".7z")
        for s in file.suffixes
    )


def kind_of_file(path: pathlib.Path) -> str | None:
    """By its name, in words."""
    return _WRONG_KIND.get(path.suffix.lower()) if path.is_file() else None
