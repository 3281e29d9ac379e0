"""The scenario: strict YAML in, one immutable `Scenario` out.

Relative paths are looked up from the working folder, then from the scenario's own folder.
"""

import pathlib
import typing

import pydantic

from locustfiles.common.loads import Load
from locustfiles.common.price_book import HourlyPrice, Price, PriceBook, TokenPrice, load_price_book
from locustfiles.common.retry import Retry
from locustfiles.common.slo import Limits, Slo
from locustfiles.common.targets import BedrockTarget, OpenAITarget, SageMakerTarget, Target
from locustfiles.common.values import Name, Positive, Seconds, Text
from locustfiles.common.yaml_file import BadInput, Strict, load_yaml, place_of

__all__ = ["BedrockTarget", "Limits", "Load", "OpenAITarget", "SageMakerTarget", "Slo", "Target"]  # a scenario's parts, imported from here


class BadScenario(BadInput):
    """A scenario that cannot be run; the text names file, line and remedy."""


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
    retry: Retry | None = None
    transport: typing.Literal["fast", "boto3"] = "fast"
    stamps: typing.Literal["loop", "kernel"] = "loop"  # who notes when an answer's pieces arrive
    seed: int = 0
    slo: Slo = Slo()
    pricing: Text
    budget_usd: Positive | None = None
    confirm_above_usd: Positive = 10.0  # a run that may cost more is confirmed, or needs --yes

    @pydantic.model_validator(mode="after")
    def _names_differ(self) -> typing.Self:
        names = [t.name for t in self.targets]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice:
            raise ValueError(f"two targets are named `{twice}`; give each its own name")
        return self

    @pydantic.model_validator(mode="after")
    def _transport_fits(self) -> typing.Self:
        routed = next((t.name for t in self.targets if t.service == "openai"), None)
        if self.transport == "boto3" and routed:
            raise ValueError(f"boto3 has no OpenAI route for target `{routed}`; remove `transport:`")
        if self.transport == "boto3" and self.stamps == "kernel":
            raise ValueError("boto3 takes no kernel stamps; remove `stamps:` or `transport:`")
        return self

    @pydantic.model_validator(mode="after")
    def _searches_can_decide(self) -> typing.Self:
        for target in self.targets:
            find = self.load_of(target).find
            slo = (find.slo or self.slo) if find else None
            if slo is None:
                continue
            limits = [v for limits in (slo.latency_s, slo.ttft_s) if limits for v in limits.model_dump().values() if v is not None]
            if not limits and slo.error_rate is None:
                raise ValueError(f"`find` of target `{target.name}` has no limit to keep; add latency_s, ttft_s or error_rate to its `slo:`")
            if slo.ttft_s and not target.stream:
                raise ValueError(f"`find` of target `{target.name}` has a limit on TTFT, but it does not stream; add `stream: true`")
        return self

    @property
    def longest_call_s(self) -> float:
        """A call's deadline, s: every attempt's and the pauses between them."""
        retry = self.retry
        return self.request_timeout_s if retry is None else retry.attempts * (self.request_timeout_s + retry.max_s)

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
    raise BadScenario(f"{place_of(scenario_path, named)}: file `{named}` not found; give its path from the working folder")


def price_of(target: Target, book: PriceBook) -> Price:
    """What a target is billed by: its own `price:`, else the book's. Raises BadScenario or BadPriceBook."""
    if isinstance(target, BedrockTarget):
        return target.price or _on_demand(target, book)
    if isinstance(target.price, TokenPrice):
        return target.price
    if isinstance(target, SageMakerTarget) and target.price is None and target.instance_type is None:
        raise BadScenario("no price; add its `instance_type:` or a `price:`")
    if isinstance(target, OpenAITarget) and target.price is None and target.instance_type is None:
        return book.model(target.model_id)
    hourly = target.price.usd_per_hour if target.price else book.instance(target.instance_type)
    return HourlyPrice(usd_per_hour=hourly, instance_count=target.instance_count)


def _on_demand(target: BedrockTarget, book: PriceBook) -> TokenPrice:
    """The book's price, which is the standard one. Raises BadScenario where AWS bills another."""
    for key, standard in (("service_tier", "default"), ("latency", "standard")):
        if getattr(target, key) not in (None, standard):
            raise BadScenario(f"`{key}: {getattr(target, key)}` has a price of its own, which no price book has; add `price:`")
    for part, what in (("provisioned-model/", "provisioned throughput"), (":imported-model/", "an imported model")):
        if part in target.model_id and target.model_id not in book.models:
            raise BadScenario(
                f"{what} is billed by the hour and model unit; add `price: {{usd_per_hour: …, instance_count: model units}}`"
            )
    return book.model(target.model_id)


def prices_of(scenario: Scenario, path: str | pathlib.Path) -> tuple[PriceBook, dict[str, Price]]:
    """The scenario's price book and every target's price. Raises BadScenario or BadPriceBook."""
    book = load_price_book(find_file(scenario.pricing, path))
    prices = {}
    for target in scenario.targets:
        try:
            prices[target.name] = price_of(target, book)
        except BadInput as e:
            where = place_of(path, target.price_key or target.name)
            raise BadScenario(f"{where}: target `{target.name}`: {e} ({scenario.pricing})") from None
    return book, prices
