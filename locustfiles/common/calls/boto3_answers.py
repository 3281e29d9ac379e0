"""What boto3 made of an answer, or the exception that it raised -> `ParsedAnswer`, by the rules that hold for every transport."""

import dataclasses
import http.client
import typing

import botocore.exceptions as boto
import urllib3.exceptions

from locustfiles.common.dialects import response
from locustfiles.common.dialects.converse import converse_event, converse_whole
from locustfiles.common.dialects.error_answers import error_answer, refused
from locustfiles.common.dialects.parsed import AnswerBuilder, ParsedAnswer
from locustfiles.common.dialects.request import Body
from locustfiles.common.transport.aws_session import UNSIGNED
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.limits import Broken, too_many_headers
from locustfiles.contract.error_classes import ErrorClass, classify
from locustfiles.contract.scenario.bedrock_apis import WHOLE_ANSWERS


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


_KEPT_READS, _KEPT_EVENTS = 16, 10_000  # of an answer that passed a limit
_MISTAKES = (boto.ParamValidationError, boto.InvalidEndpointConfigurationError)  # of the scenario
#: what kept the request from getting there, or the answer from coming whole
_ON_THE_WAY: dict[ErrorClass, tuple[type[Exception], ...]] = {
    ErrorClass.READ_TIMEOUT: (boto.ReadTimeoutError, urllib3.exceptions.ReadTimeoutError),
    ErrorClass.CONNECT: (
        boto.ConnectTimeoutError,
        boto.EndpointConnectionError,
        boto.ProxyConnectionError,
        boto.SSLError,
    ),
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
    if isinstance(broken := _cause(error), Broken):
        exchange.fail(broken)
        whole = answer.pieces and isinstance(answer.pieces[0][1], bytes)
        del answer.pieces[_KEPT_READS if whole else _KEPT_EVENTS :]
    elif _too_many_headers(broken):
        exchange.fail(too_many_headers())
    elif isinstance(error, boto.EventStreamError):
        answer.exception = error.response
    elif isinstance(error, boto.ClientError):
        answer.refused = error.response
    elif exchange.sent_at and (found := _on_the_way(error)):
        exchange.error, exchange.error_message = found, getattr(_cause(error), "strerror", None) or str(error)
    elif exchange.status is not None:  # only botocore's own reading is left
        answer.fault = (
            ErrorClass.BAD_RESPONSE,
            None,
            f"botocore cannot read the answer: {type(error).__name__}: {error}",
        )
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


def _too_many_headers(cause: BaseException | None) -> bool:
    """http.client takes a hundred header lines of 64 KiB; urllib3 reads as much of a chunk's first line."""
    if isinstance(cause, http.client.LineTooLong) or "exceeded maximum allowed length" in str(cause):
        return True
    return type(cause) is http.client.HTTPException and "headers" in str(cause)


def _cause(error: BaseException) -> BaseException | None:
    """What botocore's, then urllib3's exception was made from."""
    if isinstance(error, boto.BotoCoreError):
        error = getattr(error, "kwargs", {}).get("error", error)
    if isinstance(error, urllib3.exceptions.ProtocolError) and isinstance(error.args[-1], BaseException):
        return error.args[-1]
    return error


def parse_answer(call: Body, exchange: Exchange, answer: Answer) -> ParsedAnswer:
    """What came, parsed; empty where nothing did."""
    builder = AnswerBuilder(call.echo, call.answer, call.in_reasoning)
    response.identify(builder, exchange.headers)
    if answer.refused is not None:
        error = answer.refused["Error"]
        code = None if error["Code"] == str(exchange.status) else str(error["Code"])  # botocore's stand-in for none
        members = {key: value for key, value in answer.refused.items() if key not in ("Error", "ResponseMetadata")}
        refused(builder, exchange.status, code, members | {"message": error["Message"]})
    elif exchange.status is None:
        if answer.fault is None:
            return ParsedAnswer()
        builder.fail(*answer.fault)
    elif not 200 <= exchange.status < 300:  # an error that botocore could not read
        error_answer(builder, exchange.status, exchange.headers, answer.body)
    elif call.stream:
        _stream(builder, call, exchange, answer)
    else:
        _whole(builder, call, exchange, answer)
    return builder.finish()


def _stream(builder: AnswerBuilder, call: Body, exchange: Exchange, answer: Answer) -> None:
    if call.service == "sagemaker":
        _exception(builder, answer)
        parts = [
            (time, event["PayloadPart"].get("Bytes", b"")) for time, event in answer.pieces if "PayloadPart" in event
        ]
        response.lines(builder, call.dialect, parts, exchange.ended)
    for time, event in answer.pieces:
        for kind, inner in event.items():
            if call.dialect == "converse":
                converse_event(builder, kind, inner, time)
            elif kind == "chunk":
                response.chunk(builder, call.dialect, inner.get("bytes", b""), time)
    _exception(builder, answer)
    if answer.fault is not None:
        builder.fail(*answer.fault)
    response.end_of_stream(builder, None, exchange.ended, call.dialect, bool(answer.pieces))


def _exception(builder: AnswerBuilder, answer: Answer) -> None:
    """An exception or error event; botocore leaves the type out where the API has none of that name."""
    if answer.exception is not None:
        error = answer.exception["Error"]
        code = error["Code"] or None
        builder.fail(classify(code, None) if code else ErrorClass.MODEL_ERROR, code, error["Message"] or None)


def _whole(builder: AnswerBuilder, call: Body, exchange: Exchange, answer: Answer) -> None:
    if call.dialect in WHOLE_ANSWERS:  # read at once, as Converse is; as the fast path reads it
        if answer.fault is not None:
            builder.fail(*answer.fault)
        response.whole(builder, call.dialect, answer.body, exchange.ended)
        return
    if call.dialect != "converse":
        response.whole(builder, call.dialect, b"".join(data for _, data in answer.pieces), exchange.ended)
        response.header_counts(builder, exchange.headers)
        return
    if not exchange.ended:  # botocore takes the beginning of a body for the whole of it
        builder.fail(ErrorClass.STREAM_BROKEN, None, "the connection broke before the end of the answer")
    if answer.fault is not None:
        builder.fail(*answer.fault)
    elif answer.parsed is not None:
        converse_whole(builder, answer.parsed)
