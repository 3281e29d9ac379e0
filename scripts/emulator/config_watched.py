"""What a configuration says of CloudWatch and Service Quotas."""

from typing import Annotated, Literal

import pydantic

from locustfiles.contract.strict_yaml import Strict
from scripts.emulator.config_beside import Limit, Share
from scripts.emulator.engine_config import NotNegative

Refusal = Literal["throttle", "access_denied", "server"]


class Asked(Strict):
    """What both have."""

    limit: Limit = Limit()
    faults: dict[Refusal, Share] = {}
    fault_seed: int = 0


class Figure(Strict):
    """A figure that was published before the endpoint was there."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    at: float  # Unix seconds
    values: list[float]
    unit: str = "None"


class Watching(Asked):
    """CloudWatch."""

    figures: list[Figure] = []  # beside those of what is served
    delay_s: NotNegative = 0.0  # a figure is there so long after what it is of
    page_size: Annotated[int, pydantic.Field(ge=1, le=500)] = 500  # metrics in an answer, at most


class Allowed(Strict):
    """A quota that is applied to the account."""

    service: str  # bedrock, sagemaker
    name: str
    value: NotNegative
    code: Annotated[str, pydantic.Field(pattern="^L-[A-Z0-9]{8}$")] | None = None


class Quotas(Asked):
    """Service Quotas."""

    quotas: list[Allowed] = []
    page_size: Annotated[int, pydantic.Field(ge=1, le=100)] = 100
