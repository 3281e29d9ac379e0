"""What each target of a run costs, and where that price is from: by the run's own manifest, or by another price book."""

import datetime
import json
import pathlib
import typing

import pydantic

from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.prices.books import Book
from locustfiles.contract.prices.guards import cautions
from locustfiles.contract.prices.price import HourlyPrice, Price, Rates, Reserved, TokenPrice, UnknownPrice
from locustfiles.contract.prices.price_book import load_price_book
from locustfiles.contract.prices.sourced import Source, Sourced, book_among
from locustfiles.contract.run_folder import NotARun
from locustfiles.contract.scenario.target_prices import OWN, price_of
from locustfiles.contract.scenario.targets import Target

if typing.TYPE_CHECKING:  # `check` has no run, and reading one loads pandas
    from analysis.runs.run_reader import Run

_UNPRICED = (
    "the files of {} name no price; import them again with --instance, --model or --usd-per-hour, or give a price book "
    "that has the target with --pricing"
)


class Prices(typing.NamedTuple):
    """Of a run's targets, each with its own source."""

    of_target: dict[str, Price]
    sources: dict[str, Source]

    @property
    def book(self) -> dict[str, str | None]:
        """The price book among the sources: file, region, as_of, source."""
        return book_among(self.sources.values())


def prices_of_run(run: "Run", pricing: str | pathlib.Path | None = None) -> Prices:
    """The prices in the run's manifest; with `pricing`, those of that book: a target's own `price:` stays, and a model that the
    run priced by the library is priced by it where the book lacks it.

    Raises BadPriceBook, or BadScenario naming the target that the book has no price for.
    """
    book = Book(str(pricing), load_price_book(pricing)) if pricing else None
    found = {
        t.name: _recorded(run, t) if book is None else _by_book(run, t, book, _recorded_source(run, t))
        for t in run.scenario.targets
    }
    return Prices({name: price for name, (price, _) in found.items()}, {name: s for name, (_, s) in found.items()})


def day_of(run: "Run") -> datetime.date:
    """On which it began, UTC."""
    return datetime.datetime.fromtimestamp(run.manifest.started_at, datetime.UTC).date()


def _by_book(run: "Run", target: Target, book: Book, before: Source) -> Sourced:
    try:
        found = price_of(target, run.scenario.region, day_of(run), [book])
        if found.source.origin != "scenario" and found.source.name != book.name and before.origin != "library":
            told = [caution for caution in found.source.cautions if book.name in caution]
            raise BadInput("; ".join(told) or f"no price for `{target.price_key}`; add it to the price book")
    except BadInput as e:
        raise BadScenario(f"{book.name}: target `{target.name}` of run {run.name}: {e}") from None
    return found


def _recorded(run: "Run", target: Target) -> tuple[Price, Source]:
    data = run.manifest.prices.get(target.name)
    if data is None and (imported := run.manifest.imported):
        return UnknownPrice(why=_UNPRICED.format(imported.tool)), Source(origin="none", name="no price is known")
    if data is None:
        raise NotARun(
            f"{run.path}/manifest.json: no price for target `{target.name}`; give a price book with --pricing"
        )
    try:
        price = (HourlyPrice if "usd_per_hour" in data else TokenPrice).model_validate(data)
    except pydantic.ValidationError as e:
        raise _unreadable(run, f"price of target `{target.name}`", e) from None
    return Sourced(price, _recorded_source(run, target))


def _recorded_source(run: "Run", target: Target) -> Source:
    """As the manifest has it. One of before sources were recorded knows the run's book alone."""
    data = run.manifest.price_sources.get(target.name)
    if data is None:
        if target.price is not None:
            return Source(origin="scenario", name=OWN)
        source = _of_the_runs_book(run.manifest.price_book)
        return source.model_copy(update={"cautions": cautions(source, run.scenario.region, day_of(run))})
    try:
        return Source.model_validate_json(json.dumps(data))
    except pydantic.ValidationError as e:
        raise _unreadable(run, f"source of the price of target `{target.name}`", e) from None


def _of_the_runs_book(book: dict[str, typing.Any]) -> Source:
    """Whatever stands there; what is no date is told as it is."""
    file, region, as_of, source = (book[key] and str(book[key]) for key in ("file", "region", "as_of", "source"))
    try:
        date = datetime.date.fromisoformat(as_of) if as_of else None
    except ValueError:
        date, source = None, f"{source}, as of {as_of}"
    return Source(
        origin="book",
        name=file or "a price book without a name",
        region=region or None,
        as_of=date,
        source=source or None,
    )


def _unreadable(run: "Run", what: str, e: pydantic.ValidationError) -> NotARun:
    why = e.errors()[0]["msg"]
    return NotARun(f"{run.path}/manifest.json: {what} cannot be read ({why}); give a price book with --pricing")


def price_text(price: Price) -> str:
    """`$37.688 per hour` of one instance, or `$0.003 in, $0.015 out per 1,000 tokens`, with all that it knows besides."""
    if isinstance(price, UnknownPrice):
        return "not known"
    if isinstance(price, HourlyPrice):
        parts = [f"{show.price(price.usd_per_hour)} per hour"]
        if price.reserved:
            parts.append(f"reserved: {_reserved(price.reserved)}")
        if price.share < 1:
            parts.append(f"{show.percent(price.share)} of it this target's share")
        return ", ".join(parts)
    parts = [f"{show.price(usd)} per {unit}" for unit, usd in price.units.items()]
    if price.guardrail and not (price.input or price.output or price.units):
        parts = [f"{show.price(usd)} per unit of {policy}" for policy, usd in price.guardrail.items()]
    elif price.input or price.output or not price.units:
        parts.insert(0, f"{_rates(price)} per 1,000 tokens")
        parts += [f"above {show.count(s.above)} prompt tokens {_rates(s)}" for s in price.steps]
    return "; ".join(parts)


def _rates(rates: Rates) -> str:
    kinds = {
        "in": rates.input,
        "out": rates.output,
        "read from a cache": rates.cache_read,
        "written to one": rates.cache_write,
        "written for an hour": rates.cache_write_1h,
    }
    return ", ".join(f"{show.price(usd)} {kind}" for kind, usd in kinds.items() if usd is not None)


def _reserved(of: Reserved) -> str:
    """Input and output tokens a minute and their prices."""
    each = [("input", of.input_tpm, of.input_usd_per_1k_tpm_month)]
    each += [("output", of.output_tpm, of.output_usd_per_1k_tpm_month)] if of.output_tpm else []
    words = (f"{show.count(tpm)} {kind} tokens/min at {show.price(usd)}" for kind, tpm, usd in each)
    return f"{' and '.join(words)} per 1,000 a minute and month"
