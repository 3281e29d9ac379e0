"""Numbers as people read them; the same in the HTML report, the Markdown report and the plots.

Every function takes a number or None and returns text; what is not known (None, NaN, pandas' NA,
an infinity) is `UNKNOWN`, an en dash, and never 0. Where an infinity means a failure, `or_failed` says so.

    money(22.155)      $22.16         money(0.00221625)  $0.002216     USD: cents above $1, else 4 digits
    price(37.688)      $37.688        price(6e-05)       $0.00006      as in the price book, every digit
    seconds(1.4832)    1.48 s         seconds(0.0312)    31.2 ms       3 significant digits
    milliseconds(16.8) 16.8 ms        utc(1767323045)    2026-01-02 03:04:05 UTC
    number(9296.4)     9,296          number(0.360)      0.360         3 significant digits, whole above 100
    percent(0.0625)    6.25 %         percent(0)         0 %           takes a share of 1
    count(12345)       12,345         whole numbers
    text(None)         –              anything else, as str() gives it
"""

import datetime
import decimal
import math
import numbers
import typing

UNKNOWN = "–"
HOURLY_PRICE = "On-demand cost ($/h)"
#: columns of prices as a price book has them, in any table: printed with every digit
PRICES = (
    HOURLY_PRICE, "usd_per_hour", "usd_per_1k_input", "usd_per_1k_output", "usd_per_1k_cache_read", "usd_per_1k_cache_write",
)  # fmt: skip
FAILED = "∞ (failed)"
Value = typing.TypeVar("Value")


def known(value: Value | None) -> typing.TypeGuard[Value]:
    """True for a value that can be shown: not None, NaN, NA, NaT, an infinity or empty text."""
    if value is None or (isinstance(value, str) and not value):
        return False
    if isinstance(value, numbers.Real):
        return math.isfinite(value)
    return type(value).__name__ not in ("NAType", "NaTType")


def _significant(value: float, digits: int) -> str:
    """`digits` significant digits without an exponent, thousands apart; digits left of the point are all kept."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = digits - 1 - math.floor(math.log10(abs(rounded)))
    if decimals <= 0:
        return f"{value:,.0f}"
    return f"{value:,.{decimals}f}"


def number(value: float | None, digits: int = 3) -> str:
    return _significant(float(value), digits) if known(value) else UNKNOWN


def count(value: float | None) -> str:
    return f"{float(value):,.0f}" if known(value) else UNKNOWN


def percent(share: float | None) -> str:
    """0.0625 -> 6.25 %. At most two decimals, but a share that is not 0 never reads 0 % (nor 100 % below 1)."""
    if not known(share):
        return UNKNOWN
    of_100 = float(share) * 100
    shown = f"{of_100:.2f}".rstrip("0").rstrip(".")
    if shown in ("0", "-0") and of_100 != 0:
        return "< 0.01 %"
    if shown == "100" and of_100 < 100:
        return "> 99.99 %"
    return f"{shown} %"


def money(usd: float | None) -> str:
    """US dollars: $12,346 from 10,000 on, cents from 1 on, below that 4 significant digits."""
    if not known(usd):
        return UNKNOWN
    value = float(usd)
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size >= 10_000:
        shown = f"{size:,.0f}"
    elif size >= 1 or size == 0:
        shown = f"{size:,.2f}"
    else:
        whole, _, cents = _significant(size, 4).partition(".")
        shown = f"{whole}.{cents.rstrip('0').ljust(2, '0')}"
    return f"{sign}${shown}"


def exact(value: float | None) -> str:
    """The shortest decimal that reads back as the same float, never with an exponent: 0.00006, 37.688, 2."""
    if not known(value):
        return UNKNOWN
    shown = f"{decimal.Decimal(repr(float(value))):f}"
    return shown.removesuffix(".0")


def price(usd: float | None) -> str:
    """A price as its price book has it: no digit is rounded away, for figures are checked by it."""
    return f"${exact(usd)}" if known(usd) else UNKNOWN


def span(low: float | None, high: float | None) -> str:
    """$0.5741 to $0.7061; one figure where both read the same, `$0.5741 or more` without an upper end."""
    if not known(low) or money(low) == money(high):
        return money(high)
    return f"{money(low)} to {money(high)}" if known(high) else f"{money(low)} or more"


def seconds(value: float | None) -> str:
    """1.48 s; below 0.1 s in milliseconds."""
    if not known(value):
        return UNKNOWN
    if 0 < abs(value) < 0.1:
        return f"{number(value * 1000)} ms"
    return f"{number(value)} s"


def milliseconds(value: float | None) -> str:
    return f"{number(value)} ms" if known(value) else UNKNOWN


def utc(seconds: float | None) -> str:
    """Unix seconds -> 2026-01-02 03:04:05 UTC."""
    return (
        f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M:%S UTC}" if known(seconds) else UNKNOWN
    )


def or_failed(words: typing.Callable[[float | None], str], value: float | None) -> str:
    """`words(value)`; FAILED for the infinity that a failed request counts as."""
    return FAILED if failed(value) else words(value)


def failed(value: object) -> bool:
    return isinstance(value, numbers.Real) and value == math.inf


def ends(words: typing.Callable[[float | None], str], low: float | None, high: float | None) -> str:
    """`2.31 s – 2.86 s`, `2.31 s – wide` without an upper end; nothing where no interval is known."""
    return f"{words(low)} – {words(high) if known(high) else 'wide'}" if known(low) else ""


def between(
    words: typing.Callable[[float | None], str], value: float | None, low: float | None, high: float | None
) -> str:
    """`2.51 s (2.31 s – 2.86 s)`; the value alone where no interval is known."""
    interval = ends(words, low, high) if known(value) else ""
    return f"{words(value)} ({interval})" if interval else words(value)


def text(value: object) -> str:
    return str(value) if known(value) else UNKNOWN
