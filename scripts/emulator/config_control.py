"""What a configuration says of the control plane: what stands behind new endpoints, how long they take, what goes wrong."""

from typing import Annotated, Literal

import pydantic

from locustfiles.contract.strict_yaml import Strict
from scripts.emulator.config_beside import Limit, Share
from scripts.emulator.engine_config import NotNegative

Container = Literal["tgi", "openai-chat", "openai-completions", "lmi", "hf-embedding", "hf-rerank"]


class ControlPlane(Strict):
    """CreateEndpoint and its like, for AWS_ENDPOINT_URL_SAGEMAKER."""

    engine: str  # behind every endpoint that is created
    dialect: Container = "tgi"  # of their containers
    creating_s: NotNegative = 0.0  # how long an endpoint, and a component, is Creating
    updating_s: NotNegative = 0.0
    deleting_s: NotNegative = 0.0
    failures: dict[str, str] = {}  # name of an endpoint or a component, or an instance type -> its FailureReason
    quotas: dict[str, Annotated[int, pydantic.Field(ge=0)]] = {}  # instance type -> instances of all endpoints together
    page_size: Annotated[int, pydantic.Field(ge=1, le=100)] = 100  # the most that a list has on a page
    limit: Limit = Limit()
    faults: dict[Literal["throttle", "access_denied", "server", "drop"], Share] = {}
    fault_seed: int = 0
