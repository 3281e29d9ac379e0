"""OpenAI's Responses that are kept, so that a request may go on from one by its id (`previous_response_id`)."""

import functools
import itertools
import typing

from scripts.emulator import reading
from scripts.emulator.dialects import Call, openai_responses, want
from scripts.emulator.errors import AwsError

_MOST = 10_000  # then the oldest are forgotten


class KeptResponses:
    """Of all models together: the id of each answer, and all that was said up to it."""

    def __init__(self) -> None:
        self._items: dict[str, list[dict]] = {}

    def call_of(self, a) -> Call:
        """What a request asks for, behind what was said before it. Raises BadBody, or AwsError for an id that is not kept."""
        body = reading.json_of(a.request.body)
        own, before = body.get("input"), want(body, "previous_response_id", str)
        if before is not None and before not in self._items:
            raise _not_found(before)
        asked: typing.Any = [{"role": "user", "content": own}] if isinstance(own, str) else own
        if before is not None and isinstance(asked, list):
            asked = [*self._items[before], *asked]
        if want(body, "store", bool, True):
            a.keep = functools.partial(self._keep, asked)
        return a.dialect.read({**body, "input": asked}) if before else reading.call_of(a.dialect, a.request.body)

    def _keep(self, asked: list[dict], a) -> None:
        answer = openai_responses.whole(a)
        self._items[answer["id"]] = [*asked, *answer["output"]]
        if len(self._items) > _MOST:
            for oldest in list(itertools.islice(self._items, _MOST // 10)):
                del self._items[oldest]


def _not_found(name: str) -> AwsError:
    text = f"Previous response with id '{name}' not found."
    return AwsError(400, "previous_response_not_found", text, {"param": "previous_response_id"})
