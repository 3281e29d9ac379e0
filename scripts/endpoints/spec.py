"""What an endpoint is to be: a YAML file, strictly read."""

import datetime
import os
import pathlib
import re
import typing

import pydantic

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.strict_yaml import Strict, load_yaml

_SPAN = re.compile(r"([0-9]+)\s*(m|h|d)")
_UNITS = {"m": 60, "h": 3600, "d": 86400}
#: where the reader of scenarios sends who misspells a key, and where keys of these files stand
_REFERENCE = ("the scenario reference in configs/README.md", "scripts/endpoints/README.md")


def span_s(text: str) -> int:
    """Seconds of `90m`, `4h` or `2d`. Raises ValueError."""
    found = _SPAN.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise ValueError(f"`{text}` is no span of time; write it as 90m, 4h or 2d")
    return int(found[1]) * _UNITS[found[2]]


def _span(text: str) -> str:
    span_s(text)
    return text


Span = typing.Annotated[str, pydantic.AfterValidator(_span)]
Name = typing.Annotated[str, pydantic.Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]
Count = typing.Annotated[int, pydantic.Field(ge=1)]
Seconds = typing.Annotated[int, pydantic.Field(ge=1)]
Env = dict[str, typing.Annotated[str, pydantic.Field(max_length=1024)]]
#: members of AWS's requests by their own names, for whatever has no key here
Members = dict[str, typing.Any]


class Data(Strict):
    """Where a container finds the weights: a ModelDataSource."""

    s3_uri: str
    compression: typing.Literal["None", "Gzip"] = "None"
    accept_eula: bool | None = None  # of a gated model of JumpStart's


class Model(Strict):
    """A container, or a model package."""

    image: str | None = None
    package: str | None = None  # name or ARN of a model package, in place of an image
    data: Data | None = None
    env: Env = {}
    env_from: dict[str, str] = {}  # variable of the container -> variable of this process that holds its value
    more: Members = {}  # members of CreateModel

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> typing.Self:
        if (self.image is None) == (self.package is None):
            raise ValueError("a model is an `image:` or a `package:`; give one of them")
        if both := sorted(self.env.keys() & self.env_from.keys()):
            raise ValueError(f"`{both[0]}` is in `env:` and in `env_from:`; keep one")
        return self


class Instances(Strict):
    """What a variant runs on, and with what."""

    model: Model | None = None
    instance_type: str | None = None
    instance_count: Count = 1
    more: Members = {}  # members of ProductionVariant, as RoutingConfig


class Variant(Instances):
    """One of several production variants; what it leaves out is the endpoint's own."""

    name: Name
    weight: typing.Annotated[float, pydantic.Field(ge=0)] = 1.0


class Component(Strict):
    """An inference component: copies of a model that share the endpoint's instances with others."""

    name: Name
    model: Model | None = None
    variant: Name | None = None
    copies: Count = 1
    accelerators: typing.Annotated[float, pydantic.Field(gt=0)] | None = None  # of each copy
    cpus: typing.Annotated[float, pydantic.Field(gt=0)] | None = None
    memory_mb: typing.Annotated[int, pydantic.Field(ge=128)] = 1024  # that must be free
    more: Members = {}  # members of CreateInferenceComponent's Specification


class Timeouts(Strict):
    """Of a creation."""

    download_s: Seconds | None = None  # ModelDataDownloadTimeoutInSeconds
    health_check_s: Seconds | None = None  # ContainerStartupHealthCheckTimeoutInSeconds
    ready_s: Seconds = 3600  # until all is in service; then it is given up and deleted


class Spec(Instances):
    """An endpoint and all that belongs to it."""

    name: Name
    region: str | None = None
    role: str  # ExecutionRoleArn
    owner: str | None = None
    expires_after: Span = "4h"
    variants: list[Variant] = []
    components: list[Component] = []
    timeouts: Timeouts = Timeouts()
    tags: dict[str, str] = {}
    pricing: str | None = None  # a price book that goes before those that came with this
    endpoint_config: Members = {}  # members of CreateEndpointConfig, as DataCaptureConfig
    endpoint: Members = {}  # members of CreateEndpoint

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        for place, part in self.parts():
            if self.components and part.model is not None and part is not self:
                raise ValueError(f"{place} has a `model:`, but with `components:` these have it; move it there")
            if not self.components and part.model is None and self.model is None:
                raise ValueError(f"no `model:` for {place}; add it there or at the top")
            if (
                part.instance_type is None
                and self.instance_type is None
                and not {"ServerlessConfig", "InstancePools"} & part.more.keys()
            ):
                raise ValueError(f"no `instance_type:` for {place}; add it there or at the top")
        if lost := next((c.name for c in self.components if c.model is None and self.model is None), None):
            raise ValueError(f"no `model:` for component `{lost}`; add it there or at the top")
        names = [part.name for part in self.variants], [part.name for part in self.components]
        if twice := next((n for those in names for n in those if those.count(n) > 1), None):
            raise ValueError(f"`{twice}` is the name of two; rename one")
        if own := next((key for key in self.tags if key.startswith(("swarmledger:", "aws:"))), None):
            raise ValueError(f"tag `{own}` begins with a name that is taken; rename it")
        return self

    def parts(self) -> list[tuple[str, Instances]]:
        """Its variants, each with its place; the endpoint itself where it names none."""
        return [(f"variant `{each.name}`", each) for each in self.variants] or [("the endpoint", self)]

    def models(self) -> list[Model]:
        holders: list[Instances | Component] = [self, *self.variants, *self.components]
        return [each.model for each in holders if each.model is not None]

    def expires_at(self, now: datetime.datetime) -> datetime.datetime:
        return (now + datetime.timedelta(seconds=span_s(self.expires_after))).replace(microsecond=0)


def load_spec(path: str | pathlib.Path) -> Spec:
    """Raises BadInput, one line with file, line, key and remedy; for what looks like a secret, too."""
    try:
        return load_yaml(path, Spec, keyless=True)
    except BadInput as e:
        text = str(e).replace(*_REFERENCE)
        if "keys belong into environment variables" in text:
            text = text.replace("it would reach manifest and report (keys belong into environment variables)",
                                "write `env_from: {NAME: VARIABLE}`, and the value is taken from this process's environment")  # fmt: skip
        raise BadInput(text) from None


def secrets_of(spec: Spec, place: str) -> dict[str, str]:
    """Variable of this process -> its value, of all that `env_from:` names. Raises BadInput for one that is not set."""
    found: dict[str, str] = {}
    for model in spec.models():
        for name, variable in model.env_from.items():
            if not os.environ.get(variable):
                raise BadInput(f"{place}: env_from.{name}: ${variable} is not set; export it, or take the line out")
            found[variable] = os.environ[variable]
    return found
