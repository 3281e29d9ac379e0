"""The truth log: times of one clock in their order, tokens as reported, every request once, and its counters."""

import hashlib
import json
import socket
import time

import pytest

from scripts.emulator.truth import Truth
from tests.helpers import bodies, raw_wire
from tests.helpers.emulator_process import running_emulator

CONFIG = {
    "engines": {"e": {"kind": "timed", "ttft_ms": 100, "tokens_per_second": 100}},
    "endpoints": {"tgi": {"engine": "e"}},
    "models": {"m.nova": {"engine": "e", "family": "nova"}},
}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A stream, a whole answer, an error and a client that leaves; then the whole log, with the times seen by
    the client."""
    path = tmp_path_factory.mktemp("truth") / "truth.jsonl"
    with running_emulator(CONFIG, truth=path) as e:
        sent = time.perf_counter()
        stream = raw_wire.send(e.url, "ConverseStream", "m.nova", bodies.converse(11))
        received = time.perf_counter()
        raw_wire.send(e.url, "InvokeEndpoint", "tgi", bodies.tgi(2))
        raw_wire.send(e.url, "Converse", "unknown", bodies.converse(2))
        _leave_early(e)
        while e.stats()["in_flight"]:
            time.sleep(0.02)
        stats = e.stats()
        assert e.stop() == 0
        return e.truth_rows(), stats, stream, sent, received


def _leave_early(e) -> None:
    body = b'{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}'
    path, headers = raw_wire.signed(e.url, "ConverseStream", "m.nova", body)
    with socket.create_connection(("127.0.0.1", e.port)) as sock:
        sock.sendall(raw_wire.request_bytes(path, headers, body))
        sock.recv(1)


def test_every_request_is_there_once_with_the_id_that_the_client_saw(log):
    rows, stats, stream, *_ = log
    assert [(r["operation"], r["status"]) for r in rows] == [
        ("ConverseStream", 200),
        ("InvokeEndpoint", 200),
        ("Converse", 400),
        ("ConverseStream", 200),
    ]
    assert rows[0]["request_id"] == stream.headers["x-amzn-requestid"]
    assert len({r["request_id"] for r in rows}) == stats["requests"] == 4
    assert stats["by_status"] == {"200": 3, "400": 1}
    assert stats["by_operation"] == {"Converse": 1, "ConverseStream": 2, "InvokeEndpoint": 1}


def test_times_are_of_the_clients_clock_and_in_their_order(log):
    rows, _, _, sent, received = log
    row = rows[0]
    times = [sent, row["arrival"], row["first_byte"], row["first_token"], row["last_token"], row["last_byte"], received]
    assert times == sorted(times)
    # first token at 100 ms, the eleventh 10 steps of 10 ms later, each as late at the most as the log says
    late = row["late_ms"] / 1000
    assert 0.100 <= row["first_token"] - row["arrival"] < 0.110 + late
    assert row["last_token"] - row["first_token"] == pytest.approx(0.100, abs=0.010 + late)
    # the stream opens at once: its first event is not the first token
    assert row["first_byte"] - row["arrival"] < 0.050 + late


def test_lateness_is_what_the_first_token_was_late(log):
    row = log[0][0]
    # a token is due 100 ms after the arrival; the worst of all is at least the first one's lateness
    assert row["late_ms"] >= ((row["first_token"] - row["arrival"]) - 0.100) * 1000 - 0.01
    assert log[1]["lateness_ms"]["max"] >= row["late_ms"] - 0.01


def test_tokens_are_those_that_the_answer_reported(log):
    rows, *_ = log
    assert [(r["prompt_tokens"], r["completion_tokens"], r["deltas"]) for r in rows[:3]] == [
        (8, 11, 11),
        (8, 2, 0),
        (None, 0, 0),
    ]


def test_a_chats_messages_and_its_answer_are_told_by_their_digests(log):
    """SHA-256 of role, line break and text, its first twelve digits; a prompt that is no chat has none."""
    rows, _, stream, *_ = log
    events = [json.loads(frame.payload) for frame in stream.frames()]
    said = "".join(event["delta"]["text"] for event in events if "delta" in event)
    asked, told = (hashlib.sha256(f"{m[0]}\n{m[1]}".encode()) for m in (("user", bodies.PROMPT), ("assistant", said)))
    assert (rows[0]["heard"], rows[0]["said"]) == ([asked.hexdigest()[:12]], told.hexdigest()[:12])
    assert [(r["heard"], r["said"]) for r in rows[1:3]] == [([], None)] * 2


def test_what_never_happened_is_empty(log):
    rows, *_ = log
    assert [rows[1][k] for k in ("first_token", "last_token")] == [None, None]  # a whole answer sends no single token
    assert rows[2]["error"] == "ValidationException"
    assert rows[3]["error"] == "client disconnected"
    assert rows[3]["completion_tokens"] < 512


def test_lateness_quantiles_are_the_upper_edges_of_tenth_milliseconds():
    truth = Truth(None)
    assert truth.stats()["lateness_ms"] == {"p50": None, "p99": None, "max": None}
    for ms in [0.05] * 98 + [1.23] * 2:
        truth.late(ms)
    # of 100 sends, the 50th lies in 0.0-0.1 and the 99th in 1.2-1.3
    assert truth.stats()["lateness_ms"] == {"p50": 0.1, "p99": 1.3, "max": 1.23}
