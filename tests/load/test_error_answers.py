"""Errors of every kind: exception frames, error bodies inside a 200, garbage, other statuses."""

import json

import pytest

from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.response import parse_answer
from locustfiles.contract.error_classes import ErrorClass
from tests.helpers.aws_frames import chunk, event, exception, frame, part
from tests.helpers.sample_answers import CLAUDE, CONVERSE, NOVA, STREAMS, TGI, call, sse, streamed, timed

EXCEPTIONS = {
    "throttlingException": ErrorClass.THROTTLED,
    "modelStreamErrorException": ErrorClass.MODEL_ERROR,
    "internalServerException": ErrorClass.SERVER,
    "serviceUnavailableException": ErrorClass.UNAVAILABLE,
    "validationException": ErrorClass.CLIENT,
    "modelTimeoutException": ErrorClass.MODEL_TIMEOUT,
    "ModelStreamError": ErrorClass.MODEL_ERROR,
    "InternalStreamFailure": ErrorClass.SERVER,
    "brandNewException": ErrorClass.MODEL_ERROR,
}


@pytest.mark.parametrize("kind", EXCEPTIONS)
@pytest.mark.parametrize("dialect", STREAMS)
def test_an_exception_event_in_mid_stream_decides_the_class(dialect, kind):
    parsed = streamed(dialect, *timed(STREAMS[dialect][0][0], exception(kind, {"message": "Slow down"})))
    assert (parsed.error, parsed.error_code, parsed.error_message) == (EXCEPTIONS[kind], kind, "Slow down")


def test_an_error_frame_is_classified_by_its_code():
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "Broke"}
    parsed = streamed("converse", *timed(CONVERSE[0], frame(b"", headers)))
    assert (parsed.error, parsed.error_code, parsed.error_message) == (ErrorClass.SERVER, "InternalFailure", "Broke")


def test_what_the_container_said_is_in_a_model_stream_errors_message():
    sagemaker = exception("ModelStreamError", {"Message": "Late", "ErrorCode": "ModelInvocationTimeExceeded"})
    assert streamed("tgi", *timed(TGI[0], sagemaker)).error_message == "ModelInvocationTimeExceeded: Late"
    bedrock = exception(
        "modelStreamErrorException", {"message": "m", "originalStatusCode": 500, "originalMessage": "o"}
    )
    assert streamed("nova", *timed(NOVA[0], bedrock)).error_message == "container status 500: m"


def test_a_broken_checksum_in_mid_stream_is_a_bad_response():
    bad = CONVERSE[3][:-1] + bytes([CONVERSE[3][-1] ^ 1])
    parsed = streamed("converse", *timed(*CONVERSE[:3], bad, *CONVERSE[4:]))
    assert (parsed.error, parsed.text) == (ErrorClass.BAD_RESPONSE, "Hel")


# --- error bodies inside a 200 ---

