"""Texts that follow the string keywords of a JSON schema: format, pattern, minLength, maxLength."""

import random
import re
import string
import typing
import uuid
from re import _constants as sre  # type: ignore[attr-defined]  # the parser of `re` has no public name
from re import _parser  # type: ignore[attr-defined]

from scripts.emulator.text import WORDS

_LONGEST = 20_000
_MORE = 3  # repetitions beyond the least, where a pattern sets no limit
_PLAIN = [c for c in string.printable if c.isalnum()] + list(" -_.,:;/+")


def text_of(schema: dict, draw: random.Random) -> str:
    """Raises ValueError where nothing follows the schema."""
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if low > _LONGEST or (high is not None and high < low):
        raise ValueError(f"no text of {low} characters")
    if pattern := schema.get("pattern"):
        return _matching(pattern, low, high, draw)
    made = _FORMATS[schema["format"]](draw) if schema.get("format") in _FORMATS else _words(draw)
    while len(made) < low:
        made += _words(draw) if not schema.get("format") else draw.choice(string.ascii_lowercase)
    return made if high is None else _cut(made, low, high)


def has(pattern: str, text: str) -> bool:
    """Whether the text has the pattern anywhere. Raises ValueError for what is no pattern."""
    try:
        return re.search(_python(pattern), text) is not None
    except re.error as e:
        raise ValueError(f"pattern {pattern!r}: {e}") from None


def _cut(text: str, low: int, high: int) -> str:
    cut = text[:high].rstrip()
    return cut + "x" * (low - len(cut))


def _words(draw: random.Random) -> str:
    return "".join(draw.choice(WORDS) for _ in range(draw.randint(1, 2))).strip()


def _python(pattern: str) -> str:
    """A pattern of JavaScript's, as Python spells it. Without flags `$` would match before a last line break as well."""
    pattern = re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", pattern)
    pattern = re.sub(r"\\p\{(?:L|Letter|Lu|Ll|Alphabetic)\}", "[A-Za-z]", pattern)
    pattern = re.sub(r"\\p\{(?:N|Nd)\}", "[0-9]", pattern)
    return pattern.replace(r"\/", "/").replace(r"\-", "-" if "[" not in pattern else r"\-")


def _matching(pattern: str, low: int, high: int | None, draw: random.Random) -> str:
    """A text with the pattern; longer repetitions until it is long enough, the shortest where it may not be long."""
    try:
        parsed = _parser.parse(_python(pattern))
    except re.error as e:
        raise ValueError(f"pattern {pattern!r}: {e}") from None
    for more in (*([_MORE] * 20), 0, *([1] * 10), *([max(low, 1)] * 40), *range(1, 60)):
        made = _Pattern(draw, more).text(parsed)
        if not made.endswith("\n") and low <= len(made) <= (len(made) if high is None else high) and has(pattern, made):
            return made
        if len(made) < low and (high is None or low <= high):
            longer = made + "x" * (low - len(made))
            if has(pattern, longer):
                return longer
    raise ValueError(f"no text found for pattern {pattern!r} of this length")


class _Pattern:
    """Walks a parsed pattern and writes what matches it."""

    def __init__(self, draw: random.Random, more: int):
        self._draw, self._more = draw, more
        self._groups: dict[int, str] = {}

    def text(self, parts: typing.Iterable) -> str:
        return "".join(self._part(op, value) for op, value in parts)

    def _part(self, op, value) -> str:
        if op is sre.LITERAL:
            return chr(value)
        if op is sre.NOT_LITERAL:
            return self._draw.choice([c for c in _PLAIN if c != chr(value)])
        if op is sre.ANY:
            return self._draw.choice(string.ascii_lowercase)
        if op is sre.IN:
            return self._draw.choice(_members(value))
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            low, high, inner = value
            if low > _LONGEST:
                raise ValueError(f"no text of {low} repetitions")
            count = self._draw.randint(low, max(low, min(int(high), low + self._more)))
            return "".join(self.text(inner) for _ in range(count))
        if op is sre.BRANCH:
            return self.text(self._draw.choice(value[1]))
        if op is sre.SUBPATTERN:
            made = self._groups[value[0]] = self.text(value[-1])
            return made
        if op is sre.ATOMIC_GROUP:
            return self.text(value)
        if op is sre.GROUPREF:
            return self._groups.get(value, "")
        return ""  # anchors and looks ahead: the result is tried against the whole pattern


def _members(parts: list) -> list[str]:
    """The characters of a class."""
    made: set[str] = set()
    for op, value in parts:
        if op is sre.LITERAL:
            made.add(chr(value))
        elif op is sre.RANGE:
            made |= {chr(c) for c in range(value[0], min(value[1], value[0] + 200) + 1)}
        elif op is sre.CATEGORY:
            made |= {c for c in [*_PLAIN, "\t"] if re.fullmatch(_CATEGORIES[value], c)}
    if parts and parts[0][0] is sre.NEGATE:
        made = set(_PLAIN) - made
    return sorted(made)


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def _date(d: random.Random) -> str:
    return f"{d.randint(2000, 2029)}-{d.randint(1, 12):02}-{d.randint(1, 28):02}"


def _time(d: random.Random) -> str:
    return f"{d.randint(0, 23):02}:{d.randint(0, 59):02}:{d.randint(0, 59):02}Z"


def _name(d: random.Random) -> str:
    return d.choice([w.strip() for w in WORDS if w.strip().isascii() and w.strip().isalpha()])


_FORMATS: dict[str, typing.Callable[[random.Random], str]] = {
    "date": _date,
    "time": _time,
    "date-time": lambda d: f"{_date(d)}T{_time(d)}",
    "duration": lambda d: f"P{d.randint(1, 9)}DT{d.randint(1, 23)}H",
    "email": lambda d: f"{_name(d)}@example.com",
    "idn-email": lambda d: f"{_name(d)}@example.com",
    "hostname": lambda d: f"{_name(d)}.example.com",
    "idn-hostname": lambda d: f"{_name(d)}.example.com",
    "ipv4": lambda d: f"192.0.2.{d.randint(1, 254)}",
    "ipv6": lambda d: f"2001:db8::{d.randint(1, 0xFFFF):x}",
    "ipvanyaddress": lambda d: f"192.0.2.{d.randint(1, 254)}",
    "ipv4network": lambda d: "192.0.2.0/24",
    "ipv6network": lambda d: "2001:db8::/32",
    "uri": lambda d: f"https://example.com/{_name(d)}",
    "uri-reference": lambda d: f"/{_name(d)}",
    "iri": lambda d: f"https://example.com/{_name(d)}",
    "iri-reference": lambda d: f"/{_name(d)}",
    "url": lambda d: f"https://example.com/{_name(d)}",
    "uri-template": lambda d: f"https://example.com/{{{_name(d)}}}",
    "uuid": lambda d: str(uuid.UUID(int=d.getrandbits(128), version=4)),
    "regex": lambda d: f"^{_name(d)}$",
    "json-pointer": lambda d: f"/{_name(d)}",
    "relative-json-pointer": lambda d: f"0/{_name(d)}",
    "byte": lambda d: "dGV4dA==",
    "base64": lambda d: "dGV4dA==",
    "base64url": lambda d: "dGV4dA==",
    "binary": _name,
    "path": lambda d: f"/tmp/{_name(d)}",
    "file-path": lambda d: f"/tmp/{_name(d)}",
    "directory-path": lambda d: "/tmp",
}
