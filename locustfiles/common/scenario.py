"""The scenario: strict YAML in, one immutable `Scenario` out.

Relative paths are looked up from the working folder, then from the scenario's own folder.
"""

import pathlib
import typing

import pydantic

from locustfiles.common.price_book import HourlyPrice, Price, PriceBook, TokenPrice, load_price_book
from locustfiles.common.yaml_file import BadInput, Strict, load_yaml

Name = typing.Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Seconds = typing.Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
Positive = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
Count = typing.Annotated[int, pydantic.Field(ge=1)]
Text = typing.Annotated[str, pydantic.Field(min_length=1)]
Dialect = typing.Literal["tgi", "lmi", "openai-chat"]
Family = typing.Literal["claude", "nova", "llama"]

#: how a Bedrock model id names the family whose InvokeModel body it takes
FAMILIES: dict[str, Family] = {"anthropic.": "claude", "amazon.nova": "nova", "meta.llama": "llama"}


class BadScenario(BadInput):
    """A scenario that cannot be run; the text names file, line and remedy."""


class Until(Strict):
    """Measure until so many requests have begun in the window, at most so long."""

    requests: Count
    at_most_s: Positive


class AbortStage(Strict):
    """End a stage as a result once its error rate is above this; the sweep goes on."""

    error_rate: typing.Annotated[float, pydantic.Field(ge=0, lt=1)]
    after_requests: Count = 20


def _levels(value: object) -> object:
    """`1..20`, or a list of numbers and such ranges -> the list of numbers."""
    parts = value if isinstance(value, list) else [value]
    users: list = []
    for part in parts:
        ends = part.split("..") if isinstance(part, str) else []
        if len(ends) == 2 and all(e.strip().isdigit() for e in ends) and int(ends[1]) <= 100_000:
            users += range(int(ends[0]), int(ends[1]) + 1)
        else:
            users.append(part)
    return users


class Load(Strict):
    """Closed loop: users at each level, each sending its next request when the last one ended."""

    users: typing.Annotated[list[Count], pydantic.BeforeValidator(_levels), pydantic.Field(min_length=1)]
    think_s: Seconds = 0.0
    settle_s: Seconds = 5.0
    measure_s: Positive | None = None
    until: Until | None = None
    abort_stage: AbortStage | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        if (self.measure_s is None) == (self.until is None):
            raise ValueError("needs exactly one of `measure_s` and `until`")
        if self.users != sorted(set(self.users)):
            raise ValueError("`users` must ascend, each level once")
        return self

    @property
    def at_most_s(self) -> float:
        """The longest a measured window may be, s."""
        return self.measure_s if self.measure_s is not None else self.until.at_most_s


class Limits(Strict):
    """Upper limits, inclusive, on a statistic of a time in seconds."""

    mean: Positive | None = None
    p50: Positive | None = None
    p95: Positive | None = None
    p99: Positive | None = None


class Slo(Strict):
    latency_s: Limits | None = None
    ttft_s: Limits | None = None
    error_rate: typing.Annotated[float, pydantic.Field(ge=0, le=1)] | None = None
    cost_per_10k_transactions_usd: Positive | None = None
    dataset: Text | None = None  # the payload file's stem that the recommendation is for


class _Target(Strict):
    name: Name
    model: Text | None = None
    labels: dict[str, str | int | float | bool] = {}
    stream: bool = False
    tokenizer: Text | None = None
    payloads: typing.Annotated[list[Text], pydantic.Field(min_length=1)] | None = None
    load: Load | None = None
    parameters: dict[str, typing.Any] = {}
    price: TokenPrice | HourlyPrice | None = None
    endpoint_url: Text | None = None

    @pydantic.model_validator(mode="after")
    def _max_tokens(self) -> typing.Self:
        tokens = self.parameters.get("max_tokens")
        if tokens is not None and (not isinstance(tokens, int) or tokens < 1):
            raise ValueError("`parameters.max_tokens` must be a whole number of at least 1")
        return self


