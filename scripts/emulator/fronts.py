"""What stands before endpoints: inference routers, which send a request to one of several, and global inference gateways, which
find a model by the body's `model`.

A router takes its destinations in turn. One whose next request would meet a failure that a router tries again elsewhere is passed
over, once: the answer's reason is then `failover`, and nothing else tells of it.
"""

import collections
import typing

from scripts.emulator import front_errors, reading
from scripts.emulator.dialects import openai_chat, openai_completions, want
from scripts.emulator.errors import BadBody
from scripts.emulator.frames import compact

MOST_BYTES = {"router": 6_291_456, "gateway": 10_485_760}
#: faults of a destination, before its model began, that a router tries again on another
TRIED_AGAIN = ("throttle", "not_ready", "unavailable", "internal_dependency", "server")
_REASON = "X-Amzn-SageMaker-Invoked-Routing-Reason"
_RESOURCE = "X-Amzn-SageMaker-Invoked-Routed-Resource-Arn"


class Fronts:
    """All that are configured. catalog: what stands behind them."""

    def __init__(self, config, catalog):
        self._routers, self._gateways, self._account = config.routers, frozenset(config.gateways), config.account
        self._catalog = catalog
        self._turns: collections.Counter[tuple[str, str]] = collections.Counter()

    def find(self, a):
        """What answers; the request becomes one to it, and the fault that it meets is drawn. Raises AwsError."""
        front = a.operation.front
        if len(a.request.body) > MOST_BYTES[front]:
            raise front_errors.too_large(front, MOST_BYTES[front])
        return self._routed(a) if front == "router" else self._behind_gateway(a)

    def _routed(self, a):
        router, asked = a.target_name, a.request.headers.get("x-amzn-sagemaker-routing-target-name", "")
        if router not in self._routers:
            raise front_errors.no_router(router)
        if asked not in self._routers[router]:
            raise front_errors.no_routing_target(asked, router)
        names = self._routers[router][asked]
        turn = self._turns[router, asked]
        self._turns[router, asked] += 1
        hosted, reason = self._destination(a, names[turn % len(names)]), "local-preferred"
        if a.fault and a.fault[0] in TRIED_AGAIN and len(names) > 1:
            hosted, reason = self._destination(a, names[(turn + 1) % len(names)]), "failover"
        a.served_by |= {
            _RESOURCE: f"arn:aws:sagemaker:{a.region}:{self._account}:endpoint/{a.target_name}",
            _REASON: reason,
        }
        return hosted

    def _destination(self, a, name: str):
        a.target_name = name
        hosted = self._catalog.find(a)
        a.fault = hosted.fault(a.operation)
        return hosted

    def _behind_gateway(self, a):
        """The body goes on as one that streams, or does not, by the operation alone."""
        if a.target_name not in self._gateways:
            raise front_errors.no_gateway(a.target_name)
        content_type = a.request.headers.get("content-type", "")
        if content_type.split(";")[0].strip().lower() != "application/json":
            raise front_errors.no_json(content_type)
        try:
            body = reading.json_of(a.request.body)
            a.target_name = want(body, "model", str, required=True)
        except BadBody as refusal:
            raise front_errors.no_object(str(refusal)) from None
        hosted = self._catalog.server(a.target_name)
        if hosted is None:
            raise front_errors.no_model(a.target_name)
        a.request = a.request.again(compact(body | {"stream": a.operation.streams}), a.request.arrived)
        a.fault = hosted.fault(a.operation)
        return hosted


def gateways_dialect(body: bytes) -> typing.Any:
    """OpenAI's chats, or its completions."""
    document = reading.json_of(body)
    return openai_completions if "prompt" in document and "messages" not in document else openai_chat
