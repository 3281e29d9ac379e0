"""What boto3 made of an answer, or the exception that it raised -> `Reading`, by the rules that hold for every transport."""

import dataclasses
import http.client
import typing

import botocore.exceptions as boto
import urllib3.exceptions

from locustfiles.common import readers
from locustfiles.common.answers import converse_event, converse_whole
from locustfiles.common.aws import UNSIGNED
from locustfiles.common.connection import Exchange
from locustfiles.common.dialects import Body
from locustfiles.common.error_answers import error_answer, refused
from locustfiles.common.errors import ErrorClass, classify
from locustfiles.common.reading import Draft, Reading


@dataclasses.dataclass(slots=True)
class Answer:
    """What came, as boto3 hands it over. Times are perf_counter seconds."""

    body: bytes = b""  # of an answer that botocore reads at once: Converse, every refusal
    parsed: dict[str, typing.Any] | None = None  # Converse
    stream: typing.Any = None  # EventStream or StreamingBody
    pieces: list[tuple[float, typing.Any]] = dataclasses.field(default_factory=list)  # its events or bytes
    refused: dict[str, typing.Any] | None = None  # ClientError's response
    exception: dict[str, typing.Any] | None = None  # EventStreamError's response
    fault: tuple[ErrorClass, str | None, str] | None = None  # what botocore says of arguments or bytes


_MISTAKES = (boto.ParamValidationError, boto.InvalidEndpointConfigurationError)  # of the scenario
#: what kept the request from getting there, or the answer from coming whole
_ON_THE_WAY: dict[ErrorClass, tuple[type[Exception], ...]] = {
    ErrorClass.READ_TIMEOUT: (boto.ReadTimeoutError, urllib3.exceptions.ReadTimeoutError),
    ErrorClass.CONNECT: (boto.ConnectTimeoutError, boto.EndpointConnectionError, boto.ProxyConnectionError, boto.SSLError),
    ErrorClass.STREAM_BROKEN: (
        boto.ConnectionClosedError,
        boto.ResponseStreamingError,
        boto.IncompleteReadError,
        urllib3.exceptions.HTTPError,
        OSError,
    ),
}


def fail(exchange: Exchange, answer: Answer, error: Exception) -> None:
    """Note what boto3 raised."""
    if isinstance(error, boto.EventStreamError):
        answer.exception = error.response
    elif isinstance(error, boto.ClientError):
        answer.refused = error.response
    elif exchange.sent_at and (found := _on_the_way(error)):
        exchange.error, exchange.error_message = found, getattr(_cause(error), "strerror", None) or str(error)
    elif exchange.status is not None:  # only botocore's own reading is left
        answer.fault = ErrorClass.BAD_RESPONSE, None, f"botocore cannot read the answer: {type(error).__name__}: {error}"
    elif isinstance(error, _MISTAKES):
        answer.fault = ErrorClass.CLIENT, type(error).__name__, str(error)
    elif not exchange.sent_at and isinstance(error, UNSIGNED):
        answer.fault = ErrorClass.AUTH, type(error).__name__, str(error)
    else:
        exchange.error, exchange.error_message = ErrorClass.INTERNAL, f"{type(error).__name__}: {error}"


def _on_the_way(error: Exception) -> ErrorClass | None:
    found = next((c for c, kinds in _ON_THE_WAY.items() if isinstance(error, kinds)), None)
    cause = _cause(error)
    if found == ErrorClass.STREAM_BROKEN and isinstance(cause, http.client.HTTPException):
        ended = isinstance(cause, http.client.RemoteDisconnected | http.client.IncompleteRead)
        if not ended or isinstance(cause, urllib3.exceptions.InvalidChunkLength):
            return ErrorClass.BAD_RESPONSE  # it is not HTTP
    if isinstance(cause, urllib3.exceptions.LocationParseError):
        return ErrorClass.CONNECT  # no host can have this name
    return found


def _cause(error: BaseException) -> BaseException | None:
    """What botocore's, then urllib3's exception was made from."""
    if isinstance(error, boto.BotoCoreError):
        error = getattr(error, "kwargs", {}).get("error", error)
    if isinstance(error, urllib3.exceptions.ProtocolError) and isinstance(error.args[-1], BaseException):
        return error.args[-1]
    return error


def tell(call: Body, exchange: Exchange, answer: Answer) -> Reading:
    """The reading of what came; empty where nothing did."""
    draft = Draft(call.echo, call.answer, call.in_reasoning)
    readers.identify(draft, exchange.headers)
    if answer.refused is not None:
        error = answer.refused["Error"]
        code = None if error["Code"] == str(exchange.status) else str(error["Code"])  # botocore's stand-in for none
        members = {key: value for key, value in answer.refused.items() if key not in ("Error", "ResponseMetadata")}
        refused(draft, exchange.status, code, members | {"message": error["Message"]})
    elif exchange.status is None:
        if answer.fault is None:
            return Reading()
        draft.fail(*answer.fault)
    elif not 200 <= exchange.status < 300:  # an error that botocore could not read
        error_answer(draft, exchange.status, exchange.headers, answer.body)
    elif call.stream:
        _stream(draft, call, exchange, answer)
    else:
        _whole(draft, call, exchange, answer)
    return draft.finish()


def _stream(draft: Draft, call: Body, exchange: Exchange, answer: Answer) -> None:
    if call.service == "sagemaker":
        _exception(draft, answer)
        parts = [(time, event["PayloadPart"].get("Bytes", b"")) for time, event in answer.pieces if "PayloadPart" in event]
        readers.lines(draft, call.dialect, parts)
    for time, event in answer.pieces:
        for kind, inner in event.items():
            if call.dialect == "converse":
                converse_event(draft, kind, inner, time)
            elif kind == "chunk":
                readers.chunk(draft, call.dialect, inner.get("bytes", b""), time)
    _exception(draft, answer)
    if answer.fault is not None:
        draft.fail(*answer.fault)
    readers.end_of_stream(draft, None, exchange.ended)


def _exception(draft: Draft, answer: Answer) -> None:
    """An exception or error event; botocore leaves the type out where the API has none of that name."""
    if answer.exception is not None:
        error = answer.exception["Error"]
        code = error["Code"] or None
        draft.fail(classify(code, None) if code else ErrorClass.MODEL_ERROR, code, error["Message"] or None)


def _whole(draft: Draft, call: Body, exchange: Exchange, answer: Answer) -> None:
    if call.dialect != "converse":
        readers.whole(draft, call.dialect, b"".join(data for _, data in answer.pieces), exchange.ended)
        readers.header_counts(draft, exchange.headers)
        return
    if not exchange.ended:  # botocore takes the beginning of a body for the whole of it
        draft.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    if answer.fault is not None:
        draft.fail(*answer.fault)
    elif answer.parsed is not None:
        converse_whole(draft, answer.parsed)
