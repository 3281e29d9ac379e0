"""The load of a target: its users at each level, and how long each level is measured."""

import typing

import pydantic

from locustfiles.common.yaml_file import Strict

Name = typing.Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Seconds = typing.Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
Positive = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
Count = typing.Annotated[int, pydantic.Field(ge=1)]
Text = typing.Annotated[str, pydantic.Field(min_length=1)]


class Until(Strict):
    """Measure until so many requests have begun in the window, at most so long."""

    requests: Count
    at_most_s: Positive


class AbortStage(Strict):
    """End a stage as a result once its error rate is above this; the sweep goes on."""

    error_rate: typing.Annotated[float, pydantic.Field(ge=0, lt=1)]
    after_requests: Count = 20


def _levels(value: object) -> object:
    """`1..20`, or a list of numbers and such ranges -> the list of numbers."""
    parts = value if isinstance(value, list) else [value]
    users: list = []
    for part in parts:
        ends = part.split("..") if isinstance(part, str) else []
        if len(ends) == 2 and all(e.strip().isdigit() for e in ends) and int(ends[1]) <= 100_000:
            users += range(int(ends[0]), int(ends[1]) + 1)
        else:
            users.append(part)
    return users


class Load(Strict):
    """Closed loop: users at each level, each sending its next request when the last one ended."""

    users: typing.Annotated[list[Count], pydantic.BeforeValidator(_levels), pydantic.Field(min_length=1)]
    think_s: Seconds = 0.0
    settle_s: Seconds = 5.0
    measure_s: Positive | None = None
    until: Until | None = None
    abort_stage: AbortStage | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        if (self.measure_s is None) == (self.until is None):
            raise ValueError("needs exactly one of `measure_s` and `until`")
        if self.users != sorted(set(self.users)):
            raise ValueError("`users` must ascend, each level once")
        return self

    @property
    def at_most_s(self) -> float:
        """The longest a measured window may be, s."""
        return self.measure_s if self.measure_s is not None else self.until.at_most_s
