"""Asynchronous endpoints: a request is accepted with a 202, waits in a queue, and its answer, or why there is none, is put into S3."""

import collections
import dataclasses
import json
import re
import time
import traceback
import typing

from scripts.emulator import errors
from scripts.emulator.answer import Answer
from scripts.emulator.errors import AwsError, BadBody
from scripts.emulator.exchange import Request
from scripts.emulator.frames import compact
from scripts.emulator.operations import Operation
from scripts.emulator.s3 import S3

QUEUED = ("InvokeEndpointAsync", "InvokeInferenceRouterAsync")
MOST_INLINE_BYTES = 128_000
TTL_S, TIMEOUT_S = 21_600, 900  # where a request does not say
#: faults of an endpoint that its front door has; all others are the model's, and end in a failure object
AT_THE_DOOR = frozenset(
    (
        "throttle",
        "server",
        "unavailable",
        "internal_dependency",
        "client",
        "not_found",
        "access_denied",
        "drop",
        "reset",
    )
)
_JOB = Operation("AsyncInvocation", "sagemaker", False, front="queue")
_PREFIX = "x-amzn-sagemaker-"
_LOCATION = re.compile(r"s3://([^/]+)/(.+)")


@dataclasses.dataclass
class _Job:
    """A request in the queue. Times are perf_counter seconds."""

    hosted: typing.Any
    request: Request
    target_name: str
    id: str
    fault: typing.Any
    output: str
    failure: str | None
    accepted: float
    variant: str
    expires: float
    timeout_s: int


class _Result:
    """The connection of an answer that nobody reads: tells what it was, once."""

    def __init__(self, tell: typing.Callable[[int, bytes], None]) -> None:
        self._tell: typing.Callable[[int, bytes], None] | None = tell

    def respond(self, status: int, headers, body: bytes) -> None:
        tell, self._tell = self._tell, None
        if tell:
            tell(status, body)

    def respond_cut(self, status: int, headers, body: bytes, sent: int, reset: bool) -> None:
        self.drop()

    def drop(self, reset: bool = False) -> None:
        self.respond(500, [], _message("The container closed the connection before it had answered."))

    def cork(self) -> None:
        pass

    uncork = cork


