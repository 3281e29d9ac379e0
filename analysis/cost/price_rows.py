"""Each target's price with its own source, as the report shows it."""

import typing

from analysis.cost.pricing import Prices, price_text
from analysis.runs.run_reader import Run
from locustfiles.contract.prices.price import HourlyPrice
from locustfiles.contract.prices.sourced import Source


class PriceRow(typing.NamedTuple):
    """What a target of a run is priced by, and where that is from."""

    run: str
    target: str
    price: str
    origin: typing.Literal["scenario", "book", "library", "none"]
    name: str  # the file, or package and version
    entry: str | None
    region: str | None
    as_of: str | None
    source: str | None  # what the book says of itself
    rules: str  # what was done with the entry's figures
    cautions: str  # what speaks against it


def price_rows(runs: list[Run], prices: dict[str, Prices]) -> list[PriceRow]:
    """Of the runs' targets, in the scenarios' order. prices: by run."""
    found = []
    for run in runs:
        for target, price in prices[run.name].of_target.items():
            text = price_text(price)
            if isinstance(price, HourlyPrice) and price.instance_count > 1:
                text += f" × {price.instance_count}"
            found.append(_row(run.name, target, text, prices[run.name].sources[target]))
    return found


def _row(run: str, target: str, text: str, source: Source) -> PriceRow:
    as_of = source.as_of.isoformat() if source.as_of else None
    where = (source.origin, source.name, source.entry, source.region, as_of, source.source)
    return PriceRow(run, target, text, *where, "; ".join(source.rules), "; ".join(source.cautions))


def priced_by(rows: typing.Iterable[PriceRow]) -> str:
    """Where the prices of one run are from: `configs/pricing/x.yaml`, us-east-1, as of 2024-04-15, source AWS."""
    targets: dict[str, list[str]] = {}
    for row in rows:
        targets.setdefault(_source(row), []).append(f"`{row.target}`")
    if len(targets) == 1:
        return next(iter(targets))
    return "; ".join(f"{', '.join(names)} by {source}" for source, names in targets.items())


def _source(row: PriceRow) -> str:
    if row.origin in ("scenario", "none"):
        return row.name
    parts = (
        f"`{row.name}`",
        row.region,
        f"as of {row.as_of}" if row.as_of else "",
        row.source and f"source {row.source}",
    )
    return ", ".join(part for part in parts if part)


def price_cautions(rows: typing.Iterable[PriceRow]) -> list[str]:
    """What speaks against the prices, a sentence each."""
    targets: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.cautions:
            targets.setdefault((row.run, row.cautions), []).append(f"`{row.target}`")
    return [f"Run {run}, price of {', '.join(names)}: {why}." for (run, why), names in targets.items()]
