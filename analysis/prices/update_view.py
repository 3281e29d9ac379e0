"""What `prices update` would change in a book, line by line: new, changed, the same, and what is yours and stays."""

import datetime
import decimal
import typing

import pydantic

from analysis.prices.book_text import SECTIONS, is_ours
from analysis.prices.offered import Offered
from analysis.words.format import percent
from analysis.words.format import price as shown
from locustfiles.contract.prices.price import KINDS
from locustfiles.contract.prices.price_book import PriceBook

Figures = dict[str, decimal.Decimal]


class Changes(typing.NamedTuple):
    """Offered entries that may be written, and what there is to say of all."""

    wanted: Offered
    lines: list[str]
    new: int
    changed: int
    same: int
    kept: int  # somebody's own that AWS prices otherwise
    unlisted: int  # this command's own of which AWS says nothing any more


def changes(book: PriceBook | None, offers: Offered, on: datetime.date) -> Changes:
    """Offers against a book, or against none."""
    wanted = Offered({}, {}, offers.left_out, offers.unmatched)
    lines: list[str] = []
    counts = dict.fromkeys(("new", "changed", "same", "kept", "unlisted"), 0)
    for section in SECTIONS:
        held: dict[str, list[typing.Any]] = getattr(book, section) if book else {}
        for key, offer in getattr(offers, section).items():
            old = held.get(key, [])
            verdict, told = _verdict(key, offer, old, on)
            counts[verdict] += 1
            lines += told
            if verdict in ("new", "changed") or (verdict == "same" and all(map(is_ours, old))):
                getattr(wanted, section)[key] = offer
        ours = [key for key, entries in held.items() if all(map(is_ours, entries))]
        counts["unlisted"] += len(set(ours) - set(getattr(offers, section)))
    return Changes(wanted, lines, **counts)


def _verdict(key: str, offer: dict, old: list, on: datetime.date) -> tuple[str, list[str]]:
    new = figures_of_offer(offer)
    if not old:
        return "new", [f"+ {key}: {_told(new)}"]
    begun = [entry for entry in old if entry.effective is None or entry.effective <= on] or old[:1]
    entry = max(begun, key=lambda entry: entry.effective or datetime.date.min)
    before = figures_of_entry(entry)
    differing = [what for what in dict.fromkeys((*before, *new)) if before.get(what) != new.get(what)]
    if not differing:
        return "same", []
    told = ", ".join(f"{what} {_change(what, before.get(what), new.get(what))}" for what in differing)
    if all(map(is_ours, old)):
        return "changed", [f"~ {key}: {told}"]
    return "kept", [f"! {key}: yours and kept ({entry.source or 'the source of the book'}); AWS lists {told}"]


def _told(figures: Figures) -> str:
    return ", ".join(f"{what} {_figure(what, usd)}" for what, usd in figures.items())


def _figure(what: str, usd: decimal.Decimal | None) -> str:
    """A price, or the factor of a tier."""
    if usd is None:
        return "none"
    return f"{usd.normalize():f}" if what.endswith("×") else shown(float(usd))


def _change(what: str, before: decimal.Decimal | None, now: decimal.Decimal | None) -> str:
    if before is None:
        return f"{_figure(what, now)}, which is not in the book"
    if now is None:
        return f"no price; the book has {_figure(what, before)}"
    share = f" ({'+' if now > before else ''}{percent(float(now / before - 1))})" if before else ""
    return f"{_figure(what, before)} -> {_figure(what, now)}{share}"


def figures_of_offer(offer: dict) -> Figures:
    """Every figure of an entry by what it is, as `changes` compares them."""
    figures: Figures = {}
    for what, value in offer.items():
        if what == "steps":
            figures |= {
                f"{kind} above {s['above']:,}": usd for s in value for kind, usd in s.items() if kind != "above"
            }
        elif what == "units":
            figures |= {f"a {unit}": usd for unit, usd in value.items()}
        elif what == "variants":
            for tier, inner in value.items():
                rates = inner if isinstance(inner, dict) else {"×": inner}
                figures |= {f"{tier} {kind}": usd for kind, usd in rates.items()}
        else:
            figures[what] = value
    return figures


def figures_of_entry(entry: pydantic.BaseModel) -> Figures:
    """The same of an entry that was read."""
    keep = {"usd_per_hour", *KINDS, "steps", "units", "variants"}
    data = entry.model_dump(exclude_none=True, include=keep)
    if data.get("units"):  # tokens that cost nothing are not told
        data = {key: value for key, value in data.items() if value != 0}
    return figures_of_offer(_exact({key: value for key, value in data.items() if value != () and value != {}}))


def _exact(value: typing.Any) -> typing.Any:
    """Floats as the decimals that were written."""
    if isinstance(value, dict):
        return {key: inner if key == "above" else _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    return decimal.Decimal(repr(value)) if isinstance(value, float) else value
