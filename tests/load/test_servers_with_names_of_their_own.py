"""Servers that count, refuse or stream in a way of their own: where they put it is known, and what is none of it is named."""

import pytest

from tests.helpers import bodies
from tests.helpers.emulator_process import running_emulator
from tests.helpers.lab import CHUNKED, END, Lab, chunks, whole
from tests.helpers.sample_answers import openai_chunk, sse

STREAM = "ChatCompletions stream"
COUNTS = {"prompt_tokens": 20, "completion_tokens": 3}
HI = sse(openai_chunk({"content": "Hi"}))
DONE = b"data: [DONE]\n\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory, credentials):
    with running_emulator(bodies.CONFIG) as emulator:
        yield Lab(emulator, tmp_path_factory.mktemp("lab"))


def last(**more: object) -> dict:
    return {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]} | more


#: server -> its last event
COUNTED = {
    "Moonshot": {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": COUNTS}]},
    "Groq": last(x_groq={"id": "r", "usage": COUNTS}),
    "one that says null beside it": last(usage=None, x_groq={"usage": COUNTS}),
}


@pytest.mark.parametrize("event", COUNTED.values(), ids=COUNTED)
def test_counts_are_found_where_the_server_puts_them(lab, event):
    record = lab.wire(STREAM, CHUNKED + chunks(HI, sse(event), DONE) + END)
    assert (record.error, record.prompt_tokens, record.completion_tokens) == (None, 20, 3)
    assert (record.prompt_token_source, record.token_source) == ("service", "service")


@pytest.mark.parametrize("name", ["prompt_cache_hit_tokens", "cached_tokens"], ids=["DeepSeek", "Moonshot"])
def test_cached_tokens_are_counted_apart_under_their_other_names(lab, name):
    record = lab.wire(STREAM, CHUNKED + chunks(HI, sse(last(usage=COUNTS | {name: 16})), DONE) + END)
    assert (record.prompt_tokens, record.cache_read_tokens) == (4, 16)  # 20 in all


def test_a_carriage_return_alone_ends_a_line_of_a_stream_too(lab):
    events = [b": wait\r\r", HI.replace(b"\n", b"\r"), sse(last(usage=COUNTS)).replace(b"\n", b"\r"), DONE]
    record = lab.wire(STREAM, CHUNKED + chunks(*events) + END)
    assert (record.error, record.chunks, record.completion_tokens) == (None, 1, 3)


OTHERS = {
    "Ollama's own": [b'{"message":{"content":" w"},"done":false}\n', b'{"message":{"content":""},"done":true}\n'],
    "Google's": [b"[", b'{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}', b"]"],
    "events of another kind": [sse({"type": "response.output_text.delta", "delta": "Hi"})],
}


@pytest.mark.parametrize("pieces", OTHERS.values(), ids=OTHERS)
def test_a_stream_of_another_protocol_is_named_and_did_not_break(lab, pieces):
    record = lab.wire(STREAM, CHUNKED + chunks(*pieces) + END)
    assert record.error == "bad_response"
    assert record.error_message.startswith("no event of the stream has `choices`; the first one begins with ")


XML = [
    (404, b"<UnknownOperationException/>\n", "an XML document: UnknownOperationException"),
    (
        403,
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>No</Message></Error>',
        "an XML document: Error AccessDenied No",
    ),
]


@pytest.mark.parametrize(("status", "body", "message"), XML)
def test_an_xml_document_is_no_page(lab, status, body, message):
    assert lab.wire(STREAM, whole(status, body)).error_message == message


def test_the_address_of_a_problem_document_is_no_code(lab):
    for address in ("https://example.com/problems/too-long", "about:blank"):
        record = lab.wire(STREAM, whole(400, {"type": address, "title": "Prompt too long", "status": 400}))
        assert (record.error, record.error_code, record.error_message) == ("client", "400", "Prompt too long")
