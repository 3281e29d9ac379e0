"""`transport: boto3`: the same calls by boto3 clients, the reference that the fast path is tested against.

boto3 finds credentials, bearer token, region, endpoint, proxies and CA bundle, signs, sends and reads; its own
events `before-send` and `before-parse` say when a request leaves and what HTTP answered. What boto3 does not tell:

| not told | so here |
|---|---|
| whether a request opened its connection | reconnect is empty |
| status, id and bytes of a Converse answer that a reset, a bad chunk or the deadline ended | empty, 0 bytes |
| bytes received by a read that a broken connection or the deadline ended | they are not in response_bytes |
| whether the chunks of a body that was not streamed broke off or cannot be read | stream_broken |
| whether TLS failed at the handshake or in a Converse answer | connect |
| what follows an exception event or a frame that cannot be read | not read: neither in latency nor in bytes |
| an exception event's type that its API does not know | class model_error without a code |
| `ErrorCode` of SageMaker's ModelStreamError | not in the message |
| bytes left over after the last whole frame | a truncated frame is seen by the missing closing event alone |
| an event of ConverseStream that is not JSON | it says nothing |
| a JSON error body in a 200, in place of a stream of events or of a Converse answer | bad_response without its code |
| an error of status 5xx whose body is HTML | the status's standard words are the message |

What boto3 itself refuses to send (arguments, a bearer token without TLS) is class client with the exception's name
as the code. Converse's JSON it writes itself, with blanks and escapes: `request_bytes` are those that it sent. Its latency
includes reading the CA file, which urllib3 does for every new TLS connection.
"""

import dataclasses
import functools
import json
import time
import typing

import botocore
import botocore.config
import botocore.response
import gevent
import gevent.local

from locustfiles.common.calls.boto3_answers import Answer, fail, parse_answer
from locustfiles.common.calls.boto3_limits import limit
from locustfiles.common.calls.own_answers import read
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.request import Body
from locustfiles.common.prompts import shapes
from locustfiles.common.transport.aws_session import AwsSession, client_of
from locustfiles.common.transport.connection_pool import CONNECT_TIMEOUT_S
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.header_lines import check
from locustfiles.common.transport.limits import MAX_PIECES, Broken, left_on_purpose, too_many_pieces
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import BedrockTarget, SageMakerTarget, Target

_POOL = 4096  # connections that are kept; with more users than that some would connect anew each time
_GRACE_S = 0.01  # the deadline is so much later than boto3's own timeouts, which know what they waited for
_READ_BYTES = 65536


@dataclasses.dataclass(slots=True)
class _Call:
    """What boto3's events belong to: the call that a greenlet makes."""

    exchange: Exchange
    answer: Answer
    deadline: gevent.Timeout


class _Counted:
    """An answer's raw stream on its way to botocore's decoder: counts its bytes."""

    def __init__(self, raw: typing.Any, exchange: Exchange) -> None:
        self._raw, self._exchange = raw, exchange

    def stream(self) -> typing.Iterator[bytes]:
        for data in self._raw.stream():
            self._exchange.received = (self._exchange.received or 0) + len(data)
            yield data

    def close(self) -> None:
        self._raw.close()


