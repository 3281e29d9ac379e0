"""A price book's file with the entries of the Price List API put into it: what somebody wrote stays, to the letter."""

import datetime
import decimal
import os
import pathlib
import re
import tempfile
import typing

import yaml

from analysis.prices.offered import SOURCE, Offered
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.price_book import PriceBook, load_price_book

SECTIONS = ("instances", "models")
#: a key that YAML reads as text without quotes
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(:[0-9a-z]+)*")


def is_ours(entry: typing.Any) -> bool:
    """Whether an entry of a book is this command's own, and may be written anew."""
    return bool(entry.source == SOURCE)


def written(old: str, offers: Offered, region: str, on: datetime.date) -> str:
    """The book's text with the offered entries in the place of this command's own. Raises BadInput."""
    text = old or _HEAD.format(region=region, on=on, source=SOURCE)
    for section in SECTIONS:
        entries = {key: _line(key, entry, on) for key, entry in getattr(offers, section).items()}
        if entries:
            text = _with_section(text, section, entries)
    return text


_HEAD = """# Prices of {region}. Entries whose source is {source} are kept by `python -m analysis prices update --write`;
# one with another source, or none, is yours, and stays.
region: {region}
currency: USD
as_of: {on}
source: {source}
"""


def _line(key: str, entry: dict, on: datetime.date) -> str:
    """An entry in one line."""
    name = key if _PLAIN.fullmatch(key) else f'"{key}"'
    return f"{name}: {_flow({**entry, 'as_of': on, 'source': SOURCE})}"


def _flow(value: typing.Any) -> str:
    """YAML's flow style; figures with every digit, and none with an exponent."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, decimal.Decimal):
        return f"{value.normalize():f}" if value != value.to_integral() else f"{value:.1f}"
    return str(value)


def _with_section(text: str, section: str, entries: dict[str, str]) -> str:
    """With the section's lines of these entries replaced where they stand, and the others put below it."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # it has been read as a book
    found = next((value for key, value in root.value if key.value == section), None)
    lines = text.removesuffix("\n").split("\n")
    empty = isinstance(found, yaml.MappingNode) and not found.value
    if root.flow_style or (isinstance(found, yaml.MappingNode) and found.flow_style and not empty):
        raise BadInput(f"`{section}:` is written in braces, into which nothing is put; write an entry a line")
    if not isinstance(found, yaml.MappingNode) or empty:
        end = _last_line(root) + 1  # before `...`, the end of a document
        lines[end:end] = ["", f"{section}:", *(f"  {line}" for line in entries.values())]
        kept = (line for line in lines if not re.match(rf"{section}:\s*\{{\s*\}}\s*(#.*)?$", line))
        return "\n".join(kept) + "\n"
    left = dict(entries)
    indent, places = " " * found.start_mark.column, []
    for key, value in found.value:
        if key.value in left:
            places.append((key.start_mark.line, _end(key, value), left.pop(key.value)))
    end = max(_end(key, value) for key, value in found.value) + 1
    lines[end:end] = [indent + line for line in left.values()]
    for first, last, line in reversed(places):
        lines[first : last + 1] = [indent + line]
    return "\n".join(lines) + "\n"


def _end(key: yaml.Node, value: yaml.Node) -> int:
    """The last line of an entry. An alias has the place of what it stands for, which is before it."""
    return int(key.start_mark.line) if value.start_mark.index < key.start_mark.index else _last_line(value)


def _last_line(node: yaml.Node) -> int:
    """On which a value ends; the mark of a block lies at the beginning of what follows it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(*last) if isinstance(last, tuple) else _last_line(last)
    return int(node.end_mark.line) - (node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line)


def save(path: pathlib.Path, text: str, before: PriceBook | None) -> PriceBook:
    """Put it into the place of the file, whole or not at all, once it reads as a book that has kept what was not ours.

    Raises BadInput.
    """
    target = pathlib.Path(os.path.realpath(path))  # a link stays one
    try:
        newline = "\r\n" if target.is_file() and b"\r\n" in target.read_bytes() else "\n"
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
        with tempfile.NamedTemporaryFile(
            "w", dir=target.parent, suffix=".yaml", delete=False, encoding="utf-8", newline=newline
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            after = load_price_book(file.name)
            if before is not None and (lost := _changed(before, after)):
                raise BadInput(
                    f"{path}: entry `{lost}` would have been lost; nothing was written, write one entry a line"
                )
            pathlib.Path(file.name).chmod(mode)
            pathlib.Path(file.name).replace(target)
        except BadInput as e:
            raise BadInput(str(e).replace(file.name, str(path))) from None
        finally:
            pathlib.Path(file.name).unlink(missing_ok=True)
    except OSError as e:
        raise BadInput(f"{path}: cannot be written ({e.strerror}); mend that, or give another --book") from None
    return after


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _changed(before: PriceBook, after: PriceBook) -> str | None:
    """An entry that is not ours and is not as it was."""
    for section in SECTIONS:
        new = getattr(after, section)
        for key, entries in getattr(before, section).items():
            if not all(map(is_ours, entries)) and new.get(key) != entries:
                return key
    return None
