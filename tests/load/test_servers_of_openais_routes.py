"""How real servers of OpenAI's routes end a stream, answer in one piece and word their errors, each over real HTTP."""

import json

import pytest

from tests.helpers import bodies
from tests.helpers.emulator_process import running_emulator
from tests.helpers.lab import CHAT, CHUNKED, END, Lab, chunks, whole
from tests.helpers.sample_answers import openai_chunk, sse

CLOSING = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
STREAM = "ChatCompletions stream"
ANSWER = {
    "id": "chatcmpl-7",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 3},
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory, credentials):
    with running_emulator(bodies.CONFIG) as emulator:
        yield Lab(emulator, tmp_path_factory.mktemp("lab"))


def choice(index: int, text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    return sse({"id": "c", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]})


PRETTY = b"".join(
    b"data: " + line + b"\n" for line in json.dumps(openai_chunk({"content": "Hi"}), indent=1).encode().split(b"\n")
)
ENDS = {
    "without [DONE]": (CHUNKED, CHAT[:5], END, None),
    "without [DONE], by closing the connection": (CLOSING, CHAT[:5], b"", None),
    "with a finish_reason and no usage": (CHUNKED, CHAT[:4], END, None),
    "with [DONE] and no finish_reason": (CHUNKED, [*CHAT[:3], CHAT[5]], END, None),
    "two choices": (
        CHUNKED,
        [choice(0, "a"), choice(1, "b"), choice(1, None, "stop"), choice(0, None, "length")],
        END,
        None,
    ),
    "a choice that annotates after its end": (
        CHUNKED,
        [choice(0, "a"), choice(0, None, "stop"), choice(0, None)],
        END,
        None,
    ),
    "an event over several lines": (CHUNKED, [PRETTY + b"\n", *CHAT[3:5]], END, None),
    "the second choice has no end": (
        CHUNKED,
        [choice(0, "a"), choice(1, "b"), choice(0, None, "stop")],
        END,
        "stream_broken",
    ),
    "the second choice has no end before [DONE]": (
        CHUNKED,
        [choice(0, "a"), choice(1, "b"), choice(0, None, "stop"), CHAT[5]],
        END,
        "stream_broken",
    ),
    "no choice has an end before [DONE]": (CHUNKED, [choice(0, "a"), choice(1, "b"), CHAT[5]], END, None),
    "an empty finish_reason is none": (CHUNKED, [choice(0, "a", ""), choice(0, "b", "")], END, "stream_broken"),
    "no end at all": (CHUNKED, CHAT[:3], END, "stream_broken"),
    "no last chunk of HTTP": (CHUNKED, CHAT[:5], b"", "stream_broken"),
}


#: of them, those whose deltas are of several choices, side by side: they are not counted
SEVERAL = (
    "two choices",
    "the second choice has no end",
    "the second choice has no end before [DONE]",
    "no choice has an end before [DONE]",
)


@pytest.mark.parametrize("how", ENDS)
def test_a_stream_is_whole_when_every_choice_has_ended_and_the_body_too(lab, how):
    head, events, end, error = ENDS[how]
    sent = b"".join(events) if head is CLOSING else chunks(*events)
    record = lab.wire(STREAM, head + sent + end, *(["drop"] if not end else []))
    assert record.error == error, record.error_message
    assert (record.ttft_ms or 0) > 0 and record.chunks in ((None,) if how in SEVERAL else (1, 2))


def test_of_several_choices_side_by_side_no_time_per_token_can_be_told(lab):
    # 2 choices of 2 tokens: the 4 tokens of `usage` over one span would be half of what either took
    counts = sse({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})
    events = [choice(0, "a"), choice(1, "b"), choice(0, "c", "stop"), choice(1, "d", "length"), counts, CHAT[5]]
    record = lab.wire(STREAM, CHUNKED + chunks(*events) + END)
    assert (record.error, record.completion_tokens) == (None, 4)
    assert record.chunks is None and record.max_gap_ms is None
    assert 0 < record.ttft_ms <= record.last_token_ms


def test_a_stream_without_a_byte_is_told_to_be_asked_for_without_streaming(lab):
    # llama-cpp-python of a prompt that is too long: 200, chunked, and no chunk
    for surface in (STREAM, "InvokeEndpointWithResponseStream"):
        record = lab.wire(surface, CHUNKED + END)
        assert record.error == "stream_broken" and "the answer has no body" in record.error_message
        assert "`stream: false`" in record.error_message


def test_a_message_that_is_cut_shows_it(lab):
    for length, told in ((200, "x" * 200), (201, "x" * 199 + "…")):
        body = {"error": {"message": "x" * length, "code": 400}}
        assert lab.wire(STREAM, whole(400, body)).error_message == told


def test_an_answer_in_one_piece_to_a_streamed_call_is_a_success_without_times(lab):
    record = lab.wire(STREAM, whole(200, ANSWER, "Content-Type: application/json"))
    assert (record.error, record.stop_reason, record.completion_tokens) == (None, "stop", 3)
    assert (record.ttft_ms, record.last_token_ms, record.chunks) == (None, None, None)
    pretty = json.dumps(ANSWER, indent=2).encode()
    assert lab.wire(STREAM, CHUNKED + chunks(pretty[:40], pretty[40:]) + END).error is None
    assert lab.wire(STREAM, CHUNKED + chunks(sse(ANSWER), CHAT[5]) + END).ttft_ms is None
    assert lab.wire(STREAM, whole(200, {"choices": []})).error is not None


