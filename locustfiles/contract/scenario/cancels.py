"""Clients that leave before their answer has ended, as people do who have read enough or do not want to wait."""

import fractions
import typing

import pydantic

from locustfiles.contract.scenario.field_types import Positive
from locustfiles.contract.strict_yaml import Strict

MOST_DRAWS = 1000  # of a block, in which exactly the share is left


class Cancel(Strict):
    """So many of the streamed requests are left: at the first token, or so long after the send if they go on until then."""

    share: typing.Annotated[float, pydantic.Field(gt=0, lt=1)]
    after: typing.Literal["first_token"] | None = None
    after_s: Positive | None = None

    @pydantic.model_validator(mode="after")
    def _one_moment(self) -> typing.Self:
        if (self.after is None) == (self.after_s is None):
            raise ValueError("needs exactly one of `after: first_token` and `after_s`")
        return self

    @pydantic.model_validator(mode="after")
    def _exact(self) -> typing.Self:
        if sum(self.counts) > MOST_DRAWS:
            raise ValueError("`share` has more than three decimals; round it")
        return self

    @property
    def counts(self) -> tuple[int, int]:
        """Of a block of requests: how many are waited for, and how many are left."""
        exact = fractions.Fraction(repr(self.share))
        return exact.denominator - exact.numerator, exact.numerator

    @property
    def text(self) -> str:
        """`10 % of the streamed requests, at their first token`"""
        when = "at their first token" if self.after_s is None else f"{self.after_s:g} s after they were sent"
        return f"{100 * self.share:.3g} % of the streamed requests, {when}"