class SageMakerTarget(_Target):
    service: typing.Literal["sagemaker"]
    endpoint: Text
    inference_component: Text | None = None
    variant: Text | None = None
    target_model: Text | None = None
    dialect: Dialect
    instance_type: Text | None = None
    instance_count: Count = 1

    @property
    def price_key(self) -> str | None:
        return self.instance_type


class BedrockTarget(_Target):
    service: typing.Literal["bedrock"]
    model_id: Text
    api: typing.Literal["converse", "invoke"] = "converse"
    dialect: Family | None = None

    @pydantic.model_validator(mode="after")
    def _family_known(self) -> typing.Self:
        if self.api == "invoke" and self.family is None:
            raise ValueError(f"the body of `{self.model_id}` is not known; add `dialect:` (claude, nova or llama)")
        return self

    @property
    def family(self) -> Family | None:
        """Whose InvokeModel body the model takes: `dialect`, else by the model id."""
        found = next((family for part, family in FAMILIES.items() if part in self.model_id), None)
        return self.dialect or found

    @property
    def price_key(self) -> str:
        return self.model_id


Target = SageMakerTarget | BedrockTarget


class Scenario(Strict):
    name: Name
    targets: typing.Annotated[
        list[typing.Annotated[Target, pydantic.Field(discriminator="service")]], pydantic.Field(min_length=1)
    ]
    region: Text
    endpoint_url: Text | None = None
    payloads: typing.Annotated[list[Text], pydantic.Field(min_length=1)]
    load: Load
    request_timeout_s: Positive = 60.0
    error_pause_s: Seconds = 0.1
    seed: int = 0
    slo: Slo = Slo()
    pricing: Text
    budget_usd: Positive | None = None

    @pydantic.model_validator(mode="after")
    def _names_differ(self) -> typing.Self:
        names = [t.name for t in self.targets]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice:
            raise ValueError(f"two targets are named `{twice}`; give each its own name")
        return self

    def target(self, name: str) -> Target:
        return next(t for t in self.targets if t.name == name)

    def payloads_of(self, target: Target) -> list[str]:
        return target.payloads or self.payloads

    def load_of(self, target: Target) -> Load:
        return target.load or self.load


def load_scenario(path: str | pathlib.Path) -> Scenario:
    """Read a scenario. Raises BadScenario with file, line and remedy."""
    return load_yaml(path, Scenario, BadScenario)


def find_file(named: str, scenario_path: str | pathlib.Path) -> pathlib.Path:
    """A file that a scenario names, from the working folder, else from the scenario's folder.

    Raises BadScenario when it is in neither.
    """
    for base in (pathlib.Path(), pathlib.Path(scenario_path).parent):
        if (base / named).is_file():
            return base / named
    raise BadScenario(f"{scenario_path}: file `{named}` not found; give its path from the working folder")


def price_of(target: Target, book: PriceBook) -> Price:
    """What a target is billed by: its own `price:`, else the book's. Raises BadScenario or BadPriceBook."""
    if isinstance(target, BedrockTarget):
        return target.price or book.model(target.model_id)
    if isinstance(target.price, TokenPrice):
        return target.price
    if target.price is None and target.instance_type is None:
        raise BadScenario("no price; add its `instance_type:` or a `price:`")
    hourly = target.price.usd_per_hour if target.price else book.instance(target.instance_type)
    return HourlyPrice(usd_per_hour=hourly, instance_count=target.instance_count)


def prices_of(scenario: Scenario, path: str | pathlib.Path) -> tuple[PriceBook, dict[str, Price]]:
    """The scenario's price book and every target's price. Raises BadScenario or BadPriceBook."""
    book = load_price_book(find_file(scenario.pricing, path))
    prices = {}
    for target in scenario.targets:
        try:
            prices[target.name] = price_of(target, book)
        except BadInput as e:
            raise BadScenario(f"{path}: target `{target.name}`: {e} ({scenario.pricing})") from None
    return book, prices
