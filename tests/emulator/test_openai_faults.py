"""Every fault on the OpenAI routes, seen on the wire: a stream and a whole answer under it."""

import json
import time

import pytest

from scripts.emulator.faults import FAULTS, GARBAGE
from tests.helpers import openai_wire
from tests.helpers.openai_wire import CHAT, COMPLETIONS, data_lines, error, values

N = 6
SERVER = (500, "server_error", None)
# Errors by status: fault -> status, type, code
ERRORS = {
    "throttle": (429, "requests", "rate_limit_exceeded"),
    "quota": (429, "insufficient_quota", "insufficient_quota"),
    "not_ready": (503, "unavailable_error", None),
    "model_timeout": (408, "timeout", None),
    "model_error": SERVER,
    "server": SERVER,
    "unavailable": (503, "server_error", None),
    "internal_dependency": SERVER,
    "client": (400, "invalid_request_error", None),
    "not_found": (404, "invalid_request_error", "model_not_found"),
    "access_denied": (403, "permission_denied_error", None),
}
# Error events in mid-stream: fault -> the error's type, whether [DONE] follows; a whole answer is the error by status
EVENTS = {
    "exception_mid_stream": ("server_error", True, SERVER),
    "internal_mid_stream": ("server_error", False, SERVER),
    "throttle_mid_stream": ("requests", False, ERRORS["throttle"]),
}


def _ask(faulty, fault: str, stream: bool, path: str = CHAT):
    make = openai_wire.chat if path == CHAT else openai_wire.completions
    return openai_wire.ask(faulty.url, path, make(fault.replace("_", "-"), N, stream))


def _texts(lines: list[bytes]) -> int:
    """Events with text."""
    return sum(bool(c["delta"].get("content")) for line in lines for c in json.loads(line).get("choices", ()))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", ERRORS)
def test_an_error_by_status_has_openais_words(faulty, fault, stream):
    assert error(_ask(faulty, fault, stream)) == error(_ask(faulty, fault, stream, COMPLETIONS)) == ERRORS[fault]


@pytest.mark.parametrize("fault", EVENTS)
def test_an_error_event_in_mid_stream_ends_the_stream(faulty, fault):
    kind, done, instead = EVENTS[fault]
    answer = _ask(faulty, fault, stream=True)
    lines = data_lines(answer)
    assert (answer.status, answer.complete, lines[-1] == b"[DONE]") == (200, True, done)
    *before, failed = lines[:-1] if done else lines
    assert _texts(before) == 2  # fault_after_tokens
    assert json.loads(failed)["error"]["type"] == kind
    assert error(_ask(faulty, fault, stream=False)) == instead


def test_an_error_frame_is_an_event_of_that_name(faulty):
    answer = _ask(faulty, "error_frame", stream=True)
    *_, last, empty = answer.body.split(b"\n\n")
    assert (empty, answer.complete) == (b"", True)
    name, data = last.split(b"\n")
    assert name == b"event: error" and json.loads(data.removeprefix(b"data: "))["error"]["type"] == "server_error"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_dropped_request_gets_not_one_byte(faulty, stream):
    for fault, reset in (("drop", False), ("reset", True)):
        answer = _ask(faulty, fault, stream)
        assert (answer.status, answer.body, answer.reset) == (None, b"", reset)


def test_a_stream_dropped_in_the_middle_has_whole_events_and_no_end(faulty):
    for fault, reset in (("drop_mid_stream", False), ("reset_mid_stream", True)):
        answer = _ask(faulty, fault, stream=True)
        assert (answer.status, answer.complete, answer.reset) == (200, False, reset)
    answer = _ask(faulty, "drop_mid_stream", stream=True)
    assert _texts(data_lines(answer)) == 2
    whole = _ask(faulty, "drop_mid_stream", stream=False)
    assert len(whole.body) == int(whole.headers["content-length"]) // 2 and not whole.complete


def test_a_truncated_event_ends_a_complete_http_answer_in_half_an_event(faulty):
    answer = _ask(faulty, "truncated_frame", stream=True)
    assert answer.complete
    *whole, half = answer.body.split(b"\n\n")
    assert _texts([e.removeprefix(b"data: ") for e in whole]) == 2
    assert half.startswith(b'data: {"id":"chatcmpl-') and not half.endswith(b"}")


def test_a_missing_close_leaves_everything_but_done(faulty):
    answer = _ask(faulty, "missing_close", stream=True)
    lines = data_lines(answer)
    assert answer.complete and b"[DONE]" not in lines
    assert (_texts(lines), json.loads(lines[-1])["usage"]["completion_tokens"]) == (N, N)


def test_without_usage_no_count_is_anywhere(faulty):
    assert not any("usage" in v for v in values(_ask(faulty, "no_usage", stream=True)))
    assert "usage" not in _ask(faulty, "no_usage", stream=False).json()
    assert "usage" not in _ask(faulty, "no_usage", stream=False, path=COMPLETIONS).json()


def test_empty_output_is_a_whole_answer_with_nothing_in_it(faulty):
    start, end, usage = values(_ask(faulty, "empty_output", stream=True))
    assert (start["choices"][0]["delta"]["content"], end["choices"][0]["finish_reason"]) == ("", "stop")
    assert usage["usage"]["completion_tokens"] == 0
    whole = _ask(faulty, "empty_output", stream=False).json()
    assert (whole["choices"][0]["message"]["content"], whole["usage"]["completion_tokens"]) == ("", 0)


def test_a_garbage_body_is_a_200_that_nobody_can_read(faulty):
    for stream, kind in ((False, "application/json"), (True, "text/event-stream")):
        answer = _ask(faulty, "garbage_body", stream)
        assert (answer.status, answer.body, answer.headers["content-type"]) == (200, GARBAGE, kind)


def test_a_200_can_carry_an_error(faulty):
    whole = _ask(faulty, "error_in_200", stream=False)
    assert (whole.status, whole.json()["error"]["type"]) == (200, "server_error")
    stream = _ask(faulty, "error_in_200", stream=True)
    assert stream.status == 200
    assert json.loads(stream.body.removeprefix(b"data:"))["error"]["type"] == "server_error"


def test_a_split_stream_has_the_same_bytes_in_small_chunks(faulty):
    answer = _ask(faulty, "split", stream=True)
    assert max(map(len, answer.chunks)) == 7
    assert sum(bool(c["delta"].get("content")) for v in values(answer) for c in v["choices"]) == N


def test_a_stall_holds_the_rest_back_and_loses_nothing(faulty):
    # 6 tokens end 20 + 5 * 5 = 45 ms after the arrival; the stall of 300 ms begins at the third, at 30 ms: 330 ms
    for stream in (False, True):
        started = time.perf_counter()
        answer = _ask(faulty, "stall", stream)
        assert 0.330 <= time.perf_counter() - started < 10 and answer.complete
    assert values(answer)[-1]["usage"]["completion_tokens"] == N


def test_every_fault_is_in_these_tables_or_has_a_test_of_its_own():
    own = {"error_frame", "drop", "reset", "drop_mid_stream", "reset_mid_stream", "truncated_frame", "missing_close"}
    own |= {"no_usage", "empty_output", "garbage_body", "error_in_200", "split", "stall"}
    assert set(ERRORS) | set(EVENTS) | own == {name for name, fault in FAULTS.items() if not fault.framed}
