"""The prices that AWS bills by: per token and unit of a call, or per hour of what serves it."""

import decimal
import functools
import typing

import pydantic

from locustfiles.contract.strict_yaml import Strict

HOURS_A_MONTH = 730  # by which AWS turns a price per month into one per hour
Unit = typing.Literal["query", "image", "second", "page"]

Usd = typing.Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
Per1k = Usd  # USD per 1,000 tokens
Hourly = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]


@functools.lru_cache(4096, typed=True)  # a call is charged by the same few figures again and again
def exact(figure: float) -> decimal.Decimal:
    """The decimal figure that was written: 0.1, not the binary fraction beside it."""
    return decimal.Decimal(repr(figure))


KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


class Rates(Strict):
    """USD per 1,000 tokens of each kind; None: not known, and never 0."""

    input: Per1k
    output: Per1k
    cache_read: Per1k | None = None
    cache_write: Per1k | None = None  # kept for five minutes
    cache_write_1h: Per1k | None = None  # kept for an hour

    def times(self, factor: float) -> typing.Self:
        """A copy with every rate multiplied, exactly."""
        rates = {kind: getattr(self, kind) for kind in KINDS}
        multiplied = {k: float(exact(v) * exact(factor)) for k, v in rates.items() if v is not None}
        return self.model_copy(update=multiplied)


class Step(Rates):
    """The rates of a whole call whose prompt, cached tokens counted, has more than `above` tokens."""

    above: typing.Annotated[int, pydantic.Field(ge=1)]


class TokenPrice(Rates):
    """What a call is billed by its tokens, and by its units where a model is billed by these."""

    steps: typing.Annotated[
        tuple[Step, ...], pydantic.Field(strict=False)
    ] = ()  # by prompt length, rising; a list in files
    units: dict[Unit, Usd] = {}  # USD per unit; a call that reports none is one `query`
    guardrail: dict[str, Usd] = {}  # USD per unit of a guardrail's policy, by botocore's names (contentPolicyUnits, …)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _units_alone(cls, data: typing.Any) -> typing.Any:
        """Where there are units and no token rates, tokens are not billed."""
        if isinstance(data, dict) and data.get("units") and not {"input", "output"} & data.keys():
            return {"input": 0.0, "output": 0.0, **data}
        return data

    @pydantic.model_validator(mode="after")
    def _steps_rise(self) -> typing.Self:
        starts = [step.above for step in self.steps]
        if starts != sorted(set(starts)):
            raise ValueError("`steps` must rise: each `above:` larger than the one before; sort them")
        return self

    def rates(self, whole_prompt: int | float | None) -> Rates:
        """Those of a prompt of so many tokens, cached ones counted. None: not known, and then those of the first step."""
        reached = [s for s in self.steps if whole_prompt is not None and whole_prompt > s.above]
        return reached[-1] if reached else self

    def dearest(self, longest: float | None) -> Rates:
        """The most that each kind costs at a prompt of up to so many tokens, cached ones counted. None: of any length."""
        reached = [self, *(step for step in self.steps if longest is None or longest > step.above)]
        known = {kind: [r for rates in reached if (r := getattr(rates, kind)) is not None] for kind in KINDS}
        return Rates(**{kind: max(rates) for kind, rates in known.items() if rates})

    def times(self, factor: float) -> typing.Self:
        """A copy with every rate multiplied, those of its steps and units as well."""
        units = {unit: float(exact(usd) * exact(factor)) for unit, usd in self.units.items()}
        steps = tuple(step.times(factor) for step in self.steps)
        return super().times(factor).model_copy(update={"steps": steps, "units": units})


class Reserved(Strict):
    """Reserved service tier: USD per 1,000 tokens a minute and month, of input and of output."""

    input_usd_per_1k_tpm_month: Usd
    input_tpm: typing.Annotated[int, pydantic.Field(ge=0)]
    output_usd_per_1k_tpm_month: Usd = 0.0
    output_tpm: typing.Annotated[int, pydantic.Field(ge=0)] = 0

    @property
    def usd_per_hour(self) -> float:
        month = exact(self.input_usd_per_1k_tpm_month) * self.input_tpm
        month += exact(self.output_usd_per_1k_tpm_month) * self.output_tpm
        return float(month / 1000 / HOURS_A_MONTH)


class HourlyPrice(Strict):
    """USD per hour of one instance or model unit, how many a target has, and what of it is the target's to pay."""

    usd_per_hour: Hourly
    instance_count: typing.Annotated[int, pydantic.Field(ge=1)] = 1
    share: typing.Annotated[float, pydantic.Field(gt=0, le=1, allow_inf_nan=False)] = 1.0  # of an inference component
    reserved: Reserved | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_reserved(cls, data: typing.Any) -> typing.Any:
        if isinstance(data, dict) and (by_token := {"input", "output", "units"} & data.keys()):
            raise ValueError(f"a price is per hour or per token; keep `usd_per_hour:` or `{min(by_token)}:`")
        if isinstance(data, dict) and isinstance(data.get("reserved"), dict) and "usd_per_hour" not in data:
            return {**data, "usd_per_hour": Reserved.model_validate(data["reserved"]).usd_per_hour}
        return data

    @property
    def usd_per_hour_in_all(self) -> float:
        return float(exact(self.usd_per_hour) * self.instance_count * exact(self.share))

    def times(self, factor: float) -> typing.Self:
        """A copy with the hour's price multiplied, exactly."""
        return self.model_copy(update={"usd_per_hour": float(exact(self.usd_per_hour) * exact(factor))})


class UnknownPrice(Strict):
    """No price is known, as of runs of which the files of another tool are all that there is."""

    why: str  # and the remedy


Price = TokenPrice | HourlyPrice | UnknownPrice


def kind_of_price(value: object) -> str:
    """`hourly` or `tokens`, of a price or of what is to become one."""
    hourly = {"usd_per_hour", "reserved"} & value.keys() if isinstance(value, dict) else isinstance(value, HourlyPrice)
    return "hourly" if hourly else "tokens"


#: told apart by a key, so that a mistake is explained for the kind that was meant
def _a_mapping(value: object) -> object:
    if not isinstance(value, dict | Rates | HourlyPrice):
        raise ValueError(
            "a price has keys; write {input: USD, output: USD}, per 1,000 tokens, {usd_per_hour: USD} or {units: {query: USD}}"
        )
    return value


AnyPrice = typing.Annotated[
    typing.Annotated[TokenPrice, pydantic.Tag("tokens")] | typing.Annotated[HourlyPrice, pydantic.Tag("hourly")],
    pydantic.Discriminator(kind_of_price),
    pydantic.BeforeValidator(_a_mapping),
]
