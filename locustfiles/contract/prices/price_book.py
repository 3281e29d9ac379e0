"""Price books: dated, sourced YAML files of what AWS bills in one region, or in every one.

region: us-east-1
currency: USD
as_of: 2024-04-15
source: https://aws.amazon.com/bedrock/pricing/
instances: {ml.p4d.24xlarge: 37.688}                             # USD per hour, on demand
models: {meta.llama2-13b-chat-v1: {input: 0.00075, output: 0.001}}  # USD per 1,000 tokens

An entry without `input:` and `output:` holds what is billed on top of the price that is known from elsewhere:
  amazon.nova-pro-v1:0: {variants: {flex: 0.5, priority: 1.75}, discount_percent: 12}
"""

import datetime
import pathlib
import typing

import pydantic

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.book_unit import Unit, per_1k
from locustfiles.contract.prices.model_ids import canonical
from locustfiles.contract.prices.price import Hourly, Rates, TokenPrice, Usd
from locustfiles.contract.strict_yaml import Strict, load_yaml

EVERYWHERE = "every"  # the region of a book whose prices hold in every region
Factor = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
Percent = typing.Annotated[float, pydantic.Field(ge=0, lt=100, allow_inf_nan=False)]
Variant = typing.Literal["priority", "flex", "reserved", "batch", "latency_optimized"]


def asks_aws(region: str | None) -> str:
    """How the prices of a region are had, as a remark; empty where there is no such region."""
    known = region not in (None, "local", EVERYWHERE)
    return f" (`python -m analysis prices update --region {region}` asks AWS)" if known else ""


class BadPriceBook(BadInput):
    """A price book that cannot be used; the text names file, line and remedy."""


class Dated(Strict):
    """Where one entry is from, if not from where its book is, and from when on it holds."""

    as_of: datetime.date | None = None
    source: str | None = None
    effective: datetime.date | None = None  # the first day that it is billed by; None: ever
    discount_percent: Percent = 0.0  # private, or a savings plan's


class InstanceEntry(Dated):
    usd_per_hour: Hourly
    component: str | None = None  # of SageMaker, that the source has the figure of; None: real-time hosting

    def of_another_component(self, region: str) -> str | None:
        """What speaks against the figure where it is not hosting's."""
        if self.component is None:
            return None
        told = f"its source has the figure of {self.component}, and real-time hosting may cost otherwise"
        return f"{told}; check it{asks_aws(region)}"


class ModelEntry(Dated, TokenPrice):
    """A token price, and those of its variants: a factor of the entry's own rates, or rates."""

    variants: dict[Variant, Factor | Rates] = {}


class OnTop(Dated):
    """What is billed on top of a price that is known from elsewhere: a factor of all its rates, and variants of it."""

    factor: Factor = 1.0
    variants: dict[Variant, Factor | Rates] = {}


def _kind_of_entry(value: object) -> str:
    """Without a figure of its own, an entry that names one of `OnTop`'s is meant as such."""
    keys = value.keys() if isinstance(value, dict) else set()
    on_top = {"factor", "variants", "discount_percent"} & keys and not {"input", "output", "units"} & keys
    return "on_top" if on_top or isinstance(value, OnTop) else "price"


AnyEntry = typing.Annotated[
    typing.Annotated[ModelEntry, pydantic.Tag("price")] | typing.Annotated[OnTop, pydantic.Tag("on_top")],
    pydantic.Discriminator(_kind_of_entry),
]


def _dollars(value: object) -> object:
    if value != "USD":
        raise ValueError("input should be 'USD'; convert the prices, without tax, and say the rate in `source:`")
    return value


Dollars = typing.Annotated[typing.Literal["USD"], pydantic.BeforeValidator(_dollars)]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _as_entries(value: object) -> object:
    """A bare figure is an instance's price per hour."""
    return [{"usd_per_hour": each} if isinstance(each, int | float) else each for each in _listed(value)]


Instances = dict[str, typing.Annotated[list[InstanceEntry], pydantic.BeforeValidator(_as_entries)]]
Models = dict[str, typing.Annotated[list[AnyEntry], pydantic.BeforeValidator(_listed)]]
_E = typing.TypeVar("_E", bound=Dated)


class PriceBook(Strict):
    """Prices of one region at one date. An entry may be a list of entries with `effective:` dates."""

    region: str
    currency: Dollars
    as_of: datetime.date
    source: str
    instances: Instances = {}
    models: Models = {}
    guardrail: dict[str, Usd] = {}  # USD per unit of a guardrail's policy
    unit: Unit = "per_1k_tokens"  # of the file's token prices; here they are per 1,000

    @pydantic.model_validator(mode="before")
    @classmethod
    def _in_one_unit(cls, data: typing.Any) -> typing.Any:
        if not isinstance(data, dict) or "unit" not in data:
            return data
        return {**data, "models": per_1k(data.get("models", {}), data["unit"])}

    @pydantic.model_validator(mode="after")
    def _not_empty(self) -> typing.Self:
        if not self.instances and not self.models and not self.guardrail:
            raise ValueError("no price in it; add `instances:` or `models:`")
        return self

    def instance(self, instance_type: str, on: datetime.date) -> InstanceEntry | None:
        return _in_force(self.instances.get(instance_type, []), on)

    def model(self, key: str, on: datetime.date) -> tuple[str, ModelEntry] | None:
        """The key as it stands here, and its price on a day. Another spelling of the same id will do."""
        return self._entry(key, on, ModelEntry)

    def on_top(self, key: str, on: datetime.date) -> tuple[str, OnTop] | None:
        return self._entry(key, on, OnTop)

    def _entry(self, key: str, on: datetime.date, kind: type[_E]) -> tuple[str, _E] | None:
        spellings = [key, *(k for k in self.models if k != key and canonical(k) == canonical(key))]
        for each in spellings:
            entry = _in_force([e for e in self.models.get(each, []) if isinstance(e, kind)], on)
            if entry is not None:
                return each, entry
        return None


def _in_force(entries: list[_E], on: datetime.date) -> _E | None:
    """The entry that holds on a day: of those that have begun the last to begin."""
    begun = [e for e in entries if e.effective is None or e.effective <= on]
    return max(begun, key=lambda e: e.effective or datetime.date.min, default=None)


def load_price_book(path: str | pathlib.Path, shipped: bool = False) -> PriceBook:
    """Read a price book; shipped: one of ours. Raises BadPriceBook with file, line and remedy."""
    return load_yaml(path, PriceBook, BadPriceBook, shipped=shipped)
