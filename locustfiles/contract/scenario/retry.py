"""An own retry layer, off unless a scenario has `retry:`. Every attempt is a request and a record of its own.

Full jitter: before attempt n + 1 a uniformly drawn pause of at most min(max_s, base_s x 2^(n-1)), as AWS describes in
"Exponential Backoff And Jitter" and its SDKs do. Retried is what another try may mend, unless output had come already: the
SDKs' throttles, 5xx and connections that failed or were dropped before the answer began, and what they leave to the caller,
used-up quotas and a model's own timeout. A request that ran into its deadline is not sent again.
"""

import random
import typing

import pydantic

from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.field_types import Positive
from locustfiles.contract.strict_yaml import Strict

RETRIED = frozenset(
    {
        ErrorClass.THROTTLED,
        ErrorClass.NOT_READY,
        ErrorClass.MODEL_TIMEOUT,
        ErrorClass.UNAVAILABLE,
        ErrorClass.SERVER,
        ErrorClass.CONNECT,
    }
)


class Attempt(typing.Protocol):
    """A record, or as much of it as the rule needs."""

    @property
    def attempt(self) -> int: ...
    @property
    def error(self) -> str | None: ...
    @property
    def http_status(self) -> int | None: ...
    @property
    def ttft_ms(self) -> float | None: ...


class Retry(Strict):
    attempts: typing.Annotated[int, pydantic.Field(ge=2, le=20)]  # in all, the first one included
    base_s: Positive = 1.0
    max_s: Positive = 20.0

    def again(self, record: Attempt) -> bool:
        """Whether another attempt follows this one."""
        dropped = record.error == ErrorClass.STREAM_BROKEN and record.http_status is None
        return record.attempt < self.attempts and (record.error in RETRIED or dropped) and record.ttft_ms is None

    def pause_s(self, attempt: int, draw: random.Random) -> float:
        """How long to wait after attempt number `attempt`, s."""
        return draw.uniform(0, min(self.max_s, self.base_s * 2 ** (attempt - 1)))