ERROR_BODIES = [
    ("tgi", {"error": "Request failed", "error_type": "generation"}, "generation", "model_error"),  # TGI's own 424
    ("lmi", {"error": "bad", "code": 424}, "424", "model_error"),
    ("openai-chat", {"error": {"message": "full", "type": "overloaded", "code": None}}, "overloaded", "throttled"),
    ("openai-chat", {"error": {"message": "full", "code": 500}}, "500", "server"),
    (
        "openai-chat",
        {"object": "error", "message": "l", "type": "BadRequestError", "code": 400},
        "BadRequestError",
        "client",
    ),
    (
        "claude",
        {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
        "overloaded_error",
        "unavailable",
    ),
    (
        "lmi",
        {"generated_text": "", "details": {"finish_reason": "error", "generated_tokens": None}},
        "error",
        "bad_response",
    ),
    ("openai-chat", {"error": {"message": "m", "type": "nobody_knows", "code": "x"}}, "x", "bad_response"),
]


@pytest.mark.parametrize(("dialect", "body", "code", "error_class"), ERROR_BODIES)
def test_an_error_body_inside_a_200_is_classed_by_the_status_that_it_carries_or_names(dialect, body, code, error_class):
    whole = parse_answer(call(dialect, stream=False), 200, {}, [(1.0, json.dumps(body).encode())], True)
    assert (whole.error, whole.error_code) == (error_class, code)
    frames = STREAMS[dialect][0]
    error = chunk(body) if dialect == "claude" else part(sse(body))
    in_stream = streamed(dialect, *timed(*frames[:3], error, *frames[3:]))
    assert (in_stream.error, in_stream.error_code) == (error_class, code)
    assert in_stream.text.startswith("Hel")


GARBAGE = [b"", b"null", b"5", b"<html>", b"\xff\xfe", b"[]", b"[1]", b"{}", b'{"a"', b"[" * 100_000, b"1" * 10_000]


@pytest.mark.parametrize("dialect", STREAMS)
def test_a_200_that_cannot_be_read_is_a_bad_response(dialect):
    for data in GARBAGE:
        assert (
            parse_answer(call(dialect, stream=False), 200, {}, [(1.0, data)], True).error == ErrorClass.BAD_RESPONSE
        ), data[:20]


def test_an_answer_that_is_not_a_stream_where_one_was_asked_for_is_a_bad_response():
    parsed = streamed("converse", (1.0, b'{"output": {"message": {"content": [{"text": "Hi"}]}}}'))
    assert parsed.error == ErrorClass.BAD_RESPONSE


def test_an_error_body_in_place_of_a_stream_is_that_error():
    parsed = streamed("openai-chat", (1.0, b'{"error": {"message": "full", "type": "overloaded"}}'))
    assert (parsed.error, parsed.error_code, parsed.error_message) == (ErrorClass.THROTTLED, "overloaded", "full")


def test_garbage_lines_and_events_are_bad_responses():
    assert streamed("tgi", *timed(TGI[0], part(b"data: oops\n\n"), *TGI[1:])).error == ErrorClass.BAD_RESPONSE
    assert streamed("tgi", *timed(TGI[0], part(b"data: 5\n\n"), *TGI[1:])).error == ErrorClass.BAD_RESPONSE
    assert streamed("nova", *timed(event("chunk", {"bytes": "%%%"}), *NOVA)).error == ErrorClass.BAD_RESPONSE
    assert streamed("nova", *timed(event("chunk", {}), *NOVA)).error == ErrorClass.BAD_RESPONSE
    assert streamed("converse", *timed(event("metadata", b"\xff"), *CONVERSE)).error == ErrorClass.BAD_RESPONSE


def test_an_event_that_nobody_knows_yet_is_passed_over():
    assert streamed("converse", *timed(event("somethingNew", {"a": 1}), *CONVERSE)).error is None
    assert streamed("claude", *timed(event("somethingNew", {}), chunk({"type": "new"}), *CLAUDE)).error is None


# --- answers of another status ---


def refused(status: int, headers: dict, body: bytes) -> ParsedAnswer:
    return parse_answer(call("converse"), status, headers, [(1.0, body)], True)


def test_the_header_names_the_error_before_the_body_does():
    headers = {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/x", "x-amzn-requestid": "r"}
    parsed = refused(429, headers, b'{"__type": "Other", "message": "Too many requests"}')
    assert (parsed.error, parsed.error_code) == (ErrorClass.THROTTLED, "ThrottlingException")
    assert (parsed.error_message, parsed.request_id) == ("Too many requests", "r")


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (
            400,
            b'{"__type": "com.amazon#ValidationException", "message": "m"}',
            ErrorClass.CLIENT,
            "ValidationException",
        ),
        (429, b'{"code": "ModelNotReadyException", "message": "m"}', ErrorClass.NOT_READY, "ModelNotReadyException"),
        (403, b'{"message": "m"}', ErrorClass.AUTH, "403"),
        (503, b"<html>m</html>", ErrorClass.UNAVAILABLE, "503"),
        (502, b"", ErrorClass.SERVER, "502"),
        (422, b'{"error": "m", "error_type": "validation"}', ErrorClass.CLIENT, "validation"),
        (301, b"m", ErrorClass.BAD_RESPONSE, "301"),
    ],
)
def test_without_the_header_body_and_status_decide(status, body, error, code):
    parsed = refused(status, {}, body)
    assert (parsed.error, parsed.error_code) == (error, code)


def test_a_model_error_names_the_containers_status():
    body = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
        "LogStreamArn": "arn:aws:logs:us-east-1:1:log-group:x",
        "Message": "Received client error (422) from primary",
        "OriginalMessage": '{"error":"too long","error_type":"validation"}',
        "OriginalStatusCode": 422,
    }
    parsed = refused(424, {"x-amzn-errortype": "ModelError"}, json.dumps(body).encode())
    assert (parsed.error, parsed.error_code) == (ErrorClass.MODEL_ERROR, "ModelError")
    expected = 'CLIENT_ERROR_FROM_MODEL: container status 422: {"error":"too long","error_type":"validation"}'
    assert parsed.error_message == expected


def test_messages_are_one_redacted_line_that_a_csv_file_can_hold():
    text = "The Credential=AKIAABCDEFGHIJKLMNOP/x\n\x00 is \ud83d bad " + "x" * 5000
    parsed = refused(403, {}, json.dumps({"message": text}).encode())
    assert "AKIA" not in parsed.error_message and "[redacted]" in parsed.error_message
    assert len(parsed.error_message) <= 200 and parsed.error_message.isprintable()
    parsed.error_message.encode()


@pytest.mark.parametrize("detail", ["no room", ["no room"]])
def test_a_null_error_beside_a_detail_does_not_hide_its_words(detail):
    body = json.dumps({"error": None, "detail": detail}).encode()
    parsed = parse_answer(call("openai-chat", stream=False), 200, {}, [(0.0, body)], True)
    assert (parsed.error, parsed.error_message) == (ErrorClass.BAD_RESPONSE, "no room")
