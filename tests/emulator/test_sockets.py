"""The endpoint's sockets: addresses, TLS, clients that stall in mid-handshake or read too slowly, goodbyes."""

import json
import socket
import ssl
import time
import urllib.request

import pytest

from tests.helpers import bodies, openai_wire, raw_wire
from tests.helpers.emulator_process import running_emulator


@pytest.fixture(scope="module")
def secure(certificate):
    cert, key = certificate
    with running_emulator(bodies.CONFIG, arguments=("--tls-cert", str(cert), "--tls-key", str(key))) as e:
        yield e


@pytest.fixture(scope="module")
def tls(certificate):
    return ssl.create_default_context(cafile=certificate[0])


def _connect(e, tls: ssl.SSLContext) -> ssl.SSLSocket:
    return tls.wrap_socket(socket.create_connection(("127.0.0.1", e.port), 10), server_hostname="127.0.0.1")


def _request(n: int) -> bytes:
    body = json.dumps(openai_wire.chat("exact", n, stream=True)).encode()
    return raw_wire.request_bytes(openai_wire.CHAT, {"Host": "h", "Content-Length": str(len(body))}, body)


def test_the_host_option_binds_another_address():
    with running_emulator(bodies.CONFIG, arguments=("--host", "127.0.0.2")) as e:
        assert e.url.startswith("http://127.0.0.2:")
        assert urllib.request.urlopen(f"{e.url}/-/stats", timeout=10).status == 200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", e.port), 5)


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no ::1")
def test_an_ipv6_address_is_shown_in_brackets():
    with running_emulator(bodies.CONFIG, arguments=("--host", "::1")) as e:
        assert e.url.startswith("http://[::1]:")
        assert urllib.request.urlopen(f"{e.url}/-/stats", timeout=10).status == 200


def test_a_tls_connection_is_kept_alive_and_a_session_is_resumed(secure, tls):
    with _connect(secure, tls) as sock:
        for _ in range(3):
            sock.sendall(_request(4))
            assert openai_wire.values(raw_wire.read_answer(sock))[-1]["usage"]["completion_tokens"] == 4
        session = sock.session
    raw = socket.create_connection(("127.0.0.1", secure.port), 10)
    with tls.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as sock:
        assert sock.session_reused


def test_who_stalls_in_the_handshake_holds_nobody_up(secure, tls):
    with socket.create_connection(("127.0.0.1", secure.port), 10) as silent, _connect(secure, tls) as sock:
        silent.sendall(b"\x16\x03\x01")  # the first bytes of a hello
        sock.sendall(_request(4))
        assert raw_wire.read_answer(sock).complete
    with socket.create_connection(("127.0.0.1", secure.port), 10) as plain:  # no TLS at all
        plain.sendall(_request(4))
        answer = raw_wire.read_answer(plain)
        assert answer.status is None or not answer.complete


def test_what_does_not_fit_into_the_kernels_buffers_leaves_when_there_is_room(secure, tls, emulator):
    """A client that sends a prompt of eight megabytes, has it repeated, and reads nothing for a while."""
    body = b'{"inputs":"%b","parameters":{"return_full_text":true,"max_new_tokens":1}}' % (b"x" * 8_000_000)
    for e, connect in ((secure, lambda: _connect(secure, tls)), (emulator, lambda: _plain(emulator))):
        path, headers = raw_wire.signed(e.url, "InvokeEndpoint", "tgi", body)
        with connect() as sock:
            sock.sendall(raw_wire.request_bytes(path, headers, body))
            time.sleep(0.3)
            answer = raw_wire.read_answer(sock)
            assert (answer.status, answer.complete, answer.body.count(b"x" * 8_000_000)) == (200, True, 1)


def _plain(e) -> socket.socket:
    return socket.create_connection(("127.0.0.1", e.port), 10)


def test_a_connection_over_tls_ends_with_a_goodbye(secure, tls):
    raw = _plain(secure)
    with tls.wrap_socket(raw, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as sock:
        sock.sendall(_request(2).replace(b"Host: h", b"Host: h\r\nConnection: close"))
        assert raw_wire.read_answer(sock).complete
        assert sock.recv(1) == b""  # without a goodbye this raises