class Boto3Call:
    """One client per service and endpoint."""

    def __init__(self, session: AwsSession, scenario: Scenario) -> None:
        """Makes the clients of the scenario's targets now, not in a user's first request."""
        self._session = session.boto3  # the same, so that a provider that asks its user asks once
        self._endpoint_url = scenario.endpoint_url
        self._config = botocore.config.Config(
            retries={"total_max_attempts": 1, "mode": "standard"},  # `adaptive` would slow the client down by itself
            connect_timeout=min(CONNECT_TIMEOUT_S, scenario.request_timeout_s),
            read_timeout=scenario.request_timeout_s,
            max_pool_connections=_POOL,
        )
        self._clients: dict[tuple[str, str | None], typing.Any] = {}
        self._local = gevent.local.local()
        for target in scenario.targets:
            self._client(target)

    def _client(self, target: Target) -> typing.Any:
        url = target.endpoint_url or self._endpoint_url
        key = (client_of(target), url)
        if key not in self._clients:
            client = self._session.client(key[0], endpoint_url=url, config=self._config)
            limit(client)
            client.meta.events.register("before-send", self._leaves)
            client.meta.events.register("before-parse", self._answered)
            self._clients[key] = client
        return self._clients[key]

    def run(self, exchange: Exchange, target: Target, body: Body, timeout_s: float) -> ParsedAnswer:
        """Make the call; what came, failures too, is put into `exchange` and told. Raises nothing but GreenletExit."""
        exchange.reconnect, exchange.received = None, 0
        answer = Answer()
        deadline = gevent.Timeout(timeout_s + _GRACE_S if exchange.leave_after_s is None else exchange.leave_after_s)
        self._local.call = _Call(exchange, answer, deadline)
        if exchange.leaves is not None:
            exchange.leaves = functools.partial(_has_output, body, exchange, answer)
        try:
            self._receive(exchange, answer, self._client(target), target, body)
        except gevent.Timeout as e:
            if e is not deadline:
                raise
            overdue = Broken(ErrorClass.READ_TIMEOUT, "the answer did not end within request_timeout_s")
            exchange.fail(overdue if exchange.leave_after_s is None else left_on_purpose())
        except Exception as e:
            fail(exchange, answer, e)
        finally:
            deadline.close()
            exchange.done_at = exchange.done_at or time.perf_counter()
            exchange.sent_at = exchange.sent_at or exchange.done_at  # nothing was sent
            if answer.stream is not None:
                answer.stream.close()
        exchange.pieces = answer.pieces or [(0.0, answer.body)]
        return read(exchange, parse_answer, body, exchange, answer)

    def _receive(self, exchange: Exchange, answer: Answer, client: typing.Any, target: Target, body: Body) -> None:
        """The whole answer into `answer`, an event or a piece with the time of its arrival. Raises whatever boto3 does."""
        operation = client.meta.service_model.operation_model(body.operation)
        parsed = getattr(client, botocore.xform_name(body.operation))(**_arguments(operation, target, body))
        member = operation.output_shape.serialization.get("payload")
        if member is None:
            answer.parsed = parsed
            return
        answer.stream = parsed[member]
        pieces = answer.stream if body.stream else answer.stream.iter_chunks(_READ_BYTES)
        for piece in pieces:
            answer.pieces.append((time.perf_counter(), piece))
            if len(answer.pieces) > MAX_PIECES:
                raise too_many_pieces()
            if not body.stream:
                exchange.received = (exchange.received or 0) + len(piece)
            if exchange.leaves is not None and exchange.leaves():
                raise left_on_purpose()
        exchange.ended = True

    # boto3's events: called in the greenlet that makes the call

    def _leaves(self, request: typing.Any, **_: object) -> None:
        check(request.headers)
        call: _Call = self._local.call
        call.deadline.start()
        call.exchange.request_bytes = len(request.body or b"")
        call.exchange.sent_at = time.perf_counter()

    def _answered(self, response_dict: dict[str, typing.Any], **_: object) -> None:
        call: _Call = self._local.call
        exchange, body = call.exchange, response_dict["body"]
        if isinstance(body, bytes):
            exchange.done_at = time.perf_counter()
        exchange.status = response_dict["status_code"]
        exchange.headers = {name.lower(): value for name, value in response_dict["headers"].items()}
        if isinstance(body, bytes):
            call.answer.body, exchange.received = body, len(body)
            exchange.ended = exchange.headers.get("content-length") in (None, str(len(body)))
        elif not isinstance(body, botocore.response.StreamingBody):
            response_dict["body"] = _Counted(body, exchange)


def _has_output(body: Body, exchange: Exchange, answer: Answer) -> bool:
    """Whether the first token of what has come so far is there."""
    return parse_answer(body, exchange, answer).first_output is not None


def _arguments(operation: typing.Any, target: Target, body: Body) -> dict[str, typing.Any]:
    """The request as arguments of its API operation, whose model says which is where. boto3 writes base64 itself."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload")
    arguments: dict[str, typing.Any] = {}
    if body.body:  # the input of a queued request may be elsewhere
        arguments = {payload: body.body} if payload else shapes.with_bytes(shape, json.loads(body.body))
    placed = {(m.serialization.get("location"), m.serialization.get("name")): name for name, m in shape.members.items()}
    arguments |= {member: _in_path(target, member) for (location, _), member in placed.items() if location == "uri"}
    headers = body.headers if payload else body.headers.keys() - {"Content-Type"}  # boto3 writes JSON bodies itself
    given = {placed["header", header]: body.headers[header] for header in headers}
    whole = {member for member in given if shape.members[member].type_name == "integer"}
    return arguments | given | {member: int(given[member]) for member in whole}


def _in_path(target: Target, member: str) -> str:
    if isinstance(target, SageMakerTarget):
        return target.asked
    if isinstance(target, BedrockTarget) and target.guardrail and member.startswith("guardrail"):
        return target.guardrail.version if member == "guardrailVersion" else target.guardrail.id
    return target.model_id
