"""The load of a target: closed loop (users), open loop (rate, replay), or a search for the most that keeps the limits."""

import math
import typing

import pydantic

from locustfiles.contract.scenario.field_types import Count, Positive, Seconds, Text
from locustfiles.contract.scenario.sessions import Sessions
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.strict_yaml import Strict

SETTLE_AT_MOST_S = 60.0


class Until(Strict):
    """Measure until so many requests have begun in the window and the mean latency is known so well, at most so long.

    relative_ci: half the width of the mean latency's 95 % interval (batch means), as a share of the mean.
    """

    requests: Count | None = None
    relative_ci: typing.Annotated[float, pydantic.Field(gt=0, lt=1)] | None = None
    at_most_s: Positive

    @pydantic.model_validator(mode="after")
    def _some(self) -> typing.Self:
        if self.requests is None and self.relative_ci is None:
            raise ValueError("needs `requests`, `relative_ci` or both")
        return self


class AbortStage(Strict):
    """End a stage as a result once its error rate is above this; the sweep goes on."""

    error_rate: typing.Annotated[float, pydantic.Field(ge=0, lt=1)]
    after_requests: Count = 20


class Find(Strict):
    """Search the highest number of users (or rate) that keeps the limits."""

    up_to: Positive
    of: typing.Literal["users", "rate"] = "users"
    slo: Slo | None = None  # else the scenario's
    at_most_s: Positive = 3600.0  # for the whole search

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        if self.of == "users" and self.up_to != int(self.up_to):
            raise ValueError("`up_to` must be a whole number of users")
        return self


class Ramp(Strict):
    """Requests/s at the begin and at the end of the measured window, between which the rate goes evenly."""

    begin: Positive
    end: Positive

    @pydantic.model_validator(mode="after")
    def _goes(self) -> typing.Self:
        if self.begin == self.end:
            raise ValueError("`begin` and `end` are one rate, which is no ramp; write `rate: [...]`")
        return self

    @property
    def mean(self) -> float:
        return (self.begin + self.end) / 2


class Level(typing.NamedTuple):
    """What one stage asks for: users, or requests/s (the mean rate of a replayed trace)."""

    users: int | None
    rate: float | None

    def apart_s(self, call_s: float) -> float:
        """Seconds from one request to the next, where a call and its pause take a user `call_s`."""
        if self.users:
            return call_s / self.users
        return 1 / self.rate if self.rate else math.inf

    @property
    def text(self) -> str:
        if self.users is None:
            return f"{self.rate:g} requests/s"
        return f"{self.users} user{'s' * (self.users != 1)}"


def _levels(value: object) -> object:
    """`1..20`, or a list of numbers and such ranges -> the list of numbers. Raises ValueError for another text."""
    parts = value if isinstance(value, list) else [value]
    users: list[object] = []
    for part in parts:
        ends = part.split("..") if isinstance(part, str) else []
        if len(ends) == 2 and all(e.strip().isdigit() for e in ends) and int(ends[1]) <= 100_000:
            users += range(int(ends[0]), int(ends[1]) + 1)
        elif isinstance(part, str):
            raise ValueError("must be a range such as 1..20 or a list such as [1, 5]")
        else:
            users.append(part)
    return users


Arrivals = typing.Literal["poisson", "constant", "gamma", "bursts"]
_SHAPES = {"gamma": "cv", "bursts": "burst_size"}  # arrivals -> the key that they need
_KINDS = ("users", "rate", "ramp", "replay", "find")


class Load(Strict):
    """Exactly one of users, rate, ramp, replay and find.

    Closed loop: each of the users sends its next request when the last one ended. Open loop: requests are sent when
    they are due, whatever became of those before; `max_users` of them at a time.
    """

    users: typing.Annotated[list[Count], pydantic.BeforeValidator(_levels), pydantic.Field(min_length=1)] | None = None
    rate: typing.Annotated[list[Positive], pydantic.Field(min_length=1)] | None = None  # requests/s
    ramp: Ramp | None = None
    replay: Text | None = None  # a CSV file of arrivals
    find: Find | None = None
    arrivals: Arrivals = "poisson"
    cv: typing.Annotated[float, pydantic.Field(gt=0, le=10)] | None = None  # of gamma's gaps: standard deviation / mean
    burst_size: typing.Annotated[int, pydantic.Field(ge=2, le=10_000)] | None = (
        None  # of bursts: requests that are due at once
    )
    max_users: Count = 200
    repeat: Count = 1
    think_s: Seconds = 0.0
    sessions: Sessions | None = None  # of payloads with conversations; they need none
    settle_s: Seconds = 5.0
    settle_at_most_s: Seconds = SETTLE_AT_MOST_S
    measure_s: Positive | None = None
    until: Until | None = None
    abort_stage: AbortStage | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of `users`, `rate`, `ramp`, `replay` and `find`")
        if self.ramp is not None and self.until is not None:
            raise ValueError("`ramp` goes from its begin to its end in `measure_s`; give that in place of `until`")
        if self.replay is not None and (self.measure_s is not None or self.until is not None):
            raise ValueError("`replay` is measured from its first arrival to its last; remove `measure_s` and `until`")
        if self.replay is None and (self.measure_s is None) == (self.until is None):
            raise ValueError("needs exactly one of `measure_s` and `until`")
        for name in ("users", "rate"):
            levels = getattr(self, name)
            if levels is not None and levels != sorted(set(levels)):
                raise ValueError(f"`{name}` must ascend, each level once")
        if self.open_loop and self.think_s:
            raise ValueError(
                "`think_s` is of the closed loop; in the open loop requests come when they are due; remove it"
            )
        for kind, key in _SHAPES.items():
            if (self.arrivals == kind) != (getattr(self, key) is not None):
                raise ValueError(f"`{key}` and `arrivals: {kind}` belong together; add the other, or remove it")
        if self.find and self.repeat > 1:
            raise ValueError("`find` repeats its boundary by itself; remove `repeat`")
        return self

    @property
    def held(self) -> Sessions:
        """How conversations are held."""
        return self.sessions or Sessions()

    @property
    def pause_s(self) -> float:
        """A user's usual pause between an answer and its next request: between two turns, where conversations have one of their
        own, on average."""
        return self.sessions.think_s.mean_s if self.sessions and self.sessions.think_s else self.think_s

    @property
    def open_loop(self) -> bool:
        alone = self.rate is not None or self.replay is not None or self.ramp is not None
        return alone or (self.find is not None and self.find.of == "rate")

    @property
    def dispersion(self) -> float:
        """Variance of the number of arrivals in a long time over their mean: 1 of a Poisson process."""
        return (self.cv or 1.0) ** 2 * (self.burst_size or 1)

    @property
    def arrivals_text(self) -> str:
        """`poisson`, `gamma (cv 2)`, `bursts of 10`"""
        if self.burst_size:
            return f"bursts of {self.burst_size}"
        return f"gamma (cv {self.cv:g})" if self.cv else self.arrivals

    @property
    def levels(self) -> list[Level]:
        """The stages that are known beforehand; none of a replay, whose rate is in its file, and of a search."""
        if self.users is not None:
            return [Level(n, None) for n in self.users]
        if self.ramp is not None:
            return [Level(None, self.ramp.mean)]
        return [Level(None, rate) for rate in self.rate or ()]

    @property
    def at_most_s(self) -> float:
        """The longest a measured window may be, s; a replay sets no limit, its trace does."""
        if self.until is not None:
            return self.until.at_most_s
        return math.inf if self.measure_s is None else self.measure_s
