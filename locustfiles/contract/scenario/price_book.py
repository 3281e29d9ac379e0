"""Price books: dated, sourced YAML files of what AWS bills, and what a target costs by one.

region: us-east-1
currency: USD
as_of: 2024-04-15
source: https://aws.amazon.com/bedrock/pricing/
instances: {ml.p4d.24xlarge: 37.688}                             # USD per hour, on demand
models: {meta.llama2-13b-chat-v1: {input: 0.00075, output: 0.001}}  # USD per 1,000 tokens
"""

import datetime
import difflib
import pathlib
import typing

import pydantic

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.strict_yaml import Strict, load_yaml

#: above this, USD per 1,000 tokens, a price is a per-million figure in the wrong unit
MAX_PER_1K = 1.0
GEOGRAPHIES = ("us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "ca.", "global.")


class BadPriceBook(BadInput):
    """A price book that cannot be used; the text names file, line and remedy."""


def _per_1k(value: float) -> float:
    if value > MAX_PER_1K:
        raise ValueError(
            f"above ${MAX_PER_1K:g} per 1,000 tokens: this looks like a price per million; divide it by 1,000"
        )
    return value


Per1k = typing.Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False), pydantic.AfterValidator(_per_1k)]
Hourly = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]


#: what is billed of a call: the record's fields in the order that `TokenPrice.usd` takes them
TOKENS = ("prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens")


class TokenPrice(Strict):
    """USD per 1,000 tokens."""

    input: Per1k
    output: Per1k
    cache_read: Per1k | None = None
    cache_write: Per1k | None = None

    def usd(
        self,
        prompt_tokens: int | None,
        completion_tokens: int | None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        """USD for these tokens; None when a count or the price of a counted kind is unknown.

        Bedrock bills cached prompt tokens apart: `inputTokens` does not contain them.
        """
        if prompt_tokens is None or completion_tokens is None:
            return None
        usd = prompt_tokens / 1000 * self.input + completion_tokens / 1000 * self.output
        for tokens, price in ((cache_read_tokens, self.cache_read), (cache_write_tokens, self.cache_write)):
            if tokens:
                if price is None:
                    return None
                usd += tokens / 1000 * price
        return usd


class HourlyPrice(Strict):
    """USD per hour of one instance, and how many a target has."""

    usd_per_hour: Hourly
    instance_count: typing.Annotated[int, pydantic.Field(ge=1)] = 1

    @property
    def usd_per_hour_in_all(self) -> float:
        return self.usd_per_hour * self.instance_count


Price = TokenPrice | HourlyPrice


class PriceBook(Strict):
    """Prices of one region at one date."""

    region: str
    currency: typing.Literal["USD"]
    as_of: datetime.date
    source: str
    instances: dict[str, Hourly] = {}
    models: dict[str, TokenPrice] = {}

    @pydantic.model_validator(mode="after")
    def _not_empty(self) -> typing.Self:
        if not self.instances and not self.models:
            raise ValueError("no price in it; add `instances:` or `models:`")
        return self

    def instance(self, instance_type: str) -> float:
        """USD per hour. Raises BadPriceBook when the type is not in the book."""
        if instance_type in self.instances:
            return self.instances[instance_type]
        raise BadPriceBook(_absent("instance type", instance_type, self.instances))

    def model(self, model_id: str) -> TokenPrice:
        """The token price of a model id, an inference profile of it, or an ARN that ends in one.

        A cross-region inference profile (`us.meta.llama3-…`) costs what its model costs in the
        source region. Raises BadPriceBook when the model is not in the book.
        """
        bare = model_id.rsplit("/", 1)[-1]
        for geography in GEOGRAPHIES:
            bare_model = bare.removeprefix(geography)
            for name in (model_id, bare, bare_model):
                if name in self.models:
                    return self.models[name]
        raise BadPriceBook(_absent("model", model_id, self.models))


def _absent(kind: str, name: str, known: typing.Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`? Else add" if close else "add"
    return f"no price for {kind} `{name}`; {hint} it to the price book or give the target its own `price:`"


def load_price_book(path: str | pathlib.Path) -> PriceBook:
    """Read a price book. Raises BadPriceBook with file, line and remedy."""
    return load_yaml(path, PriceBook, BadPriceBook)
