"""Containers that answer with bare text: `plain_text`, what says so without it, and where the stream must end."""

import pytest

from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.request import build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.remedies import remedy_of
from locustfiles.contract.scenario.targets import SageMakerTarget
from tests.helpers.aws_frames import chunk, exception, part
from tests.helpers.sample_answers import STREAMS, streamed, timed


def target(answer: dict, stream: bool = True) -> SageMakerTarget:
    values = {"dialect": "raw", "body": {"in": "{prompt}"}, "answer": answer, "stream": stream}
    return SageMakerTarget(name="t", service="sagemaker", endpoint="e", **values)


def read(*frames: bytes, ended: bool = True, answer: dict | None = None) -> ParsedAnswer:
    body = build(target(answer or {"plain_text": True}), Prompt("p", "Hi", None))
    return parse_answer(body, 200, {}, timed(*frames), ended)


def test_every_piece_of_bare_text_is_a_delta_and_the_streams_end_its_end():
    parsed = read(part(b"One"), part(b" tw"), part("é".encode()[:1]), part("é".encode()[1:]))
    assert (parsed.error, parsed.text) == (None, "One twé")
    assert (parsed.first_output, parsed.last_output, parsed.output_chunks) == (
        10.0,
        13.0,
        3,
    )  # half a character is none


def test_bare_text_in_server_sent_events_is_read_line_by_line():
    parsed = read(part(b"data: One\n\n"), part(b"data:  two\n\n"), part(b"data: [DONE]\n\n"))
    assert (parsed.error, parsed.text, parsed.output_chunks) == (None, "One two", 2)


def test_bare_text_that_is_cut_or_an_error_is_no_success():
    assert read(part(b"One"), ended=False).error == ErrorClass.STREAM_BROKEN
    assert read(part(b"One"), part(b" two")[:-3]).error == ErrorClass.STREAM_BROKEN
    assert read(part(b"One"), exception("ModelStreamError", {"Message": "m"})).error == ErrorClass.MODEL_ERROR
    assert read(part(b'{"error": "no memory", "code": 503}')).error == ErrorClass.UNAVAILABLE
    assert read().error == ErrorClass.EMPTY


def test_a_whole_answer_of_bare_text_is_read_too():
    body = build(target({"plain_text": True}, stream=False), Prompt("p", "Hi", None))
    parsed = parse_answer(body, 200, {}, [(1.0, b"One two")], True)
    assert (parsed.error, parsed.text, parsed.first_output) == (None, "One two", None)


@pytest.mark.parametrize("dialect", ["tgi", "lmi", "openai-chat"])
def test_without_plain_text_bare_text_is_named_and_the_remedy_says_how_it_is_read(dialect):
    parsed = streamed(dialect, *timed(part(b"One"), part(b" two")))
    assert (parsed.error, "bare text" in parsed.error_message) == (ErrorClass.BAD_RESPONSE, True)
    chat = SageMakerTarget(name="t", service="sagemaker", endpoint="e", dialect=dialect, stream=True)
    assert "`dialect: raw` with `answer: {plain_text: true}`" in remedy_of(chat, parsed.error, 200)


def test_a_raw_container_that_did_not_stream_is_whole_where_nothing_else_would_close_it():
    answer = {"text": "generated", "completion_tokens": "n"}
    parsed = read(part(b'{"generated": "One two", "n": 2}'), answer=answer)
    assert (parsed.error, parsed.text, parsed.completion_tokens, parsed.first_output) == (None, "One two", 2, None)
    lines = [part(b'{"generated": "One"}\n'), part(b'{"generated": " two"}\n')]
    assert read(*lines, answer=answer).error == ErrorClass.STREAM_BROKEN
    assert read(*lines[:1], answer=answer | {"done": "end"}).error == ErrorClass.STREAM_BROKEN


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "`text` is missing"),
        ({"plain_text": True, "text": "a"}, "`text` finds nothing in plain text"),
        ({"plain_text": True, "done": "a"}, "`done` finds nothing in plain text"),
    ],
)
def test_an_answer_is_either_plain_text_or_has_a_place_for_it(answer, why):
    with pytest.raises(ValueError, match=why):
        target(answer)


EMPTY = {
    "llama": {"generation": "Hel", "stop_reason": ""},
    "mistral": {"outputs": [{"text": "Hel", "stop_reason": ""}]},
    "deepseek": {"choices": [{"text": "Hel", "stop_reason": ""}]},
    "titan-text": {"outputText": "Hel", "completionReason": ""},
    "bedrock openai-chat": {"choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": ""}]},
}


@pytest.mark.parametrize("dialect", EMPTY)
def test_an_empty_stop_reason_closes_no_stream(dialect):
    assert streamed(dialect, *timed(chunk(EMPTY[dialect]))).error == ErrorClass.STREAM_BROKEN
    closing = chunk(EMPTY[dialect]), STREAMS[dialect][0][-1]
    assert streamed(dialect, *timed(*closing)).error is None
