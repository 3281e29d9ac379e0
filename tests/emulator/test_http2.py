"""HTTP/2: the same answers and faults as on HTTP/1.1, many at a time on one connection, each ended and logged by itself."""

import json

import pytest
from botocore.eventstream import EventStreamBuffer
from h2.errors import ErrorCodes

from scripts.emulator.faults import FAULTS
from tests.helpers import bodies, openai_wire, raw_wire
from tests.helpers.emulator_process import running_emulator
from tests.helpers.http2_wire import connected

RESETS = ("reset", "reset_mid_stream")
FORMS = {
    "whole": ("InvokeEndpoint", bodies.tgi(6)),
    "stream": ("InvokeEndpointWithResponseStream", bodies.tgi(6, stream=True)),
}


def _signed(e, operation: str, target: str, body) -> tuple[str, dict, bytes]:
    data = json.dumps(body).encode()
    return *raw_wire.signed(e.url, operation, target, data), data


def _frames(body: bytes) -> list:
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    return list(buffer)


def _chat(n: int) -> tuple[str, dict, bytes]:
    return openai_wire.CHAT, {"Host": "h"}, json.dumps(openai_wire.chat("exact", n, stream=True)).encode()


def test_every_operation_answers_as_on_http_1_1_on_one_connection(emulator):
    surfaces = bodies.every_surface(3)
    with connected(emulator.port) as c:
        asked = [c.ask(*_signed(emulator, *surface)) for surface in surfaces]
        answers = [c.answer(number) for number in asked]
    for surface, answer in zip(surfaces, answers, strict=True):
        control = raw_wire.send(emulator.url, *surface)
        own = {"connection", "transfer-encoding"}
        assert (answer.status, answer.complete, set(answer.headers)) == (200, True, set(control.headers) - own), surface
        if surface[0].endswith("Stream"):
            assert [f.headers for f in _frames(answer.body)] == [f.headers for f in control.frames()], surface
        else:  # latencies and ids differ
            assert json.loads(answer.body).keys() == control.json().keys() if isinstance(control.json(), dict) else True


def test_the_frames_of_a_stream_hold_whole_events(emulator):
    """One, or several that had become due together."""
    with connected(emulator.port) as c:
        answer = c.answer(c.ask(*_chat(5)))
    assert openai_wire.values(answer)[-1]["usage"]["completion_tokens"] == 5
    assert all(chunk.endswith(b"\n\n") for chunk in answer.chunks if chunk)


def test_three_hundred_streams_share_a_connection(emulator):
    """Each asks for another number of tokens, so that none can have another's."""
    with connected(emulator.port) as c:
        asked = {c.ask(*_chat(n)): n for n in range(1, 301)}
        for number, n in asked.items():
            usage = openai_wire.values(c.answer(number))[-1]["usage"]
            assert usage["completion_tokens"] == n


@pytest.mark.parametrize("form", FORMS)
def test_every_fault_but_a_reset_spares_the_other_streams(faulty, form):
    operation, body = FORMS[form]
    names = [fault.replace("_", "-") for fault in FAULTS if fault not in RESETS]
    with connected(faulty.port) as c:
        asked = [c.ask(*_signed(faulty, operation, name, body)) for name in names]
        answers = [c.answer(number) for number in asked]
    for name, answer in zip(names, answers, strict=True):
        control = raw_wire.send(faulty.url, operation, name, body)
        assert (name, answer.status, answer.body, answer.complete) == (
            name,
            control.status,
            control.body,
            control.complete,
        )
        assert answer.complete or answer.reset == ErrorCodes.INTERNAL_ERROR


@pytest.mark.parametrize("fault", RESETS)
def test_a_reset_takes_the_connection_and_the_log_says_whose_fault_it_was(fault, tmp_path):
    config = {
        "engines": {"slow": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 100}},
        "endpoints": {"bad": {"engine": "slow", "faults": {fault: 1.0}}, "good": {"engine": "slow"}},
    }
    with running_emulator(config, truth=tmp_path / "truth.jsonl") as e:
        with connected(e.port) as c:
            good = c.ask(*_signed(e, "InvokeEndpointWithResponseStream", "good", bodies.tgi(3000, stream=True)))
            while not c.client.answers[good].chunks:
                c.read()
            c.ask(*_signed(e, "InvokeEndpointWithResponseStream", "bad", bodies.tgi(6, stream=True)))
            assert not c.answer(good).complete and c.reset
        e.stop()
        rows = {row["target"]: row for row in e.truth_rows()}
    assert (rows["bad"]["fault"], rows["bad"]["error"]) == (fault, None)
    assert (rows["good"]["fault"], rows["good"]["error"]) == (None, "connection reset by the fault of another stream")


def test_a_client_that_leaves_a_stream_ends_that_one_alone(tmp_path):
    with running_emulator(bodies.CONFIG, truth=tmp_path / "truth.jsonl") as e:
        with connected(e.port) as c:
            left, kept = c.ask(*_chat(4000)), c.ask(*_chat(60))
            while not c.client.answers[left].chunks:
                c.read()
            c.client.h2.reset_stream(left, ErrorCodes.CANCEL)
            c.client.flush()
            assert c.answer(kept).complete
        e.stop()
        ends = sorted((row["completion_tokens"] == 60, row["error"]) for row in e.truth_rows())
    assert ends == [(False, "client disconnected"), (True, None)]


def test_the_truth_has_the_times_of_each_stream(tmp_path):
    """100 ms to the first token, then 10 ms each: the eleventh is due after 200, and nothing leaves early."""
    config = {
        "engines": {"e": {"kind": "timed", "ttft_ms": 100, "tokens_per_second": 100}},
        "openai": {"exact": {"engine": "e"}},
    }
    with running_emulator(config, truth=tmp_path / "truth.jsonl") as e:
        with connected(e.port) as c:
            asked = [c.ask(*_chat(11)) for _ in range(5)]
            assert all(c.answer(number).complete for number in asked)
        e.stop()
        rows = e.truth_rows()
    assert sorted(row["in_flight"] for row in rows) == [0, 1, 2, 3, 4]
    for row in rows:
        assert row["first_token"] - row["arrival"] >= 0.1 and row["last_token"] - row["arrival"] >= 0.2
        assert row["arrival"] < row["first_byte"] <= row["first_token"] < row["last_token"] <= row["last_byte"]
        assert (row["status"], row["deltas"], row["completion_tokens"]) == (200, 11, 11)
