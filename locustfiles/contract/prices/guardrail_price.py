"""What operations without a model bill: a guardrail's units, by the first price book that has them, or nothing."""

from locustfiles.contract.prices.books import Book
from locustfiles.contract.prices.find_price import NoPrice
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.prices.price_book import EVERYWHERE
from locustfiles.contract.prices.sourced import Source, Sourced

FREE = Sourced(TokenPrice(input=0.0, output=0.0), Source(origin="library", name="CountTokens is free of charge"))


#: what InvokeGuardrailChecks bills by; ApplyGuardrail's policies have names of their own
CHECKS = ("contentFilter", "promptAttack", "sensitiveInformation")


def guardrail_price(books: list[Book], checks: bool) -> Sourced:
    """Of the units alone: no token is billed. checks: of InvokeGuardrailChecks. Raises NoPrice."""
    priced = (book for book in books if any((unit in CHECKS) == checks for unit in book.content.guardrail))
    book = next(priced, None)
    if book is None:
        what, unit = ("checks", CHECKS[0]) if checks else ("a guardrail", "contentPolicyUnits")
        raise NoPrice(
            f"no price of the units of {what}; add `guardrail: {{{unit}: USD, …}}` to the price book, or add "
            f"`price: {{guardrail: {{{unit}: USD, …}}}}`"
        )
    content = book.content
    source = Source(
        origin="book",
        name=book.name,
        entry="guardrail",
        region=None if content.region == EVERYWHERE else content.region,
        as_of=content.as_of,
        source=content.source,
    )
    return Sourced(TokenPrice(input=0.0, output=0.0, guardrail=content.guardrail), source)
