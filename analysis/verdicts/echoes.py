"""Whether a target's answers give the prompt back: its output tokens are then the prompt's and a few, and every figure by the output
token counts what nobody asked for.

The text of answers is not kept, so that token counts must tell: of nearly all successes the output is as long as the prompt plus a
few tokens, and it cannot be so by chance, for it is longer than the call allowed (`max_tokens`), or follows prompts of unlike length.
"""

import dataclasses
import typing

import numpy as np

from analysis.cost.transaction_cost import most_tokens
from analysis.runs.stage import Stage
from analysis.runs.token_totals import prompt_total
from analysis.verdicts.caution import Caution, caution, seen
from locustfiles.contract.scenario.families import other_work

NEARLY_ALL = 0.9  # of the successes
FEWER = 0.03  # of the prompt's tokens that may be missing: the two may be counted by different tokenizers
MORE, MORE_AT_LEAST = 0.15, 64  # of the prompt's tokens, and tokens, that the answer proper may have
SHORTEST = 50  # tokens; shorter prompts are as long as any answer
# correlation of outputs with prompts; how far from 1 a token more of a prompt may lengthen the output
FOLLOWS, SLOPE = (
    0.98,
    0.05,
)
FEWEST = 5  # successes
UNLIKE = 0.1  # of its mean that the prompt's length varies (standard deviation), so that a correlation tells


@dataclasses.dataclass(frozen=True, slots=True)
class Echo:
    """Mean tokens of a stage whose answers echo their prompts."""

    prompt: float
    output: float

    @property
    def beyond(self) -> float:
        """Of the answers proper."""
        return max(0.0, self.output - self.prompt)

    @property
    def caution(self) -> Caution:
        return caution("echo", output=self.output, prompt=self.prompt)

    @property
    def text(self) -> str:
        """`its answers look like the prompt given back (2,535 output tokens for prompts of 2,503)`"""
        return seen([self.caution])


def echo_of(stage: Stage) -> Echo | None:
    """None where the counts do not show one."""
    prompts, outputs = (
        tokens.to_numpy(dtype=float, na_value=np.nan)
        for tokens in (prompt_total(stage.good), stage.good["completion_tokens"])
    )
    known = ~np.isnan(prompts) & ~np.isnan(outputs)
    prompts, outputs = prompts[known], outputs[known]
    if len(prompts) < FEWEST or prompts.mean() < SHORTEST or outputs.mean() <= prompts.mean():
        return None
    if np.mean(outputs >= prompts * (1 - FEWER)) < NEARLY_ALL:
        return None
    allowed = most_tokens(stage.run, stage.target)
    found = _too_long(prompts, outputs, allowed) if allowed else _follows(prompts, outputs)
    return Echo(float(prompts.mean()), float(outputs.mean())) if found else None


def _too_long(prompts: np.ndarray, outputs: np.ndarray, allowed: int) -> bool:
    """Longer than the call allowed, and what is beyond the prompt is not; or, of shorter prompts, as if nothing were allowed."""
    beyond = (outputs > allowed) & (outputs - prompts <= allowed * (1 + FEWER))
    return float(np.mean(beyond)) > NEARLY_ALL or _follows(prompts, outputs)


def _follows(prompts: np.ndarray, outputs: np.ndarray) -> bool:
    """As long as the prompt and a few tokens: of prompts of unlike length with them, of like ones each longer than its prompt.
    Outputs of one length are what was asked for, whatever the prompts' lengths."""
    more = outputs - prompts
    if not np.std(outputs) or np.mean(more <= np.maximum(MORE_AT_LEAST, MORE * prompts)) < NEARLY_ALL:
        return False
    if np.std(prompts) < UNLIKE * prompts.mean():
        return bool(more.min() >= 0 and more.mean() <= FEWER * prompts.mean())
    slope = float(np.polyfit(prompts, outputs, 1)[0])
    return bool(abs(slope - 1) <= SLOPE and np.corrcoef(prompts, outputs)[0, 1] > FOLLOWS)


def echo_cautions(stage: Stage, echo: Echo | None) -> typing.Iterator[Caution]:
    """Why figures by the output token are not those of its answers."""
    if echo and not other_work(stage.target):
        yield echo.caution