def test_the_answers_own_id_is_the_request_id_where_no_header_has_one(lab):
    data = json.dumps(ANSWER).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data)
    assert lab.wire("ChatCompletions", head + data).request_id == "chatcmpl-7"
    assert lab.wire("ChatCompletions", whole(200, ANSWER)).request_id == "r1"  # the header's
    assert lab.wire(STREAM, CLOSING + b"".join(CHAT), "drop").request_id == "c"


def usage(*counts: int) -> bytes:
    """Six deltas and an end, each with its own count of output tokens, or the last alone."""
    events = [openai_chunk({"content": "a"}) for _ in range(6)] + [openai_chunk({}, "stop")]
    told = [None] * (7 - len(counts)) + list(counts)
    return b"".join(
        sse(e | ({} if n is None else {"usage": {"prompt_tokens": 9, "completion_tokens": n}}))
        for e, n in zip(events, told, strict=True)
    )


@pytest.mark.parametrize(
    ("counts", "tokens"),
    [
        ((6,), 6),
        ((1, 2, 3, 4, 5, 6, 6), 6),  # vLLM: of the answer so far
        ((1, 1, 1, 1, 1, 1, 0), None),  # of each event alone: 6 in all, and the last says 0
        ((1, 1, 1, 1, 1, 1, 1), None),
        ((6, 6, 6), 6),
    ],
)
def test_counts_of_single_events_are_no_count_of_the_answer(lab, counts, tokens):
    record = lab.wire(STREAM, CHUNKED + chunks(usage(*counts)) + END)
    assert (record.error, record.completion_tokens) == (None, tokens)
    assert record.token_source == ("none" if tokens is None else "service")


#: an event of a stream -> class, a part of the message
ERRORS = {
    "vLLM, queue full": (
        sse({"error": {"message": "Busy.", "type": "Service Unavailable", "code": 503}}),
        "unavailable",
        "Busy.",
    ),
    "LiteLLM": (
        sse({"error": {"message": "Slow down", "type": "throttling_error", "code": "429"}}),
        "throttled",
        "Slow down",
    ),
    "SGLang": (
        sse({"error": {"object": "error", "message": "Long", "type": "BadRequestError", "code": 400}}),
        "client",
        "Long",
    ),
    "Dynamo": (
        b'event: error\ndata: {"message": "No worker", "type": "x", "code": 503}\n\n',
        "unavailable",
        "No worker",
    ),
    "Dynamo, a comment": (b"event: error\n: it broke\n\n", "bad_response", "it broke"),
    "TGI": (sse({"error": "Model is overloaded", "error_type": "overloaded"}), "throttled", "overloaded"),
    "TGI, chat": (sse({"error": {"message": "Bad", "http_status_code": 422}}), "client", "Bad"),
    "llama.cpp": (b'error: {"code": 500, "message": "Lost", "type": "server_error"}\n\n', "server", "Lost"),
    "Ollama": (sse({"error": "model runner stopped"}), "bad_response", "model runner stopped"),
    "FastAPI": (sse({"detail": "No such model", "status_code": 404}), "client", "No such model"),
    "a gateway, of one choice": (
        sse(
            {
                "choices": [
                    {"index": 0, "delta": {}, "error": {"code": 502, "message": "Gone"}, "finish_reason": "error"}
                ]
            }
        ),
        "server",
        "Gone",
    ),
    "no status": (sse({"error": {"message": "Odd", "type": "nobody_knows"}}), "bad_response", "Odd"),
}


@pytest.mark.parametrize("who", ERRORS)
def test_an_error_event_has_the_class_of_its_status_before_and_after_the_first_token(lab, who):
    event, error, message = ERRORS[who]
    for events in ([event], [*CHAT[:2], event, CHAT[5]]):
        record = lab.wire(STREAM, CHUNKED + chunks(*events) + END)
        assert record.error == error and message in record.error_message, record


#: status, body -> a part of the message
REFUSALS = [
    (404, {"detail": "Not Found"}, "Not Found"),
    (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, "body.messages: field required"),
    (400, {"error": "no such option"}, "no such option"),
    (500, {"error": {"message": None, "code": None}}, '{"error"'),
    (503, [{"error": {"code": 503, "message": "later", "status": "UNAVAILABLE"}}], "later"),
    (
        502,
        b"<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>",
        "an HTML page: 502 Bad Gateway nginx",
    ),
    (
        413,
        b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n"
        b"<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>",
        "an HTML page: 413 Request Entity Too Large nginx/1.22.1",  # its title said once
    ),
    (404, b"", "HTTP 404 Not Found without a word in the body"),
    (500, b"null", "HTTP 500 Internal Server Error"),
    (429, b"upstream busy", "upstream busy"),
]


@pytest.mark.parametrize(("status", "body", "message"), REFUSALS)
def test_a_refusal_is_never_without_a_word(lab, status, body, message):
    record = lab.wire(STREAM, whole(status, body))
    assert record.http_status == status and message in record.error_message
    assert "None" not in record.error_message


def test_a_page_in_place_of_an_answer_is_named(lab):
    page = b"<!doctype html><title>My gateway</title><script>1</script>"
    for surface in (STREAM, "ChatCompletions"):
        record = lab.wire(surface, whole(200, page, "Content-Type: text/html"))
        assert (record.error, "an HTML page: My gateway" in record.error_message) == ("bad_response", True), record


@pytest.mark.parametrize(
    ("head", "error", "message"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "bad_response", "HTTP 204 No Content without a word in the body"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "stream_broken", "the answer has no body"),
        (CHUNKED + END, "stream_broken", "the answer has no body"),
    ],
    ids=["204", "length 0", "no chunk"],
)
def test_an_answer_without_a_body_is_told_as_that(lab, head, error, message):
    record = lab.wire(STREAM, head)
    assert record.error == error and record.error_message.startswith(message)
