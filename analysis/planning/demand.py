"""The load that is planned for: transactions a minute in each hour of a day or a week, and how they grow."""

import csv
import dataclasses
import math
import pathlib
import typing

from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.price import HOURS_A_MONTH

HOURS = {1: "the same in every hour", 24: "by the hour of a day", 168: "by the hour of a week"}
#: what a column of rates may be called -> by how much a figure is multiplied to be transactions a minute
COLUMNS = {"transactions_per_minute": 1.0, "transactions_per_hour": 1 / 60, "requests_per_second": 60.0}


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """per_minute: transactions a minute, one an hour: 1, 24 or 168 of them. growth: per month, as a share."""

    per_minute: tuple[float, ...]
    growth: float = 0.0
    months: int = 1

    @property
    def peak(self) -> float:
        return max(self.per_minute)

    @property
    def hours_each(self) -> float:
        """Hours of a month that one row stands for: 730 in all."""
        return HOURS_A_MONTH / len(self.per_minute)

    @property
    def a_month(self) -> float:
        """Transactions in a month of 730 hours."""
        return math.fsum(self.per_minute) * 60 * self.hours_each

    def times(self, factor: float) -> typing.Self:
        """The same shape, higher or lower."""
        return dataclasses.replace(self, per_minute=tuple(rate * factor for rate in self.per_minute))

    def in_month(self, month: int) -> typing.Self:
        """Of month 1, 2, …: the first is as given."""
        return self.times((1 + self.growth) ** (month - 1))

    @property
    def text(self) -> str:
        """`600 transactions a minute in every hour: 26,280,000 a month`"""
        if len(set(self.per_minute)) == 1:
            rate = f"{show.number(self.peak)} transactions a minute in every hour"
        else:
            low = show.number(min(self.per_minute))
            rate = f"{low} to {show.number(self.peak)} transactions a minute, {HOURS[len(self.per_minute)]}"
        return f"{rate}: {show.count(round(self.a_month))} a month of {HOURS_A_MONTH} hours"


def constant(per_minute: float) -> Demand:
    """The same rate in every hour."""
    return Demand((per_minute,))


def of_file(path: str | pathlib.Path) -> Demand:
    """Of a CSV with a row an hour: a header that names the rate (`transactions_per_minute`, …), other columns left alone.

    Raises BadInput.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        why = getattr(e, "strerror", None) or "it is no CSV in UTF-8"
        raise BadInput(f"{path}: cannot be read ({why}); give a CSV with a rate an hour") from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    named = [i for i, name in enumerate(header) if name in COLUMNS]
    if len(named) != 1:
        wanted = ", ".join(COLUMNS)
        raise BadInput(f"{path}: line 1: needs a header with one of {wanted}; write it over the column of rates")
    (column,) = named
    factor = COLUMNS[header[column]]
    for hour, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise BadInput(
                f"{path}: hour {hour}: has {len(row)} cells where the header has {len(header)}; write one a column"
            )
    rates = [_rate(path, hour, row[column].strip()) * factor for hour, row in enumerate(rows[1:], start=1)]
    if len(rates) not in (24, 168):
        raise BadInput(f"{path}: has {len(rates)} hours; give 24 (a day) or 168 (a week), a row each")
    if not any(rates):
        raise BadInput(f"{path}: every rate is 0; give the load that is planned for")
    return Demand(tuple(rates))


def _rate(path: str | pathlib.Path, hour: int, cell: str) -> float:
    try:
        rate = float(cell)
    except ValueError:
        rate = math.nan
    if not math.isfinite(rate) or rate < 0:
        raise BadInput(f"{path}: hour {hour}: `{cell}` is no rate; write a number of 0 or more, with a decimal point")
    return rate
