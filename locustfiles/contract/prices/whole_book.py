"""All entries of a price book held against known prices, those too that a run does not use."""

import datetime

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import SHIPPED, Book
from locustfiles.contract.prices.find_price import Asked, instance_price, model_price
from locustfiles.contract.prices.guarded import checked_unit
from locustfiles.contract.prices.price_book import ModelEntry
from locustfiles.contract.prices.sourced import Sourced


def odd_entries(books: list[Book], on: datetime.date) -> list[str]:
    """A line for each entry that is in another unit, or far from what is known, of the books that somebody named."""
    return [line for book in books if _is_named(book) for line in _odd(book, on)]


def _is_named(book: Book) -> bool:
    """The project's own books are held against the other sources by its tests."""
    try:
        return not book.shipped and not SHIPPED.samefile(_folder(book))
    except OSError:
        return True


def _folder(book: Book) -> str:
    return book.name.rpartition("/")[0] or "."


def _odd(book: Book, on: datetime.date) -> list[str]:
    lines = []
    for key in (*book.content.instances, *book.content.models):
        try:
            if (found := _of(book, key, on)) and (
                caution := checked_unit(found, key, Asked(book.content.region, on), [book])
            ):
                lines.append(f"{book.name}: `{key}`: {caution}")
        except BadInput as e:
            lines.append(str(e))
    return lines


def _of(book: Book, key: str, on: datetime.date) -> Sourced | None:
    """The price that an entry has on a day; None where it has begun by none, or is on top of another."""
    if key in book.content.instances:
        return instance_price(key, on, [book]) if book.content.instance(key, on) else None
    entries = [entry for entry in book.content.models[key] if isinstance(entry, ModelEntry)]
    return model_price(key, Asked(book.content.region, on), [book]) if entries and book.content.model(key, on) else None
