"""Requests that were built already: a payload's prompts come again and again."""

from locustfiles.common.dialects.request import Body, build
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.targets import Target

MOST_BYTES = 8 << 20  # of all that are kept; beyond it they are kept anew
AROUND = 2 << 10  # of a prompt that was made for one call, and of what holds it
LARGE = 64 << 10  # such a body takes longer to be sent than to be built
MEDIA_BYTES = (
    64 << 20
)  # of bodies with images, documents, sound or video, which take the loop milliseconds to build; the first are kept


class KeptBodies:
    """Of one process. Targets and prompts are told apart as objects, which stay as they are."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[Target, Prompt, Body]] = {}  # with both, whose id() is then no other's
        self._bytes = self._media_bytes = 0
        self._media: dict[tuple[int, int], tuple[Target, Prompt, Body]] = {}

    def of(self, target: Target, prompt: Prompt) -> Body:
        """What `build` gives, and raises."""
        known = self._kept.get((id(target), id(prompt))) or self._media.get((id(target), id(prompt)))
        if known is not None:
            return known[2]
        body = build(target, prompt)
        if len(body.body) <= LARGE:
            size = len(body.body) + AROUND
            if self._bytes + size > MOST_BYTES:
                self._kept.clear()
                self._bytes = 0
            self._kept[id(target), id(prompt)] = target, prompt, body
            self._bytes += size
        elif body.media_bytes and self._media_bytes + len(body.body) <= MEDIA_BYTES:
            self._media[id(target), id(prompt)] = target, prompt, body
            self._media_bytes += len(body.body)
        return body
