"""What can go wrong, by name. A target's configuration gives each fault the share of requests that meet it.

Stages: `request` faults answer instead of the model; `call` faults change what is asked of the model or how it
is written; `stream` faults see each piece of a stream (with the number of output pieces so far) and return True
when they have dealt with it. `body` is what a stream fault does to an answer that does not stream; without it,
such a request is left alone and counted as faultless."""

import time
from collections.abc import Callable
from typing import NamedTuple

from scripts.emulator import errors, frames, openai_errors
from scripts.emulator.frames import compact

GARBAGE = b"<html><head><title>502 Bad Gateway</title></head><body>\xff\xfe upstream error</body></html>"
_CONTAINER_ERROR = compact({"error": "Request failed during generation", "error_type": "generation"})


class Fault(NamedTuple):
    stage: str
    apply: Callable
    body: Callable | None = None
    framed: bool = False  # AWS's event frames only

    def meets(self, operation) -> bool:
        """Whether an answer of the operation can show this fault."""
        if self.stage != "stream" or self.body:
            return True
        return operation.streams and not (self.framed and operation.openai)

    def strikes(self, a, piece, deltas: int) -> bool:
        """Whether this has dealt with a piece of a stream."""
        return self.stage == "stream" and self.apply(a, piece, deltas)


def _answers(make: Callable[[str], errors.AwsError]) -> Fault:
    """An error answer of the request's service."""
    return Fault("request", lambda a: a.fail(make(a.operation.service)))


def _model_error(a) -> None:
    if a.operation.service != "sagemaker":
        text = "The request failed due to an error while processing the model."
        members = {"originalStatusCode": 500, "resourceName": a.target_name}
        return a.fail(errors.AwsError(424, "ModelErrorException", text, members))
    a.fail(a.container_error(500, _CONTAINER_ERROR.decode()))


def _error_in_200(a) -> None:
    """A 200 whose body says that it failed: an error line in a container's or an OpenAI stream, else a JSON error."""
    body = compact({"message": "The system encountered an unexpected error during processing. Try your request again."})
    if a.operation.openai:
        _, body = openai_errors.status_and_body(errors.server_error("openai"))
    elif a.operation.service == "sagemaker":
        body = _CONTAINER_ERROR
    if a.operation.streams and (a.operation.openai or a.operation.service == "sagemaker"):
        a.out.write(a.operation.frame("PayloadPart", b"data:%b\n\n" % body))
        return a.out.close_stream()
    a.out.respond(200, [a.operation.request_id(a), ("Content-Type", "application/json")], body)


def _garbage_body(a) -> None:
    if a.operation.streams:
        a.out.write(GARBAGE)
        return a.out.close_stream()
    a.out.respond(200, a.operation.whole_headers(a), GARBAGE)


def _no_usage(a) -> None:
    a.reports_usage = False


def _empty_output(a) -> None:
    a.empty = True


def _split(a, piece, deltas) -> bool:
    """Seven bytes a part: cuts inside JSON lines and inside characters."""
    a.out.wire.split_bytes = 7
    return False


def _struck(a, piece, deltas: int) -> bool:
    """True once: at the output piece after `fault_after_tokens` others, or at the stream's close where it has fewer."""
    if a.struck or not (deltas > a.target.fault_after_tokens or piece.kind in ("close", "last", "end")):
        return False
    a.struck = True
    return True


def _drop(reset: bool) -> Fault:
    def apply(a, piece, deltas):
        if struck := _struck(a, piece, deltas):
            a.out.drop(reset)
        return struck

    return Fault("stream", apply, lambda a, body: a.out.cut_body(body, reset) or True)


def _raises(bedrock: str, sagemaker: str, text: str, instead: Callable) -> Fault:
    """An exception frame in mid-stream; an answer that does not stream is the same error by status."""

    def apply(a, piece, deltas):
        if struck := _struck(a, piece, deltas):
            a.break_stream(sagemaker if a.operation.service == "sagemaker" else bedrock, text)
        return struck

    return Fault("stream", apply, lambda a, body: instead(a) or True)


def _error_frame(a, piece, deltas) -> bool:
    if struck := _struck(a, piece, deltas):
        text = "An internal server error occurred"
        event = b"event: error\n" + openai_errors.event("internalServerException", text)
        a.out.write(event if a.operation.openai else frames.error("InternalError", text))
        a.out.close_stream()
    return struck


def _truncated_frame(a, piece, deltas) -> bool:
    """Half a frame, then a proper end of the HTTP body."""
    if struck := _struck(a, piece, deltas):
        frame = a.operation.frame(piece.event or "metadata", piece.payload)
        a.out.write(frame[: len(frame) // 2])
        a.out.close_stream()
    return struck


def _bad_crc(a, piece, deltas) -> bool:
    """One frame with a wrong checksum; the stream goes on."""
    if _struck(a, piece, deltas):
        a.out.wire.spoil_next = True
    return False


def _missing_close(a, piece, deltas) -> bool:
    """The stream ends without the event that says so."""
    return piece.kind in ("close", "last")


def _stall(a, piece, deltas) -> bool:
    """A pause of `stall_ms` in mid-stream."""
    if struck := _struck(a, piece, deltas):
        a.out.hold(a.target.stall_ms / 1000)
        a.out.emit(piece)
    return struck


def _stall_body(a, body: bytes) -> bool:
    if a.struck:
        return False
    a.struck = True
    a.app.clock.at(time.perf_counter() + a.target.stall_ms / 1000, lambda: a.out.send_body(body))
    return True


FAULTS: dict[str, Fault] = {
    "throttle": _answers(errors.throttled),
    "quota": _answers(errors.quota_exceeded),
    "not_ready": _answers(errors.not_ready),
    "model_timeout": _answers(errors.model_timeout),
    "model_error": Fault("request", _model_error),
    "server": _answers(errors.server_error),
    "unavailable": _answers(errors.unavailable),
    "internal_dependency": _answers(errors.internal_dependency),
    "client": _answers(errors.client_error),
    "not_found": _answers(errors.not_found),
    "access_denied": _answers(errors.access_denied),
    "error_in_200": Fault("request", _error_in_200),
    "garbage_body": Fault("request", _garbage_body),
    "drop": Fault("request", lambda a: a.out.drop()),
    "reset": Fault("request", lambda a: a.out.drop(reset=True)),
    "no_usage": Fault("call", _no_usage),
    "empty_output": Fault("call", _empty_output),
    "drop_mid_stream": _drop(reset=False),
    "reset_mid_stream": _drop(reset=True),
    "exception_mid_stream": _raises(
        "modelStreamErrorException", "ModelStreamError", "The model failed while streaming.", _model_error
    ),
    "internal_mid_stream": _raises(
        "internalServerException",
        "InternalStreamFailure",
        "The stream processing failed.",
        lambda a: a.fail(errors.server_error(a.operation.service)),
    ),
    "throttle_mid_stream": _raises(
        "throttlingException",
        "ModelStreamError",
        "Too many requests, please wait before trying again.",
        lambda a: a.fail(errors.throttled(a.operation.service)),
    ),
    "error_frame": Fault("stream", _error_frame),
    "truncated_frame": Fault("stream", _truncated_frame, lambda a, body: a.out.cut_body(body, False) or True),
    "bad_crc": Fault("stream", _bad_crc, framed=True),
    "missing_close": Fault("stream", _missing_close),
    "stall": Fault("stream", _stall, _stall_body),
    "split": Fault("stream", _split),
}
