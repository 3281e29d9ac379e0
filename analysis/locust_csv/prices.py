"""Prices of what ran: by the hour or by the token, from the book or given, one for all prefixes or each its own."""

import datetime
import re
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.words.format import count
from analysis.words.format import price as price_text
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import Book
from locustfiles.contract.prices.find_price import Asked, NoPrice, instance_price, model_price
from locustfiles.contract.prices.guarded import guarded
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.price_book import asks_aws, load_price_book
from locustfiles.contract.prices.slips import meant
from locustfiles.contract.prices.sourced import Source
from locustfiles.contract.prices.units import Known, unit_caution

NUMBER = re.compile(r"[0-9]*\.?[0-9]+")


@dataclass(frozen=True, slots=True)
class Price:
    """USD per hour of all instances together, or per 1,000 tokens; `words` is a sentence without its full stop."""

    short: str  # for a table: $1.212/h, ml.g5.2xlarge
    words: str
    usd_per_hour: float | None = None
    input_usd_per_1k: float | None = None
    output_usd_per_1k: float | None = None
    notes: tuple[str, ...] = ()  # rules and cautions, a sentence each without its full stop

    @property
    def hourly(self) -> bool:
        return self.usd_per_hour is not None


@dataclass(frozen=True, slots=True)
class Pricer:
    """Makes prices of what was typed, with one price book and one number of instances."""

    pricing: str
    instance_count: int

    def per_hour(self, usd: float, what: str = "instance", source: str = "given on the command line") -> Price:
        words = (
            f"Price: {self.instance_count} × {what} at {price_text(usd)} an hour ({source}), at full use: an endpoint is "
            "paid for when idle, too"
        )
        short = f"{price_text(usd)}/h" if what == "instance" else what
        times = f"{self.instance_count} × " if self.instance_count > 1 else ""
        return Price(times + short, words, usd_per_hour=usd * self.instance_count)

    def per_token(
        self, each: tuple[float, float], what: str = "tokens", source: str = "given on the command line"
    ) -> Price:
        told = f"{price_text(each[0])} in, {price_text(each[1])} out per 1,000"
        words = f"Price: {what} at {told} ({source}); failures are taken to bill nothing"
        return Price(told if what == "tokens" else what, words, input_usd_per_1k=each[0], output_usd_per_1k=each[1])

    def given(self, each: tuple[float, float]) -> Price:
        """Of two figures that were typed. Raises BadInput for those of another unit."""
        typed = TokenPrice(input=each[0], output=each[1])
        try:
            odd = unit_caution(typed, Known(None, None, _today()))
        except BadInput as e:
            raise BadInput(f"--input-usd-per-1k and --output-usd-per-1k: {e}") from None
        return replace(self.per_token(each), notes=(f"Mind the price: {odd}",) if odd else ())

    def instance(self, name: str) -> Price:
        """Raises BadInput."""
        book = load_price_book(self.pricing)
        books = [Book(self.pricing, book)]
        try:
            found = instance_price(name, _today(), books)
        except NoPrice:
            hint = _hint(name, list(book.instances))
            raise BadInput(
                f"{self.pricing}: no price for instance type {name}; {hint}add it there{asks_aws(book.region)}, or give --usd-per-hour"
            ) from None
        found = guarded(found, None, Asked(book.region, _today()), books)
        assert isinstance(found.price, HourlyPrice)
        return replace(self.per_hour(found.price.usd_per_hour, name, found.source.text), notes=_notes(found.source))

    def model(self, name: str) -> Price:
        """Raises BadInput."""
        book = load_price_book(self.pricing)
        asked, books = Asked(book.region, _today()), [Book(self.pricing, book)]
        try:
            found = guarded(model_price(name, asked, books), name, asked, books)
        except BadInput as e:
            remedy = ", or give --input-usd-per-1k and --output-usd-per-1k" if isinstance(e, NoPrice) else ""
            raise BadInput(f"{self.pricing}: {e}{remedy}") from None
        assert isinstance(found.price, TokenPrice)
        priced = self.per_token((found.price.input, found.price.output), name, found.source.text)
        steps = [
            f"Not counted here: above {count(step.above)} prompt tokens {name} costs {price_text(step.input)} in, "
            f"{price_text(step.output)} out per 1,000"
            for step in found.price.steps
        ]
        return replace(priced, notes=(*steps, *_notes(found.source)))

    def split(self, given: str) -> tuple[str, Price | None]:
        """PREFIX:PRICE -> both; a price is USD per hour, an instance type or a model id. Raises BadInput.

        A file whose own name has a colon is taken for the prefix that it is.
        """
        colons = [i for i, character in enumerate(given) if character == ":" and i]
        if not colons or _is_there(given):
            return given, None
        # a model id has colons of its own
        at = next((i for i in colons if _is_there(given[:i])), colons[-1])
        prefix, price = given[:at], given[at + 1 :]
        if NUMBER.fullmatch(price.removeprefix("$")):
            usd = float(price.removeprefix("$"))
            if usd <= 0:
                raise BadInput(f"--locust-csv {given}: a price of 0; give USD per hour above 0")
            return prefix, self.per_hour(usd)
        if re.fullmatch(r"ml\.[\w-]+\.\w+", price):
            return prefix, self.instance(price)
        return (prefix, self.model(price)) if _is_there(prefix) else (given, None)


def _is_there(prefix: str) -> bool:
    return any(Path(f"{prefix}{end}").exists() for end in ("", "_stats.csv", "_stats_history.csv", "_requests.csv"))


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _notes(source: Source) -> tuple[str, ...]:
    rules = (f"The price of {source.entry}: {rule}" for rule in source.rules)
    return (*rules, *(f"Mind the price of {source.entry}: {caution}" for caution in source.cautions))


def _hint(name: str, known: list[str]) -> str:
    """For a slip of the keyboard alone: another size, version or family is another price."""
    close = meant(name, known)
    return f"did you mean {close}? Else " if close else ""
