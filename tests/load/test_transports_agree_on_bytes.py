"""boto3 and the fast path make the same record of bytes that are no answer, of silence, and of no connection."""

import contextlib
import socket

import pytest

from tests.helpers.both_transports import Pair
from tests.helpers.surfaces import container, converse, invoke
from tests.helpers.wire_server import certificate, full, receive, serving

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]

HEAD = b"HTTP/1.1 %b\r\nx-amzn-RequestId: r1\r\nContent-Type: application/json\r\nConnection: close\r\n"
CHUNKED = HEAD % b"200 OK" + b"Transfer-Encoding: chunked\r\n\r\n"


def sized(status: bytes, body: bytes) -> bytes:
    return HEAD % status + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


WIRE = {  # what a server writes after a request -> class, status of the record
    "not-http": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "bad_response", None),
    "nothing": (b"", "stream_broken", None),
    "redirect": (sized(b"302 Found\r\nLocation: /elsewhere", b""), "bad_response", 302),
    "forbidden": (sized(b"403 Forbidden", b""), "auth", 403),
    "html": (sized(b"502 Bad Gateway", b"<html></html>"), "server", 502),
    "list": (sized(b"400 Bad Request", b"[1]"), "client", 400),
    "no-utf8": (sized(b"429 Too Many", b"\xff\xfe"), "throttled", 429),
    "code-in-body": (sized(b"400 Bad", b'{"__type":"a#ThrottlingException:b"}'), "throttled", 400),
    "cut-body": (HEAD % b"200 OK" + b'Content-Length: 60\r\n\r\n{"output": ', "stream_broken", 200),
    "cut-between-chunks": (CHUNKED + b"2\r\n{}\r\n", "stream_broken", 200),
    "bad-chunk": (CHUNKED + b"zz\r\n{}\r\n", "bad_response", 200),
}
WIRE_KINDS = {
    "converse": converse,
    "claude": lambda case: invoke(case, dialect="claude"),
    "claude, stream": lambda case: invoke(case, dialect="claude", stream=True),
    "tgi": lambda case: container(case, "tgi"),
    "tgi, stream": lambda case: container(case, "tgi", stream=True),
}


def not_told_of_bytes(case: str, kind: str) -> set[str]:
    if case == "html":
        return {"error_message"}  # botocore says the status's standard words
    if case in ("cut-between-chunks", "bad-chunk", "stalls") and kind == "converse":
        return {"http_status", "request_id", "response_bytes"}
    if case == "cut-between-chunks" and not kind.endswith("stream"):
        return {"response_bytes"}
    if case == "bad-chunk" and not kind.endswith("stream"):
        return {"error"}  # http.client calls it an incomplete read
    return set()


def writes(connection, server) -> None:
    """Answers with the case that the path names, then closes; `silent` says nothing, `stalls` stops after the head."""
    case = receive(connection).split(b"/")[2].decode()
    if case == "stalls":
        connection.sendall(CHUNKED)
    if case in ("stalls", "silent"):
        connection.recv(1)  # until the other side hangs up
    else:
        connection.sendall(WIRE[case][0])


@pytest.fixture(scope="module")
def wire(credentials):
    cases = {f"{case} {kind}": make(case) for case in (*WIRE, "silent", "stalls") for kind, make in WIRE_KINDS.items()}
    with serving(writes) as server:
        yield Pair(f"http://127.0.0.1:{server.port}", cases, timeout_s=0.12)


@pytest.mark.parametrize("kind", WIRE_KINDS)
@pytest.mark.parametrize("case", WIRE)
def test_bytes_that_are_no_answer_have_the_same_record_by_both(wire, case, kind):
    record = wire.ask(0, f"{case} {kind}")
    assert (record.error, record.http_status) == WIRE[case][1:]
    assert wire.differences(f"{case} {kind}", not_told_of_bytes(case, kind)) == {}


@pytest.mark.parametrize("kind", WIRE_KINDS)
@pytest.mark.parametrize("case", ["silent", "stalls"])
def test_a_deadline_passes_alike(wire, case, kind):
    assert wire.differences(f"{case} {kind}", not_told_of_bytes(case, kind)) == {}
    assert wire.ask(1, f"{case} {kind}").error == "read_timeout"


@pytest.fixture(scope="module")
def unreachable(credentials, tmp_path_factory):
    """Endpoints that take no connection: by nobody listening, no such host, a full backlog, a certificate of an unknown CA."""
    with contextlib.ExitStack() as stack:
        free = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        crowded = stack.enter_context(full())
        _, tls = certificate(tmp_path_factory.mktemp("ca"))
        secure = stack.enter_context(serving(writes, tls))
        urls = {
            "refused": f"http://127.0.0.1:{free.getsockname()[1]}",
            "no such host": "http://no-such-host.invalid",
            "full": f"http://127.0.0.1:{crowded[1]}",
            "unknown CA": f"https://127.0.0.1:{secure.port}",
        }
        free.close()
        yield Pair(
            "http://127.0.0.1:9", {name: converse("m", endpoint_url=url) for name, url in urls.items()}, timeout_s=0.2
        )


@pytest.mark.parametrize("name", ["refused", "no such host", "full", "unknown CA"])
def test_no_connection_has_the_same_record_by_both(unreachable, name):
    but = {"latency_ms"} if name == "unknown CA" else set()  # urllib3 reads the CA file for every connection
    assert unreachable.differences(name, but) == {}
    assert unreachable.ask(1, name).error == "connect"
