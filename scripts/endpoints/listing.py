"""`list`: each endpoint with its status, age, instances, what it costs an hour and has cost so far, owner and expiry."""

import datetime
import typing

from locustfiles.contract.prices.books import Book
from locustfiles.contract.visible import visible
from scripts.endpoints.control import Control
from scripts.endpoints.inventory import Owned, endpoints
from scripts.endpoints.money import fleets_now, hourly, hours, usd, usd_per_hour
from scripts.endpoints.names import stamp
from scripts.endpoints.waiting import span

_HEADS = ("endpoint", "status", "age", "instances", "$/hour", "so far", "owner", "expires")


class Row(typing.NamedTuple):
    """One endpoint. usd_so_far: as if every second since its creation were billed."""

    endpoint: str
    status: str | None
    created_at: str
    age_s: float
    instances: str
    usd_per_hour: float | None
    usd_so_far: float | None
    owner: str | None
    expires_at: str | None
    expired: bool | None
    run: str | None

    def cells(self) -> tuple[str, ...]:
        expiry = (self.expires_at or "–") + (" (expired)" if self.expired else "")
        money = (hourly(self.usd_per_hour), usd(self.usd_so_far))
        return (self.endpoint, self.status or "–", span(self.age_s), self.instances, *money, self.owner or "–", expiry)


def rows(control: Control, books: list[Book], now: datetime.datetime, foreign: bool) -> list[Row]:
    """Oldest first. Raises Refused, BadInput."""
    found = endpoints(control, foreign)
    return [_row(control, books, now, each) for each in sorted(found, key=lambda each: each.created_at)]


def _row(control: Control, books: list[Book], now: datetime.datetime, each: Owned) -> Row:
    fleets = fleets_now(control, each.item.name, books)
    each_hour, expires = usd_per_hour(fleets), each.expires_at
    lived = hours(each.created_at, now)
    return Row(
        endpoint=each.item.name,
        status=each.status,
        created_at=stamp(each.created_at),
        age_s=lived * 3600,
        instances=", ".join(fleet.words for fleet in fleets) or "–",
        usd_per_hour=each_hour,
        usd_so_far=None if each_hour is None else each_hour * lived,
        owner=each.owner,
        expires_at=stamp(expires) if expires else None,
        expired=None if expires is None else expires <= now,
        run=each.run,
    )


def table(found: list[Row]) -> str:
    """Columns side by side; a last line with what all cost together."""
    lines = [_HEADS, *(tuple(visible(cell) for cell in row.cells()) for row in found)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(_HEADS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    known = [row.usd_per_hour for row in found if row.usd_per_hour is not None]
    unknown = len(found) - len(known)
    note = f", without {unknown} whose price is not known" if unknown else ""
    return "\n".join([*text, f"together {hourly(sum(known) if known else None)}/hour{note}"])
