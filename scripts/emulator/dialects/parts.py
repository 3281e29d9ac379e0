"""One call as several: a part for each choice that a body asks for."""

import dataclasses

from scripts.emulator.dialects import Call


def split(call: Call, prompts: list[tuple[str, list[int] | None]], n: int) -> Call:
    """The call with a part for each choice of each prompt; the prompt's tokens count once. Each has a seed of its own."""
    if len(prompts) == n == 1:
        return call
    for prompt, token_ids in prompts:
        for again in range(n):
            part = dataclasses.replace(call, prompt=prompt, token_ids=token_ids, parts=[])
            part.options = call.options | {"again": bool(again)}
            part.seed = (call.seed or 0) + again if again else call.seed
            call.parts.append(part)
    return call
