"""What a configuration says of quotas, and of the operations beside a model's answers: counting tokens, applying guardrails."""

from typing import Annotated

import pydantic

from locustfiles.contract.strict_yaml import Strict
from scripts.emulator.engine_config import NotNegative, Positive
from scripts.emulator.faults import FAULTS

Share = Annotated[float, pydantic.Field(ge=0, le=1)]


class Limit(Strict):
    """Quota of one endpoint or model."""

    requests_per_second: Positive | None = None
    burst: Positive | None = None  # requests; else one second's worth
    tokens_per_minute: Positive | None = None


def known_faults(value: dict[str, float]) -> dict[str, float]:
    """Raises ValueError."""
    for name in value:
        if name not in FAULTS:
            raise ValueError(f"unknown fault `{name}`; one of {', '.join(FAULTS)}")
    if sum(value.values()) > 1 + 1e-9:
        raise ValueError("the shares add up to more than 1; a request meets one fault at most")
    return value


class Beside(Strict):
    """An operation that no engine answers."""

    latency_ms: NotNegative = 0.0
    limit: Limit = Limit()
    faults: dict[str, Share] = {}
    fault_seed: int = 0
    stall_ms: Positive = 500.0

    @pydantic.field_validator("faults")
    @classmethod
    def _known(cls, value):
        return known_faults(value)


class Guarding(Beside):
    """ApplyGuardrail and InvokeGuardrailChecks."""

    blocks: list[str] = []  # texts that are intervened on, in whatever case
