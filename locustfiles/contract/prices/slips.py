"""`Did you mean …`: offered for a slip of the keyboard, never for another version, size or family."""

import collections.abc
import re

from locustfiles.contract.prices.model_ids import canonical, undated

_SHORTEST = 5  # a shorter word with another letter is another family: g6 and g6e, p5 and p5en, lite and pro


_LATER_VERSION = re.compile(r"-v\d+$")


def meant(name: str, known: collections.abc.Iterable[str], itself: bool = False) -> str | None:
    """The one name that `name` differs from by a missing prefix or suffix, by a separator, or by a letter or two of one word; else
    the one that has it as its plain name.

    itself: `name` was mended already, and may be known.
    """
    names = list(dict.fromkeys(known))
    if itself and name in names:
        return name
    names = [each for each in names if each != name]
    words = {word for each in names for word in _words(each)}
    found = [each for each in names if _same_but_for_ends(name, each) or _slip(name, each, words)]
    found = found or [each for each in names if _is_plain_name(name, each)]
    return found[0] if len({canonical(each) for each in found}) == 1 else None


def _words(name: str) -> list[str]:
    return re.split(r"[-.:_]", name)


def _same_but_for_ends(name: str, other: str) -> bool:
    return canonical(name.lower()) == canonical(other.lower()) or (len(name) > _SHORTEST and other.endswith(f".{name}"))


def _is_plain_name(name: str, other: str) -> bool:
    """Whether it is `claude-sonnet-4-5` or `nova-lite`: what is left of an id without vendor, date and version."""
    full = undated(other.partition(".")[2])
    return _dashed(canonical(name.lower())) in (_dashed(full), _dashed(_LATER_VERSION.sub("", full)))


def _dashed(name: str) -> str:
    return "-".join(_words(name))


def _slip(name: str, other: str, words: set[str]) -> bool:
    """Whether one word is misspelled; a word that another name has is no slip."""
    pairs = list(zip(_words(name), _words(other), strict=False))
    if len(_words(name)) != len(_words(other)):
        return False
    differing = [(a, b) for a, b in pairs if a != b]
    if not differing:
        return True  # `5.5` for `5-5`
    if len(differing) > 1:
        return False
    typed, right = differing[0]
    return (
        typed not in words
        and min(len(typed), len(right)) >= _SHORTEST
        and re.findall(r"\d+", typed) == re.findall(r"\d+", right)
        and _distance(typed, right) <= 2
    )


def _distance(a: str, b: str) -> int:
    """Letters to insert, drop or replace."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]