class AsyncQueue:
    """Of all endpoints. service: what answers a request of an endpoint."""

    def __init__(self, service, store: S3) -> None:
        self._service, self._store = service, store
        self._waiting: dict[str, collections.deque[_Job]] = collections.defaultdict(collections.deque)
        self._running: collections.Counter[str] = collections.Counter()

    def accept(self, a: Answer, hosted) -> None:
        """Raises AwsError."""
        asked = hosted.config.asynchronous
        if asked is None:
            raise _refused(f"Endpoint {a.target_name} is not an asynchronous endpoint; ask it without a queue.")
        fault = a.fault if a.operation.front else hosted.fault(a.operation)
        a.fault = None  # it is the job's, but for these
        if fault and fault[0] in AT_THE_DOOR:
            a.fault = fault
            return fault[1].apply(a)
        body, headers = self._input(a), a.request.headers
        inference_id = headers.get(f"{_PREFIX}inference-id") or a.request_id
        folder = asked.output.rstrip("/") + "".join(
            f"/{e.strip('/')}" for e in [_of(headers, "s3outputpathextension")] if e
        )
        output = f"{folder}/{_of(headers, 'filename') or f'{inference_id}.out'}"
        failure = f"{asked.failure.rstrip('/')}/{inference_id}-error.out" if asked.failure else None
        ttl, timeout = (
            _seconds(headers, "requestttlseconds", 60, 21_600),
            _seconds(headers, "invocationtimeoutseconds", 1, 3600),
        )
        job = _Job(
            hosted, self._inner(a, body), a.target_name, a.request_id, fault, output, failure,
            time.perf_counter(), next(iter(a.served_by.values())), time.perf_counter() + (ttl or TTL_S), timeout or TIMEOUT_S,
        )  # fmt: skip
        places = {"Output": output, "Failure": failure}
        told = [(f"X-Amzn-SageMaker-{name}Location", place) for name, place in places.items() if place]
        sent = [a.operation.request_id(a), ("Content-Type", "application/json"), *told]
        a.out.respond(202, sent, compact({"InferenceId": inference_id}))
        self._waiting[a.target_name].append(job)
        self._go_on(a.target_name)

    def _input(self, a: Answer) -> bytes:
        """The body that the container gets. Raises AwsError."""
        location, body = _of(a.request.headers, "inputlocation"), a.request.body
        if (location is None) == (not body):
            raise _refused("Exactly one of Body and InputLocation must be provided.")
        if location is None:
            if len(body) > MOST_INLINE_BYTES:
                raise _refused(f"The inline payload has {len(body)} bytes, more than {MOST_INLINE_BYTES}.")
            return body
        if not _LOCATION.fullmatch(location):
            raise _refused(f"Invalid InputLocation: {location}")
        return self._store.get(location) or b""

    def _inner(self, a: Answer, body: bytes) -> Request:
        """What reaches the container, named after the request that was accepted."""
        kept = ("x-amzn-sagemaker-custom-attributes",)
        headers = {name: a.request.headers[name] for name in kept if name in a.request.headers}
        headers["x-request-id"] = a.request_id
        return Request("POST", f"/endpoints/{a.target_name}/invocations", headers, body, time.perf_counter())

    def _go_on(self, name: str) -> None:
        waiting = self._waiting[name]
        while waiting and self._running[name] < (waiting[0].hosted.config.asynchronous.concurrency or 1_000_000):
            job = waiting.popleft()
            if time.perf_counter() > job.expires:
                self._fail(job, "The request expired in the queue before it was processed.")
            else:
                self._run(job)

    def _run(self, job: _Job) -> None:
        name = job.target_name
        self._running[name] += 1

        def ended(status: int, body: bytes) -> None:
            self._running[name] -= 1
            if status == 200:
                self._store.put(job.output, body)
            else:
                self._fail(job, str(json.loads(body).get("Message") or json.loads(body).get("message")))
            self._go_on(name)

        result = _Result(ended)
        request = job.request.again(job.request.body, time.perf_counter())  # it arrives at the container now
        answer = Answer(self._service, result, request, _JOB, name)
        answer.fault, answer.queued = job.fault, (job.accepted, job.variant)
        self._service.clock.at(time.perf_counter() + job.timeout_s, lambda: self._too_late(answer, result))
        try:
            if not job.request.body:
                raise errors.AwsError(400, "ModelError", "The input was not found at its location in S3.")
            self._service.begin(answer, job.hosted)
        except AwsError as error:
            answer.fail(error)
        except BadBody as refusal:
            answer.refuse(str(refusal))
        except Exception:  # as in Service.serve
            traceback.print_exc()
            answer.fail(errors.server_error("sagemaker"))

    def _too_late(self, answer: Answer, result: _Result) -> None:
        if not answer.out.ended:
            answer.disconnected("invocation timeout")
            result.respond(500, [], _message("The invocation timed out before the container answered."))

    def _fail(self, job: _Job, message: str) -> None:
        if job.failure:
            self._store.put(job.failure, message.encode(), "text/plain")


def _of(headers: dict[str, str], name: str) -> str | None:
    return headers.get(f"{_PREFIX}{name}")


def _seconds(headers: dict[str, str], name: str, least: int, most: int) -> int | None:
    """Raises AwsError."""
    text = _of(headers, name)
    if text is None:
        return None
    if not text.isdecimal() or not least <= int(text) <= most:
        raise _refused(
            f"Value '{text}' at '{name}' failed to satisfy constraint: Member must be from {least} to {most}"
        )
    return int(text)


def _message(text: str) -> bytes:
    return compact({"Message": text})


def _refused(text: str) -> AwsError:
    return AwsError(400, "ValidationError", text)
