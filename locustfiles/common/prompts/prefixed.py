"""Prompts behind a shared prefix, with a number that no two requests share.

What is sent is `prefix`, blank line, number, blank line, prompt; with `nonce: start` number, prefix, prompt. The number is five
groups of three digits, of which every tokenizer that is known makes equally many tokens, and is drawn anew for each request: no
cache can keep what stands behind its first digits, of this run or an earlier one.
"""

import collections.abc
import dataclasses
import random
import typing

from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.prefix import Prefix

BREAK = "\n\n"
BLOCK = 128  # tokens, as OpenAI's routes cache by; other servers' blocks are shorter
SAMPLE = 20  # lines
_GROUPS = 5
_draws = random.SystemRandom()  # another seed in each process and run


def nonce() -> str:
    """`483 920 118 004 517`"""
    digits = f"{_draws.randrange(10 ** (3 * _GROUPS)):0{3 * _GROUPS}d}"
    return " ".join(digits[i : i + 3] for i in range(0, len(digits), 3))


@dataclasses.dataclass(frozen=True, slots=True)
class Prefixed:
    """The prefix of one target and payload. texts: the prefixes, none with `nonce: start` alone."""

    spec: Prefix
    texts: list[str]
    system_tokens: int | None  # of the target's `system`, which goes before; None: nothing counts here
    more_tokens: int | None = None  # of prefix and number
    counts: dict[str, int] = dataclasses.field(default_factory=dict)  # a line's id -> all of it, counted
    share: float | None = None  # of a prompt of mean length that the prefix is, with the system text before it
    mean_tokens: float | None = None  # of a whole prompt

    def dress(self, prompt: Prompt) -> Prompt:
        """What is sent in the place of this line: another number each time, of a conversation the same through its turns."""
        text = _draws.choice(self.texts) if self.texts else ""
        messages = prompt.messages
        before, behind = self._around(text)
        counted = self.counts.get(prompt.id)
        asked = prompt.asked._replace(counted=counted)
        if asked.prompt_tokens is not None and not asked.whole and self.more_tokens is not None:
            asked = asked._replace(prompt_tokens=asked.prompt_tokens + self.more_tokens + (self.system_tokens or 0))
        if messages is None and self.spec.ttl is None:
            return dataclasses.replace(prompt, text=before + behind + (prompt.text or ""), asked=asked)
        first, *others = messages or [{"role": "user", "content": prompt.text or ""}]
        first = first | {"content": _content(first["content"], before, behind, self.spec.ttl)}
        turns = prompt.turns  # which a system message stands before, else the first of them is longer
        if turns and first["role"] != "system":
            turns = (dataclasses.replace(turns[0], user=first["content"]), *turns[1:])
        return dataclasses.replace(prompt, text=None, messages=[first, *others], turns=turns, asked=asked)

    def _around(self, text: str) -> tuple[str, str]:
        """(all up to the cache point, what comes between it and the prompt)"""
        if self.spec.nonce == "start":
            return nonce() + BREAK + (text + BREAK if text else ""), ""
        return text + BREAK, nonce() + BREAK


def _content(content: str | list[dict], before: str, behind: str, ttl: str | None) -> str | list[dict]:
    """A message's content with the prefix at its head."""
    if ttl is None and isinstance(content, str):
        return before + behind + content
    parts: list[dict] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if ttl is None:
        return [{"type": "text", "text": before + behind}, *parts]
    hour = {"ttl": ttl} if ttl == "1h" else {}  # five minutes are every model's own time, and not all take a `ttl`
    point: dict[str, typing.Any] = {"cachePoint": {"type": "default"} | hour}
    rest = [{"type": "text", "text": behind}] if behind else []
    if behind and isinstance(content, str):
        rest, parts = [], [{"type": "text", "text": behind + content}]
    return [{"type": "text", "text": before}, point, *rest, *parts]


def counted(
    made: Prefixed,
    prompts: collections.abc.Sequence[Prompt],
    alone: collections.abc.Mapping[str, int],
    count: collections.abc.Callable[[Prompt], int],
) -> Prefixed:
    """With what its tokenizer counts of each dressed line: the sum of its parts, where SAMPLE lines show that it is, else each
    counted whole. alone: a line's id -> its tokens and the system text's; count: of all texts that are sent for a line."""
    tried = prompts[:: max(1, len(prompts) // SAMPLE)]
    more = {count(made.dress(p)) - alone[p.id] for p in tried for _ in range(2)}
    added = min(more)
    counts = {p.id: alone[p.id] + added if len(more) == 1 else count(made.dress(p)) for p in prompts}
    mean, system = sum(counts.values()) / len(counts), made.system_tokens or 0
    number = count(Prompt("", nonce() + BREAK, None)) - system
    share = (system + added - number) / mean if made.texts else 0.0
    return dataclasses.replace(made, more_tokens=added, counts=counts, share=share, mean_tokens=mean)
