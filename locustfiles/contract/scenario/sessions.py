"""How users hold the conversations of a payload: what the history is, how long they think, and what a failed turn means."""

import math
import random
import typing

import pydantic

from locustfiles.contract.scenario.field_types import Positive, Seconds
from locustfiles.contract.strict_yaml import Strict

#: in a SageMaker target's header values: stands for the conversation's id
PLACE = "{session}"


class Think(Strict):
    """A pause that is drawn anew each time, s: evenly between `low` and `high`, or exponentially around `mean`, cut at `at_most`."""

    low: Seconds | None = None
    high: Seconds | None = None
    mean: Positive | None = None
    at_most: Positive | None = None

    @pydantic.model_validator(mode="after")
    def _one_of_two(self) -> typing.Self:
        even, around = (self.low, self.high), (self.mean, self.at_most)
        if (None in even and None in around) or (even != (None, None) and around != (None, None)):
            raise ValueError("needs `low` and `high`, or `mean` and `at_most`, and not both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("`low` must not be above `high`")
        return self

    def draw(self, source: random.Random) -> float:
        """A pause, s."""
        if self.mean is not None and self.at_most is not None:
            return min(source.expovariate(1 / self.mean), self.at_most)
        return source.uniform(self.low or 0.0, self.high or 0.0)

    @property
    def mean_s(self) -> float:
        """The mean of what is drawn, the cut included."""
        if self.mean is not None and self.at_most is not None:
            return self.mean * (1 - math.exp(-self.at_most / self.mean))
        return ((self.low or 0.0) + (self.high or 0.0)) / 2


def _constant(value: object) -> object:
    """A number is a pause that is always the same."""
    return {"low": float(value), "high": float(value)} if type(value) in (int, float) else value  # type: ignore[arg-type]


class Sessions(Strict):
    """What the conversations of a load's payloads have in common."""

    answers: typing.Literal["real", "recorded"] = "real"  # which ones are the history
    think_s: typing.Annotated[Think, pydantic.BeforeValidator(_constant)] | None = (
        None  # between turns; else the load's
    )
    after_failure: typing.Literal["end", "go_on"] = "end"
    history: typing.Literal["sent", "kept"] = "sent"  # kept: by the service, which is told the last answer's id

    @pydantic.model_validator(mode="after")
    def _kept_is_real(self) -> typing.Self:
        if self.history == "kept" and self.answers == "recorded":
            raise ValueError(
                "`history: kept` has the model's own answers; remove `answers: recorded`, or the history is `sent`"
            )
        return self
