"""What came before is not read again, and ready events leave as others do: the answers are those of a first time."""

import json
import socket
import time

import pytest

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY, Credential
from scripts.emulator.errors import AwsError
from scripts.emulator.exchange import Request
from scripts.emulator.sigv4 import Verifier
from tests.helpers import bodies, openai_wire, raw_wire
from tests.helpers.emulator_process import running_emulator

FAST = {"kind": "timed", "ttft_ms": 5, "tokens_per_second": 1000}
STALLED = {"faults": {"stall": 1.0}, "stall_ms": 1}  # a fault in mid-stream: its events are made one by one
CONFIG = {
    "engines": {"e": FAST},
    "models": {
        "m.nova": {"engine": "e", "family": "nova"},
        "m.stalled": {"engine": "e", "family": "nova", **STALLED},
    },
    "openai": {"plain": {"engine": "e"}, "stall": {"engine": "e", **STALLED}},
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("kept") / "truth.jsonl") as e:
        yield e


def head_and_body(tokens: int, **headers) -> tuple[bytes, bytes]:
    body = json.dumps(openai_wire.chat("plain", tokens)).encode()
    given = {"Host": "h", "Content-Length": str(len(body)), **headers}
    whole = raw_wire.request_bytes(openai_wire.CHAT, given, body)
    return whole[: -len(body)], body


def made(answer) -> int:
    assert answer.status == 200
    return answer.json()["usage"]["completion_tokens"]


def test_requests_of_one_head_have_each_the_answer_to_its_own_body(endpoint):
    """3, 5 and 7 tokens: bodies of one length, so that the heads are the same to the byte."""
    with socket.create_connection(("127.0.0.1", endpoint.port), 30) as sock:
        for tokens in (3, 5, 5, 7, 3):
            sock.sendall(b"".join(head_and_body(tokens)))
            assert made(raw_wire.read_answer(sock)) == tokens


def test_a_head_that_came_before_may_come_in_pieces_and_before_another(endpoint):
    head, body = head_and_body(4)
    with socket.create_connection(("127.0.0.1", endpoint.port), 30) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(head + body)
        assert made(raw_wire.read_answer(sock)) == 4
        for pieces in ([head, body], [head[:9], head[9:] + body[:7], body[7:]]):
            for piece in pieces:
                sock.sendall(piece)
                time.sleep(0.05)  # the pieces leave one by one; together they would be right as well
            assert made(raw_wire.read_answer(sock)) == 4
        sock.sendall(head + body + b"GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n")
        told = b""
        while told.count(b"HTTP/1.1 200 OK") < 2 or b'"plain"' not in told.rpartition(b"HTTP/1.1 200 OK")[2]:
            told += sock.recv(65536) or pytest.fail(f"the connection ended: {told!r}")
        assert b'"completion_tokens":4' in told


def test_another_body_under_a_signature_that_came_before_is_refused(endpoint):
    body = json.dumps(bodies.converse(3)).encode()
    path, headers = raw_wire.signed(endpoint.url, "Converse", "m.nova", body)
    for _ in range(2):
        assert raw_wire.post(endpoint.url, path, headers, body).status == 200
    other = body.replace(b'"maxTokens": 3', b'"maxTokens": 4')
    assert len(other) == len(body) and other != body
    answer = raw_wire.post(endpoint.url, path, headers, other)
    assert (answer.status, answer.headers["x-amzn-errortype"].split(":")[0]) == (403, "InvalidSignatureException")


def test_a_signature_that_came_before_expires_like_another(endpoint):
    """Made now, and good for five minutes."""
    path, headers = raw_wire.signed(endpoint.url, "Converse", "m.nova", b"{}")
    asked = Request("POST", path, {k.lower(): v for k, v in headers.items()}, b"{}", 0.0)
    now = [time.time()]
    credentials = [Credential(access_key=EXAMPLE_ACCESS_KEY, secret_key=EXAMPLE_SECRET_KEY)]
    verifier = Verifier(credentials, clock=lambda: now[0])
    assert [verifier.check(asked, "bedrock") for _ in range(2)] == ["us-east-1"] * 2
    now[0] += 310
    with pytest.raises(AwsError, match="Signature expired"):
        verifier.check(asked, "bedrock")


def test_ready_events_are_those_that_are_made_one_by_one(endpoint):
    """The same prompt has the same answer: of Converse the frames, of a chat all but id and time."""
    plain, stalled = (
        raw_wire.send(endpoint.url, "ConverseStream", name, bodies.converse(30)).frames()
        for name in ("m.nova", "m.stalled")
    )
    texts = [
        [f.payload for f in frames if f.headers[":event-type"] == "contentBlockDelta"] for frames in (plain, stalled)
    ]
    assert len(texts[0]) == 30 and texts[0] == texts[1]
    assert [f.headers for f in plain] == [f.headers for f in stalled]
    chats = [
        openai_wire.values(openai_wire.ask(endpoint.url, openai_wire.CHAT, openai_wire.chat(name, 30, stream=True)))
        for name in ("plain", "stall")
    ]
    for events in chats:
        for event in events:
            del event["id"], event["created"], event["model"]
    assert len(chats[0]) > 30 and chats[0] == chats[1]


def test_the_truth_counts_what_left_of_ready_events_and_names_the_clients_own_id(endpoint):
    head, body = head_and_body(3, **{"X-Request-ID": "of-the-client"})
    with socket.create_connection(("127.0.0.1", endpoint.port), 30) as sock:
        sock.sendall(head + body)
        raw_wire.read_answer(sock)
    over = time.monotonic() + 30  # the log is a second behind
    while not (named := [r for r in endpoint.truth_rows() if r["client_request_id"]]) and time.monotonic() < over:
        time.sleep(0.1)
    assert [row["client_request_id"] for row in named] == ["of-the-client"]
    streams = [r for r in endpoint.truth_rows() if r["operation"] == "ConverseStream" and not r["fault"]]
    assert [(r["deltas"], r["completion_tokens"]) for r in streams] == [(30, 30)]
    row = streams[0]
    assert row["arrival"] < row["first_byte"] < row["first_token"] < row["last_token"] <= row["last_byte"]


def test_two_processes_serve_one_port_where_both_say_so(tmp_path):
    shared = ("--share-port",)
    with running_emulator(CONFIG, tmp_path / "one.jsonl", shared) as one:
        port = ("--port", str(one.port))  # the last of an option counts
        with running_emulator(CONFIG, tmp_path / "two.jsonl", (*shared, *port)) as two:
            assert two.port == one.port
            for _ in range(40):  # all at one of two: once in 2^39
                answer = openai_wire.ask(one.url, openai_wire.CHAT, openai_wire.chat("plain", 2))
                assert answer.status == 200
    counts = [len(e.truth_rows()) for e in (one, two)]
    assert sum(counts) == 40 and min(counts) > 0
