"""Synthetic prompts: so many of them, of lengths by a distribution or a trace, exact by a tokenizer."""

import collections.abc
import math
import random
import typing

import pydantic

from locustfiles.contract.scenario.field_types import Count, Positive, Text
from locustfiles.contract.strict_yaml import Strict

COUNT = 200
_DRAWS = 10_000  # for one length inside the bounds


class Lengths(Strict):
    """Whole numbers of tokens, low to high. uniform: each as often; normal and lognormal: of this mean and deviation (before they
    are cut off at low and high), drawn again where they lie outside."""

    distribution: typing.Literal["uniform", "normal", "lognormal"]
    low: Count = 1
    high: Count | None = None
    mean: Positive | None = None
    deviation: Positive | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        bell = self.distribution != "uniform"
        if bell and (self.mean is None or self.deviation is None):
            raise ValueError(f"{self.distribution} needs `mean` and `deviation`; add them")
        if not bell and (self.high is None or self.mean is not None or self.deviation is not None):
            raise ValueError("uniform needs `low` and `high` alone; mend it")
        if self.high is not None and self.high < self.low:
            raise ValueError("`high` is below `low`; mend one")
        if self.mean is not None and not self.low <= self.mean <= (self.high or math.inf):
            raise ValueError("`mean` is not between `low` and `high`; mend one")
        return self

    def draw(self, of: random.Random) -> int:
        """One length."""
        if self.distribution == "uniform":
            return of.randint(self.low, self.high or self.low)
        mean, deviation = self.mean or 0.0, self.deviation or 0.0
        spread = math.sqrt(math.log1p((deviation / mean) ** 2))  # of the logarithm
        for _ in range(_DRAWS):
            drawn = (
                of.gauss(mean, deviation)
                if self.distribution == "normal"
                else of.lognormvariate(math.log(mean) - spread**2 / 2, spread)
            )
            if self.low <= round(drawn) <= (self.high or math.inf):
                return round(drawn)
        return round(mean)  # bounds so narrow that nothing falls between


def _kind(value: object) -> str:
    return "spread" if isinstance(value, dict | Lengths) else "number"


#: a number of tokens, or how they are spread
AnyLengths = typing.Annotated[
    typing.Annotated[Count, pydantic.Tag("number")] | typing.Annotated[Lengths, pydantic.Tag("spread")],
    pydantic.Discriminator(_kind),
]


def drawn(lengths: int | Lengths | None, of: random.Random) -> int | None:
    """A constant, or a length by its distribution; None where nothing is asked."""
    return lengths.draw(of) if isinstance(lengths, Lengths) else lengths


class Synthetic(Strict):
    """`prompt_tokens`, and with it `completion_tokens`; or `trace`, which has both."""

    prompt_tokens: AnyLengths | None = None
    completion_tokens: AnyLengths | None = None  # asked for as `max_tokens`
    trace: Text | None = None  # the lengths of its arrivals, in their order
    count: Count | None = None  # prompts; without it COUNT, of a trace one for each arrival
    tokenizer: Text | None = None  # else that of the targets

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        if (self.prompt_tokens is None) == (self.trace is None):
            raise ValueError("needs exactly one of `prompt_tokens` and `trace`")
        if self.trace is not None and self.completion_tokens is not None:
            raise ValueError("`trace` has the answers' lengths, too; remove `completion_tokens`")
        return self


def check_synthetic(
    specs: collections.abc.Mapping[str, Synthetic],
    targets: collections.abc.Mapping[str, tuple[str | None, list[str]]],
) -> None:
    """Whether each is used, and by targets that count alike. targets: name -> (tokenizer, payloads). Raises ValueError."""
    for name, spec in specs.items():
        if "." in name:
            raise ValueError(f"`synthetic.{name}`: a name without a dot, for it stands where files do; rename it")
        users = {target: tokenizer for target, (tokenizer, payloads) in targets.items() if name in payloads}
        if not users:
            raise ValueError(f"`synthetic.{name}` is in no `payloads`; add `{name}` there, or remove it")
        if spec.tokenizer is None and len(set(users.values())) > 1:
            raise ValueError(
                f"`synthetic.{name}` is sent to targets of different tokenizers ({', '.join(users)}); name the `tokenizer:` that "
                "counts, or give each a payload of its own"
            )
        if spec.tokenizer is None and None in users.values():
            raise ValueError(
                f"`synthetic.{name}` needs a tokenizer to count by; add `tokenizer:` to it, or to target `{next(iter(users))}`"
            )
