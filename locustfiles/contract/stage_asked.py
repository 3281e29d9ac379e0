"""What was asked of a stage's prompts, as its manifest has it: a trace's lengths, and a share from a cache."""

import dataclasses
import typing


@dataclasses.dataclass(slots=True)
class TraceFit:
    """How near the prompts of a replayed stage come to the lengths that its trace has."""

    #: above so much the work was another: said before the run, and the stage is SUSPECT
    OFF_AT_MOST: typing.ClassVar[float] = 0.10

    asked_tokens: float  # mean prompt tokens of the trace's arrivals
    sent_tokens: float  # mean `prompt_tokens` of the payload's nearest lines, which are sent in their place
    off: float  # sum of |asked - sent| over the sum of asked

    @property
    def text(self) -> str:
        return (
            f"asks for {self.asked_tokens:,.0f} prompt tokens on average, the nearest lines have {self.sent_tokens:,.0f} "
            f"({100 * self.off:.2g} % off in sum)"
        )


@dataclasses.dataclass(slots=True)
class CacheAsked:
    """What a stage's `prefix:` wants of a prompt cache: the share of its prompt tokens that is read from one once it is warm."""

    share: float
    leeway: float  # what the caches' blocks may take from it, as a share: only whole blocks are cached
