"""Token counts as services write them: what is a whole number, however it is written, and what is none."""

import json

_MOST_DIGITS = 30  # far above what is plausible; a text of more is no number that anybody counted


def whole_number(value: object) -> int | None:
    """A count. `12`, `12.0` and `"12"` are the same number beyond doubt; what would have to be rounded, negated, looked for
    or made up (12.5, -1, NaN, true, {"total": 12}, "12 tokens") is None: money is decided by it."""
    digits = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS
    if digits or (type(value) is float and value.is_integer()):
        value = int(value)  # type: ignore[call-overload]
    return value if type(value) is int and value >= 0 else None


def implausible(name: str, value: int) -> str:
    """Why a count is not believed."""
    shown = f"{value:.3g}" if value < 10**_MOST_DIGITS else f"above 1e+{_MOST_DIGITS}"
    return f"`{name}` of the answer is {shown}, more than a model can count; check what counts at this address"


def unreadable(name: str, value: object) -> str:
    """What stands in the place of a count."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{name}` of the answer is {shown if len(shown) <= 40 else shown[:39] + '…'}, which is no count"
