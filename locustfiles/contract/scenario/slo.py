"""Limits that a stage has to keep."""

import typing

import pydantic

from locustfiles.contract.scenario.field_types import Positive, Text
from locustfiles.contract.strict_yaml import Strict


class Limits(Strict):
    """Upper limits, inclusive, on a statistic of a time in seconds."""

    mean: Positive | None = None
    p50: Positive | None = None
    p95: Positive | None = None
    p99: Positive | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _known(cls, limits: object) -> object:
        unknown = [name for name in limits if name not in cls.model_fields] if isinstance(limits, dict) else []
        if unknown:
            raise ValueError(f"`{unknown[0]}` is no limit; a limit is on one of {', '.join(cls.model_fields)}")
        return limits


class Slo(Strict):
    latency_s: Limits | None = None
    ttft_s: Limits | None = None
    error_rate: typing.Annotated[float, pydantic.Field(ge=0, le=1)] | None = None
    bad_stop_share: typing.Annotated[float, pydantic.Field(ge=0, le=1)] | None = (
        None  # of successes: contract/stop_reasons.py
    )
    cost_per_10k_transactions_usd: Positive | None = None
    dataset: Text | None = None  # the payload file's stem that the recommendation is for
