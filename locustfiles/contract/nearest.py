"""The name that may have been meant, for `did you mean`. Of models and instances see prices/slips.py: what looks like one of these
is often another, with another price."""

import collections.abc
import difflib


def nearest(given: str, known: collections.abc.Iterable[str]) -> str | None:
    """The known name that looks most like the given one; None where none does."""
    close = difflib.get_close_matches(given, sorted(known), n=1)
    return close[0] if close else None
