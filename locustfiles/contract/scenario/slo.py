"""Limits that a stage has to keep."""

import typing

import pydantic

from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.field_types import Positive, Text
from locustfiles.contract.strict_yaml import Strict


class Limits(Strict):
    """Upper limits, inclusive, on a statistic of a time in seconds."""

    mean: Positive | None = None
    p50: Positive | None = None
    p90: Positive | None = None
    p95: Positive | None = None
    p99: Positive | None = None
    p99_9: Positive | None = None  # in files `p99.9`

    @pydantic.model_validator(mode="before")
    @classmethod
    def _known(cls, limits: object) -> object:
        if not isinstance(limits, dict):
            return limits
        named = {"p99_9" if name == "p99.9" else name: limit for name, limit in limits.items()}
        unknown = [name for name in named if name not in cls.model_fields]
        if unknown:
            known = ", ".join(cls.model_fields).replace("_", ".")
            raise ValueError(f"`{unknown[0]}` is no limit; a limit is on one of {known}")
        return named


#: what a request can fail by: not our own stop, which is outside the error rate, nor our own fault, which makes a stage INVALID
FAILURES = tuple(e.value for e in ErrorClass if e not in (ErrorClass.CANCELLED, ErrorClass.INTERNAL))


def _of_failures(rates: object) -> object:
    unknown = [name for name in rates if name not in FAILURES] if isinstance(rates, dict) else []
    if unknown:
        raise ValueError(f"`{unknown[0]}` is no class of failures; name one of {', '.join(FAILURES)}")
    return rates


Rate = typing.Annotated[float, pydantic.Field(ge=0, le=1)]


class Slo(Strict):
    """Limits on what a user perceives, on what is done in a second, and on what it costs; inclusive, all of them."""

    latency_s: Limits | None = None
    ttft_s: Limits | None = None
    ttft_visible_s: Limits | None = None  # to the first visible text, where reasoning comes first
    tpot_ms: Limits | None = None
    itl_ms: Limits | None = None  # gaps between deltas, of all streams together
    session_s: Limits | None = (
        None  # from a conversation's first send to its last byte, pauses between its turns included
    )
    error_rate: Rate | None = None
    error_rate_by_class: (
        typing.Annotated[dict[str, Rate], pydantic.BeforeValidator(_of_failures), pydantic.Field(min_length=1)] | None
    ) = None
    bad_stop_share: Rate | None = None  # of successes: contract/stop_reasons.py
    throughput_per_s: Positive | None = None  # at least, as the next two
    output_tokens_per_s: Positive | None = None
    goodput_per_s: Positive | None = None
    cost_per_transaction_usd: Positive | None = None
    cost_per_10k_transactions_usd: Positive | None = None
    cost_per_1m_output_tokens_usd: Positive | None = None
    cost_per_1m_tokens_usd: Positive | None = None
    cost_per_session_usd: Positive | None = None
    dataset: Text | None = None  # the payload file's stem that the recommendation is for

    @pydantic.model_validator(mode="after")
    def _goodput_is_told_from_slow(self) -> typing.Self:
        """Without a limit that a single answer can miss there is no goodput: one that is limited would never be known."""
        timed = (self.latency_s, self.ttft_s, self.ttft_visible_s, self.tpot_ms)
        named = [name for limits in timed if limits for name, limit in limits.model_dump().items() if limit is not None]
        if self.goodput_per_s is not None and set(named) <= {"mean"}:
            raise ValueError(
                "`goodput_per_s` needs to know which answers are good; add a percentile's limit on latency_s or ttft_s"
            )
        return self

    @property
    def empty(self) -> bool:
        """Whether it sets no limit at all."""
        return not self.limits

    @property
    def limits(self) -> dict[str, typing.Any]:
        """Those that are set, by their keys."""
        found = self.model_dump(include=set(Slo.model_fields) - {"dataset"}, exclude_none=True)
        return {key: limit for key, limit in found.items() if limit != {}}
