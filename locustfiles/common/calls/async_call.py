"""A call of an asynchronous endpoint: the request is queued, and its answer waited for in S3.

The object is looked for every `poll_s`: when an answer was there is known to that, and the time of one read of S3, and never early.
"""

import dataclasses
import time
import typing

import gevent

from locustfiles.common.calls.boto3_call import Boto3Call
from locustfiles.common.calls.object_store import Answered, Boto3Store, ObjectStore, OwnStore
from locustfiles.common.calls.own_answers import read, unsigned
from locustfiles.common.dialects.async_address import INPUT_LOCATION
from locustfiles.common.dialects.one_line import one_line
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.request import Body
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.transport.aws_session import UNSIGNED, AwsSession
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.limits import Broken
from locustfiles.common.transport.s3_requests import Place, place_of
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.keys import redact
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import SageMakerTarget, Target

FAILURE_OBJECT = "FailureObject"  # the code where the endpoint wrote that it failed
_NO_PLACE = "the request was accepted without an OutputLocation that is one of S3's"
_LATE = "no answer was in S3 within request_timeout_s"
_NO_FAILURE = "; the endpoint has no S3FailurePath, so a failure cannot be seen"
#: failures of a look that the next one may not meet
_PASSING = frozenset(
    (
        ErrorClass.CONNECT,
        ErrorClass.READ_TIMEOUT,
        ErrorClass.STREAM_BROKEN,
        ErrorClass.THROTTLED,
        ErrorClass.UNAVAILABLE,
        ErrorClass.SERVER,
    )
)
Submit = typing.Callable[[Exchange, Target, Body, float], ParsedAnswer]


class AsyncCall:
    """Of one process. submit: sends a request and reads what a refusal says, by either transport."""

    def __init__(self, submit: Submit, store: ObjectStore) -> None:
        self._submit, self._store = submit, store
        self._there: set[tuple[str, str]] = set()  # target and input's place: that was put there

    def run(self, exchange: Exchange, target: SageMakerTarget, body: Body, timeout_s: float) -> ParsedAnswer:
        """Make the call; what came, failures too, is put into `exchange` and told. Raises nothing but GreenletExit."""
        if location := body.headers.get(INPUT_LOCATION):
            if failed := self._put(exchange, target, location, body, timeout_s):
                return failed
            body = dataclasses.replace(body, body=b"")
        parsed = self._submit(exchange, target, body, timeout_s)
        if exchange.error is not None or exchange.status is None or not 200 <= exchange.status < 300:
            return parsed
        exchange.accepted_at, exchange.chunks, exchange.received = exchange.done_at, [], None
        output, failure = (
            place_of(exchange.headers.get(f"x-amzn-sagemaker-{name}location")) for name in ("output", "failure")
        )
        if output is None:
            return ParsedAnswer(error=ErrorClass.BAD_RESPONSE, error_message=_NO_PLACE, request_id=parsed.request_id)
        return self._wait(exchange, target, body, exchange.sent_at + timeout_s, (output, failure))

    def _put(
        self, exchange: Exchange, target: SageMakerTarget, location: str, body: Body, timeout_s: float
    ) -> ParsedAnswer | None:
        """Put the input into S3 once, before the request is timed; what failed, or None."""
        place = place_of(location)
        if place is None or (target.name, location) in self._there:
            return None
        began = time.perf_counter()
        put = self._store.put(target, place, body.body, timeout_s)
        if put.error is None and not put.absent:
            self._there.add((target.name, location))
            return None
        exchange.sent_at, exchange.done_at, exchange.status = began, put.at, put.status
        exchange.reconnect = None  # no request was made
        return _failed(put, f"the input was not put into S3: {put.message or 'no such bucket'}")

    def _wait(
        self, exchange: Exchange, target: SageMakerTarget, body: Body, until: float, places: tuple[Place, Place | None]
    ) -> ParsedAnswer:
        """places: of the answer, and of what is written if there is none."""
        asked = target.async_inference
        assert asked is not None
        late = never = _LATE if places[1] else _LATE + _NO_FAILURE
        looks, began = 0, exchange.done_at
        while (now := time.perf_counter()) < until:
            looks += 1
            gevent.sleep(max(0.0, min(began + looks * asked.poll_s, until) - now))
            for place in filter(None, places):
                found = self._store.get(target, place, max(0.001, until - time.perf_counter()))
                if found.absent:
                    continue
                if found.error in _PASSING:
                    late = f"{never}; lately: {found.message or found.code}"
                    continue
                exchange.done_at = found.at
                if found.error is not None:
                    exchange.status = found.status
                    return _failed(found, found.message, _id_of(exchange))
                exchange.chunks = [(found.at, found.body or b"")]
                exchange.received, exchange.ended = len(found.body or b""), True
                return self._failure(exchange) if place is places[1] else self._read(exchange, body)
        exchange.fail(Broken(ErrorClass.READ_TIMEOUT, late))
        exchange.done_at = now
        return ParsedAnswer(request_id=_id_of(exchange))

    def _failure(self, exchange: Exchange) -> ParsedAnswer:
        text = exchange.chunks[0][1][:4096].decode(errors="replace")
        told, request_id = one_line(redact(text), 200), _id_of(exchange)
        return ParsedAnswer(
            error=ErrorClass.MODEL_ERROR, error_code=FAILURE_OBJECT, error_message=told, request_id=request_id
        )

    def _read(self, exchange: Exchange, body: Body) -> ParsedAnswer:
        return read(exchange, parse_answer, body, 200, exchange.headers, exchange.chunks, True)


def async_calls(
    session: AwsSession, transport: ConnectionPool, boto3: Boto3Call | None, scenario: Scenario
) -> AsyncCall | None:
    """What makes the calls of a scenario's asynchronous endpoints; None where it has none. Raises BadInput."""
    queued = [t for t in scenario.targets if isinstance(t, SageMakerTarget) and t.async_inference]
    if not queued:
        return None
    store = Boto3Store(session, scenario) if boto3 else OwnStore(session, transport)
    for target in queued:
        store.ready(target)
    return AsyncCall(boto3.run if boto3 else _by_our_own(session, transport), store)


def _by_our_own(session: AwsSession, transport: ConnectionPool) -> Submit:
    def submit(exchange: Exchange, target: Target, body: Body, timeout_s: float) -> ParsedAnswer:
        try:
            request = session.request(target, body.path, body.headers, body.body)
        except UNSIGNED as e:
            return unsigned(exchange, e)
        exchange.request_bytes = len(body.body)
        transport.run(exchange, session.origin(target), request, timeout_s)
        if exchange.status is None:
            return ParsedAnswer()
        return read(exchange, parse_answer, body, exchange.status, exchange.headers, exchange.chunks, exchange.ended)

    return submit


def _id_of(exchange: Exchange) -> str | None:
    """Of the request that was accepted."""
    return one_line(exchange.headers.get("x-amzn-requestid"), 128)


def _failed(found: Answered, message: str | None, request_id: str | None = None) -> ParsedAnswer:
    return ParsedAnswer(
        error=found.error or ErrorClass.CLIENT, error_code=found.code, error_message=message, request_id=request_id
    )
