"""An answer without an end is broken off at a limit or at its deadline, on both transports, and the event loop goes on."""

import time

import gevent
import pytest

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.transport import limits
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.calls import PROMPT, SCENARIO
from tests.helpers.wire_server import receive, serving, sleep

pytestmark = pytest.mark.usefixtures("credentials")

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTAINER = {"name": "t", "service": "sagemaker", "endpoint": "e", "dialect": "openai-chat", "instance_type": "ml.x"}
ENDLESS = {  # what comes first, and what comes again and again
    "a body": (CHUNKED, b"400\r\n" + b" " * 1024 + b"\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 80 + b"\r\n"),
    "a header line": (b"HTTP/1.1 200 OK\r\nX: ", b"b" * 1024),
    "a chunk extension": (CHUNKED + b"5;a=", b"b" * 1024),
    "trailers": (CHUNKED + b"1\r\n{\r\n0\r\n", b"X-T: " + b"b" * 80 + b"\r\n"),
}


def endless(first: bytes, again: bytes, pause_s: float = 0):
    """A script that goes on until the client hangs up."""

    def script(connection, server):
        receive(connection)
        connection.sendall(first)
        while True:
            connection.sendall(again if pause_s else again * (65536 // len(again)))
            sleep(pause_s)

    return script


def call(port: int, transport: str, timeout_s: float, target: dict = CONTAINER):
    url = f"http://127.0.0.1:{port}"
    more = {"targets": [target], "endpoint_url": url, "request_timeout_s": timeout_s, "transport": transport}
    sender = Sender(Scenario.model_validate(SCENARIO | more), Clock(), lambda record: None)
    return sender.call(1, sender.scenario.target("t"), PROMPT, StageSpec(1, "t", "p", 1), "measure")


@pytest.mark.parametrize("transport", ["fast", "boto3"])
@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_without_an_end_is_broken_off_at_a_limit(what, transport):
    with serving(endless(*ENDLESS[what])) as server:
        record = call(server.port, transport, 60)
    assert (record.error, record.error_code) == ("bad_response", "AnswerTooLarge")
    assert "check what answers at this address" in record.error_message
    assert record.response_bytes <= limits.MAX_ANSWER_BYTES


@pytest.mark.timed
@pytest.mark.parametrize("transport", ["fast", "boto3"])
@pytest.mark.parametrize(
    "first", [CHUNKED, CHUNKED + b"5;a=", b"HTTP/1.1 200 OK\r\nX: "], ids=["body", "extension", "head"]
)
def test_an_answer_that_drips_ends_at_its_deadline(first, transport):
    drop = b"1\r\n \r\n" if first == CHUNKED else b"b"
    with serving(endless(first, drop, 0.02)) as server:
        record = call(server.port, transport, 0.4)
    assert record.error == "read_timeout"
    assert 400 <= record.latency_ms < 600


@pytest.mark.timed
@pytest.mark.parametrize("transport", ["fast", "boto3"])
def test_others_have_their_turn_while_an_answer_floods_in(transport):
    worst = [0.0]

    def tick():
        last = time.perf_counter()
        while True:
            gevent.sleep(0.01)
            last, before = time.perf_counter(), last
            worst[0] = max(worst[0], last - before - 0.01)

    with serving(endless(CHUNKED, b"1\r\n \r\n")) as server:
        ticker = gevent.spawn(tick)
        record = call(server.port, transport, 0.5)
        ticker.kill()
    assert record.error == "read_timeout"
    assert 0 < worst[0] < 0.3  # without turns all of the 0.5 s and more


@pytest.mark.parametrize("transport", ["fast", "boto3"])
def test_a_compressed_answer_is_named(transport):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"

    def script(connection, server):
        receive(connection)
        connection.sendall(head)

    with serving(script) as server:
        record = call(server.port, transport, 5)
    assert (record.error, record.error_code) == ("bad_response", "ContentEncoding")
    assert "Content-Encoding: gzip" in record.error_message


@pytest.mark.parametrize("transport", ["fast", "boto3"])
def test_a_trailer_changes_no_header_and_no_model_counts_a_hundred_million_tokens(transport):
    answer = (
        b'{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,'
        b'"completion_tokens":100000000}}'
    )
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nx-amzn-RequestId: of-the-head\r\n\r\n")

    def script(connection, server):
        receive(connection)
        connection.sendall(head + b"%x\r\n%b\r\n0\r\nx-amzn-RequestId: of-a-trailer\r\n\r\n" % (len(answer), answer))

    with serving(script) as server:
        record = call(server.port, transport, 5)
    assert record.request_id == "of-the-head"
    assert (record.error, record.error_code) == ("bad_response", "ImplausibleUsage")
    assert (record.prompt_tokens, record.completion_tokens) == (3, None)
