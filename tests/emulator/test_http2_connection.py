"""HTTP/2 beside HTTP/1.1 on one port: who gets which, windows that close, connections that end or never were any."""

import json
import shutil
import socket
import ssl
import subprocess

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated

from scripts.emulator.connection import PREFACE
from tests.helpers import bodies, openai_wire, raw_wire
from tests.helpers.emulator_process import running_emulator
from tests.helpers.http2_wire import connected


@pytest.fixture(scope="module")
def secure(certificate):
    cert, key = certificate
    with running_emulator(bodies.CONFIG, arguments=("--tls-cert", str(cert), "--tls-key", str(key))) as e:
        yield e


def _tls(certificate, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificate[0])
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def _chat(n: int) -> tuple[str, dict, bytes]:
    return openai_wire.CHAT, {"Host": "h"}, json.dumps(openai_wire.chat("exact", n, stream=True)).encode()


def _http1(n: int) -> bytes:
    path, headers, body = _chat(n)
    return raw_wire.request_bytes(path, {**headers, "Content-Length": str(len(body))}, body)


def _tokens(answer) -> int:
    return openai_wire.values(answer)[-1]["usage"]["completion_tokens"]


@pytest.mark.parametrize("offered", [("h2", "http/1.1"), ("h2",)])
def test_over_tls_a_client_that_offers_http2_gets_it(secure, certificate, offered):
    with connected(secure.port, _tls(certificate, *offered)) as c:
        assert c.sock.selected_alpn_protocol() == "h2"
        assert _tokens(c.answer(c.ask(*_chat(4)))) == 4


@pytest.mark.parametrize("offered", [("http/1.1",), ()], ids=["http/1.1", "nothing"])
def test_over_tls_a_client_that_does_not_gets_http_1_1(secure, certificate, offered):
    raw = socket.create_connection(("127.0.0.1", secure.port), 60)
    with _tls(certificate, *offered).wrap_socket(raw, server_hostname="127.0.0.1") as sock:
        assert sock.selected_alpn_protocol() == (offered[0] if offered else None)
        sock.sendall(_http1(4))
        assert _tokens(raw_wire.read_answer(sock)) == 4


@pytest.mark.parametrize("first", ["preface", "post"])
def test_the_version_is_told_however_the_first_bytes_come(emulator, first):
    """Both begin with P."""
    if first == "post":
        with socket.create_connection(("127.0.0.1", emulator.port), 60) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in _http1(3):
                sock.sendall(bytes([byte]))
            assert _tokens(raw_wire.read_answer(sock)) == 3
        return
    with connected(emulator.port) as c:  # the preface and the settings have been sent in one piece; now in many
        pieces = []
        c.client._send = pieces.append
        number = c.ask(*_chat(3))
        for byte in b"".join(pieces):
            c.sock.sendall(bytes([byte]))
        c.client._send = c.sock.sendall
        assert _tokens(c.answer(number)) == 3
    with socket.create_connection(("127.0.0.1", emulator.port), 60) as sock:
        for byte in PREFACE:
            sock.sendall(bytes([byte]))
        assert sock.recv(9)[3] == 4  # a SETTINGS frame


def test_an_upgrade_from_http_1_1_is_declined_and_the_connection_goes_on():
    """As Java's client and `curl --http2` offer it."""
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA"}
    path, headers, body = _chat(3)
    upgrading = raw_wire.request_bytes(path, {**headers, **offer, "Content-Length": str(len(body))}, body)
    with running_emulator(bodies.CONFIG) as e:
        with socket.create_connection(("127.0.0.1", e.port), 60) as sock:
            for request, tokens in ((upgrading, 3), (_http1(2), 2), (upgrading, 3)):
                sock.sendall(request)
                assert _tokens(raw_wire.read_answer(sock)) == tokens
        assert e.errors.read_text() == ""


def test_a_signature_may_cover_the_authority_in_place_of_the_host(emulator):
    """As the AWS SDK for JavaScript signs."""
    body = json.dumps(bodies.converse(2)).encode()
    path = f"/model/{bodies.NOVA}/converse".replace(":", "%3A")
    request = AWSRequest("POST", emulator.url + path, data=body)
    signer = SigV4Auth(raw_wire.EXAMPLE, "bedrock", "us-east-1")
    signed = {":authority": f"127.0.0.1:{emulator.port}"}
    signer.headers_to_sign = lambda r: HTTPHeaders.from_dict({**signed, "x-amz-date": r.headers["X-Amz-Date"]})
    signer.add_auth(request)
    assert "SignedHeaders=:authority;x-amz-date" in request.headers["Authorization"]
    for host, status in ((f"127.0.0.1:{emulator.port}", 200), ("elsewhere", 403)):
        with connected(emulator.port) as c:
            assert c.answer(c.ask(path, {**dict(request.headers), "Host": host}, body)).status == status


