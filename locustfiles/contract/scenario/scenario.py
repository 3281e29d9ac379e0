"""The scenario: strict YAML in, one immutable `Scenario` out.

Relative paths are looked up from the working folder, then from the scenario's own folder.
"""

import pathlib
import typing

import pydantic

from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.prices.price import exact
from locustfiles.contract.scenario.cancels import Cancel
from locustfiles.contract.scenario.field_types import Address, Files, Name, Positive, Seconds, Text
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.mixes import MixPart, Part, check_mix, parts_of, stem
from locustfiles.contract.scenario.prefix import Prefix, check_prefix
from locustfiles.contract.scenario.retry import Retry
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.scenario.synthetic import Synthetic, check_synthetic
from locustfiles.contract.scenario.targets import SageMakerTarget, Target
from locustfiles.contract.strict_yaml import Strict, load_yaml, place_of


class Scenario(Strict):
    name: Name
    targets: typing.Annotated[
        list[typing.Annotated[Target, pydantic.Field(discriminator="service")]], pydantic.Field(min_length=1)
    ]
    region: Text | None = None  # AWS's targets need it
    endpoint_url: Address | None = None
    payloads: Files
    synthetic: dict[Name, Synthetic] = {}  # prompts made to lengths, named among `payloads`
    prefix: Prefix | None = None  # before every prompt
    load: Load
    mix: list[MixPart] | None = None  # instead of a stage for each target and payload
    cancel: Cancel | None = None
    request_timeout_s: Positive = 60.0
    error_pause_s: Seconds = 0.1
    retry: Retry | None = None
    transport: typing.Literal["fast", "boto3"] = "fast"
    stamps: typing.Literal["loop", "kernel"] = "loop"  # who notes when an answer's pieces arrive
    seed: int = 0
    slo: Slo = Slo()
    pricing: Text | None = None  # a price book; it goes before the shipped one of the region and before the library
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
    def _says_what_its_targets_need(self) -> typing.Self:
        aws = next((t for t in self.targets if t.service != "openai" or t.auth != "api_key"), None)
        if aws and self.region is None:
            raise ValueError(
                f"`region` is missing, which target `{aws.name}` of service {aws.service} needs; add `region:`"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _shares_fit(self) -> typing.Self:
        """Those of components of one endpoint; a component that several targets ask counts once."""
        shares: dict[str, dict[str, float]] = {}
        for target in self.targets:
            if isinstance(target, SageMakerTarget) and target.instance_share:
                component = target.inference_component or target.name
                of = shares.setdefault(target.asked, {})
                of[component] = max(of.get(component, 0.0), target.instance_share)
        for endpoint, of in shares.items():
            if (whole := sum(map(exact, of.values()))) > 1:
                told = " + ".join(f"{share:g} of `{component}`" for component, share in of.items())
                raise ValueError(
                    f"`instance_share` on endpoint `{endpoint}` is {told} = {whole}, more than 1; mend one"
                )
        return self

    @pydantic.model_validator(mode="after")
    def _prompts_fit(self) -> typing.Self:
        check_synthetic(self.synthetic, {t.name: (t.tokenizer, self._files[t.name]) for t in self.targets})
        for target in self.targets:
            check_prefix(self.prefix_of(target), target.system, getattr(target, "cache_system", False))
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
            if self.load_of(target).find is None:
                continue
            slo = self.slo_of(target)
            limits = [
                v
                for limits in (slo.latency_s, slo.ttft_s)
                if limits
                for v in limits.model_dump().values()
                if v is not None
            ]
            if not limits and slo.error_rate is None:
                raise ValueError(
                    f"`find` of target `{target.name}` has no limit to keep; add latency_s, ttft_s or error_rate to its `slo:`"
                )
            if slo.ttft_s and not target.stream:
                raise ValueError(
                    f"`find` of target `{target.name}` has a limit on TTFT, but it does not stream; add `stream: true`"
                )
        return self

    @pydantic.model_validator(mode="after")
    def _mixes(self) -> typing.Self:
        if self.mix is None:
            return self
        check_mix(self.mix, self._files)
        own = next((t.name for t in self.targets if t.load), None)
        if own:
            raise ValueError(
                f"`load` of target `{own}`: the load of a mix is the scenario's; remove one of `mix` and it"
            )
        if self.load.find or self.load.replay:
            raise ValueError(
                f"`{'find' if self.load.find else 'replay'}` is of one target and payload; remove it or `mix`"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _cancels(self) -> typing.Self:
        """Only what streams can be left in mid-answer as people do it."""
        if self.cancel and not any(t.stream for t in self.targets):
            raise ValueError("`cancel` is of streamed answers, and no target streams; add `stream: true` or remove it")
        if self.cancel and self.cancel.after_s and self.cancel.after_s >= self.request_timeout_s:
            raise ValueError("`cancel.after_s` must be below `request_timeout_s`, which ends every request; mend one")
        return self

    @property
    def _files(self) -> dict[str, list[str]]:
        return {t.name: t.payloads or self.payloads for t in self.targets}

    @property
    def parts(self) -> list[Part]:
        """Of its mix; none without one."""
        return parts_of(self.mix, self._files) if self.mix else []

    @property
    def longest_call_s(self) -> float:
        """A call's deadline, s: every attempt's and the pauses between them."""
        retry = self.retry
        return self.request_timeout_s if retry is None else retry.attempts * (self.request_timeout_s + retry.max_s)

    def target(self, name: str) -> Target:
        return next(t for t in self.targets if t.name == name)

    def payloads_of(self, target: Target) -> list[str]:
        files = target.payloads or self.payloads
        sent = {part.payload for part in self.parts if part.target == target.name}
        return [file for file in files if stem(file) in sent] if self.mix else files

    def prefix_of(self, target: Target) -> Prefix | None:
        return target.prefix or self.prefix

    def load_of(self, target: Target) -> Load:
        return target.load or self.load

    def slo_of(self, target: Target) -> Slo:
        """The limits that its stages have to keep: those of its search, else the scenario's."""
        find = self.load_of(target).find
        return (find and find.slo) or self.slo


def load_scenario(path: str | pathlib.Path) -> Scenario:
    """Read a scenario. Raises BadScenario with file, line and remedy."""
    return load_yaml(path, Scenario, BadScenario, keyless=True)


def find_file(named: str, scenario_path: str | pathlib.Path) -> pathlib.Path:
    """A file that a scenario names, from the working folder, else from the scenario's folder or the one above it: those in
    configs/ name their files from the repository's root.

    Raises BadScenario when it is in none of them.
    """
    folder = pathlib.Path(scenario_path).absolute().parent
    for base in (pathlib.Path(), pathlib.Path(scenario_path).parent, folder.parent):
        if (base / named).is_file():
            return base / named
    raise BadScenario(
        f"{place_of(scenario_path, named)}: file `{named}` not found; give its path from the working folder"
    )
