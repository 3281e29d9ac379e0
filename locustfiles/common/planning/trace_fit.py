"""How near the prompts that a replay sends come to the lengths that its trace has: each arrival takes the nearest line."""

import collections.abc

from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.manifest import TraceFit

REFUSED_ABOVE = 0.50


def nearest(prompts: collections.abc.Sequence[Prompt], tokens: int) -> list[Prompt]:
    """All lines whose `prompt_tokens` are nearest to `tokens`; lines without a count are none of them."""
    counted = [(abs(p.prompt_tokens - tokens), p) for p in prompts if p.prompt_tokens is not None]
    least = min((distance for distance, _ in counted), default=None)
    return [p for distance, p in counted if distance == least]


def fit(trace: collections.abc.Iterable[Arrival], prompts: collections.abc.Sequence[Prompt]) -> TraceFit | None:
    """None where the trace has no prompt lengths. off: the sum of |asked - sent| over the sum of asked."""
    counted = [a.prompt_tokens for a in trace if a.prompt_tokens is not None]
    if not counted:
        return None
    nearest_to = {n: _tokens(nearest(prompts, n)) for n in set(counted)}
    sent = [nearest_to[n] for n in counted]
    off = sum(sum(abs(n - s) for s in tokens) / len(tokens) for n, tokens in zip(counted, sent, strict=True))
    mean_sent = sum(sum(tokens) / len(tokens) for tokens in sent) / len(sent)
    return TraceFit(sum(counted) / len(counted), mean_sent, off / sum(counted))


def _tokens(prompts: list[Prompt]) -> list[int]:
    return [p.prompt_tokens for p in prompts if p.prompt_tokens is not None]