def test_a_closed_window_holds_its_own_stream_back_and_no_other(emulator):
    """A window of 500 bytes holds two events of about 230 and a part of the third."""
    with connected(emulator.port, window=500, acknowledges=False) as c:
        held = c.ask(*_chat(5))
        while len(c.client.answers[held].body) < 500:
            assert c.read()
        free = c.ask(*_chat(5))
        c.client.h2.increment_flow_control_window(100_000, free)
        c.client.flush()
        assert _tokens(c.answer(free)) == 5
        assert len(c.client.answers[held].body) == 500 and not c.client.answers[held].complete
        c.client.h2.increment_flow_control_window(100_000, held)
        c.client.flush()
        assert _tokens(c.answer(held)) == 5


def test_a_long_prompt_and_its_echo_pass_the_windows(emulator):
    """Eight megabytes each way: the server's windows hold one of a stream, the client's 64 KiB."""
    body = b'{"inputs":"%b","parameters":{"return_full_text":true,"max_new_tokens":1}}' % (b"x" * 8_000_000)
    with connected(emulator.port, window=65535) as c:
        number = c.ask(*raw_wire.signed(emulator.url, "InvokeEndpoint", "tgi", body), body)
        answer = c.answer(number)
        assert (answer.status, answer.complete, answer.body.count(b"x" * 8_000_000)) == (200, True, 1)


def test_a_body_beyond_the_limit_is_refused_and_the_connection_goes_on(emulator):
    with connected(emulator.port) as c:
        body = b"x" * 26_100_000
        answer = c.answer(c.ask(*raw_wire.signed(emulator.url, "InvokeEndpoint", "tgi", body), body))
        assert (answer.status, answer.body) == (400, b"")
        assert _tokens(c.answer(c.ask(*_chat(3)))) == 3


def test_who_says_goodbye_still_gets_what_is_under_way(emulator):
    """GOAWAY: no new streams. Node's `session.close()` sends it and waits for those that it has."""
    with connected(emulator.port, window=2000) as c:
        asked = [c.ask(*_chat(40)) for _ in range(3)]
        c.sock.sendall(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))  # GOAWAY, no error; h2's own client could not go on either
        assert [_tokens(c.answer(number)) for number in asked] == [40, 40, 40]


def test_a_request_that_is_cancelled_at_once_does_no_harm(emulator):
    with connected(emulator.port) as c:
        pieces, send = [], c.client._send
        c.client._send = pieces.append
        for _ in range(3):
            c.client.h2.reset_stream(c.ask(*_chat(3)), ErrorCodes.CANCEL)
        kept = c.ask(*_chat(3))
        c.client._send = send
        send(b"".join(pieces))  # in one write
        assert _tokens(c.answer(kept)) == 3


def test_who_breaks_the_protocol_is_told_and_nobody_else_notices(emulator):
    with connected(emulator.port) as c, connected(emulator.port) as other:
        number = other.ask(*_chat(20))
        c.ask(*_chat(4000))
        c.sock.sendall(b"\0\0\x05\x01\x05\0\0\0\x02hello")  # HEADERS on an even stream, which is the server's
        received = b""
        while data := c.sock.recv(65536):
            received += data
        assert ConnectionTerminated in {type(event) for event in c.client.h2.receive_data(received)}
        assert _tokens(other.answer(number)) == 20


def test_the_end_of_the_endpoint_is_announced(tmp_path):
    with running_emulator(bodies.CONFIG, truth=tmp_path / "truth.jsonl") as e, connected(e.port) as c:
        number = c.ask(*_chat(4000))
        while not c.client.answers[number].chunks:
            c.read()
        assert e.stop() == 0
        received = b""
        while data := c.sock.recv(65536):
            received += data
        assert ConnectionTerminated in {type(event) for event in c.client.h2.receive_data(received)}
        assert [row["error"] for row in e.truth_rows()] == ["emulator stopped"]


def test_without_its_library_an_http2_client_is_told_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "h2.py").write_text("raise ModuleNotFoundError(\"No module named 'h2'\", name='h2')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with running_emulator(bodies.CONFIG) as e:
        with socket.create_connection(("127.0.0.1", e.port), 60) as sock:
            sock.sendall(PREFACE)
            assert sock.recv(65536).startswith(b"HTTP/1.1 505 ")
        with socket.create_connection(("127.0.0.1", e.port), 60) as sock:
            sock.sendall(_http1(2))
            assert _tokens(raw_wire.read_answer(sock)) == 2
        assert e.errors.read_text() == (
            "error: an HTTP/2 client: h2 is not installed; pip install -r scripts/emulator/requirements.txt\n"
        )


def _curl_speaks_http2() -> bool:
    curl = shutil.which("curl")
    return bool(curl) and "HTTP2" in subprocess.run([curl, "--version"], capture_output=True, text=True).stdout


@pytest.mark.skipif(not _curl_speaks_http2(), reason="no curl with HTTP/2 here")
def test_another_library_than_ours_is_understood(emulator):
    """curl's is nghttp2, as Node's is."""
    path, _, body = _chat(4)
    command = ["curl", "-sS", "-w", "%{http_version} %{http_code}", "--http2-prior-knowledge", "-d", body.decode()]
    done = subprocess.run([*command, emulator.url + path], capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("data: [DONE]\n\n2 200"), done.stderr
