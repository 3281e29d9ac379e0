"""Reasoning in tags, and answers whose places the scenario names."""

import json

import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from tests.helpers.aws_frames import chunk, part
from tests.helpers.sample_answers import HELLO, call, streamed, timed
from tests.helpers.sample_families import EVENTS, RAW
from tests.helpers.sent import bedrock, sagemaker


def gpt_oss(*contents: str) -> list[bytes]:
    """A stream of these contents, its last chunk with the reason."""
    events = [{"choices": [{"index": 0, "delta": {"content": c}, "finish_reason": None}]} for c in contents]
    return [chunk(e) for e in [*events, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]]


@pytest.mark.parametrize(
    ("contents", "first", "visible", "chunks", "text"),
    [
        # time of the first output, of the first text, deltas with output: the first content comes at 10, each next 1 later
        (["<reasoning>", "Hm", "m", "</reasoning>", "Hel", "lo"], 11.0, 14.0, 4, "Hello"),
        (["<reasoning>Hm", "m</reasoning>Hel", "lo"], 10.0, 11.0, 3, "Hello"),
        (["<rea", "soning>", "Hm", "</reasoning>", "Hi"], 12.0, 14.0, 2, "Hi"),
        (["<reasoning>Hm</reasoning>", "Hi"], 10.0, 11.0, 2, "Hi"),
        (["Hel", "lo <reasoning>"], 10.0, 10.0, 2, "Hello <reasoning>"),
        (["<", "b>Hi"], 11.0, 11.0, 1, "<b>Hi"),
        (["<reasoning>", "</reasoning>", "Hi"], 12.0, 12.0, 1, "Hi"),
    ],
)
def test_reasoning_in_tags_is_output_and_not_visible(contents, first, visible, chunks, text):
    parsed = streamed("bedrock openai-chat", *timed(*gpt_oss(*contents)))
    assert (parsed.error, parsed.text, parsed.stop_reason) == (None, text, "stop")
    assert (parsed.first_output, parsed.first_visible, parsed.output_chunks) == (first, visible, chunks)
    assert parsed.hidden_reasoning is False


def deepseek(*texts: str) -> list[bytes]:
    return [chunk({"choices": [{"text": t, "stop_reason": None}]}) for t in texts] + [
        chunk({"choices": [{"text": "", "stop_reason": "stop"}]})
    ]


@pytest.mark.parametrize(
    ("prompt", "texts", "first", "visible", "chunks", "text"),
    [
        ("Say hello", ["<think>", "\nHm", "</think>", "Hel", "lo"], 11.0, 13.0, 3, "Hello"),
        ("Say hello", ["<think>\nHm", "</think>\n\nHello"], 10.0, 11.0, 2, "\n\nHello"),
        ("Say hello", ["Hel", "lo <think>"], 10.0, 10.0, 2, "Hello <think>"),
        # the model's own prompt template ends in the tag, and the answer begins inside it
        ("<｜User｜>Say hello<｜Assistant｜><think>\n", ["Hm", "m</th", "ink>", "Hello"], 10.0, 13.0, 3, "Hello"),
        ("<｜User｜>Say hello<｜Assistant｜><think>\n", ["Hm", "m"], 10.0, None, 2, ""),
    ],
)
def test_deepseeks_thinking_is_output_and_not_visible(prompt, texts, first, visible, chunks, text):
    target = bedrock(model_id="us.deepseek.r1-v1:0", api="invoke", stream=True, parameters={"max_tokens": 64})
    parsed = parse_answer(build(target, Prompt("1", prompt, None)), 200, {}, timed(*deepseek(*texts)), True)
    assert (parsed.error, parsed.text, parsed.stop_reason) == (None, text, "stop")
    assert (parsed.first_output, parsed.first_visible, parsed.output_chunks) == (first, visible, chunks)


def test_reasoning_in_tags_that_ends_in_the_middle_is_output_without_text():
    parsed = streamed("bedrock openai-chat", *timed(*gpt_oss("<reasoning>", "Hm", "m")))
    assert (parsed.error, parsed.text, parsed.first_output, parsed.first_visible) == (None, "", 11.0, None)


def test_reasoning_in_tags_of_a_whole_answer_is_not_text():
    for content, text, error in (
        ("<reasoning>Hm</reasoning>Hello", "Hello", None),
        ("<reasoning>Hm", "", None),
        ("<reas", "<reas", None),
        ("<reasoning></reasoning>", "", ErrorClass.EMPTY),
    ):
        data = json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}).encode()
        parsed = parse_answer(call("bedrock openai-chat", stream=False), 200, {}, [(1.0, data)], True)
        assert (parsed.text, parsed.error) == (text, error)


def test_a_bedrock_chat_without_its_last_chunk_is_broken():
    assert streamed("bedrock openai-chat", *timed(*gpt_oss("Hi")[:-1])).error == ErrorClass.STREAM_BROKEN


def test_a_cohere_stream_in_one_piece_is_whole_without_times_and_an_error_of_the_model_is_one():
    whole = {
        "generations": [{"text": "Hello", "finish_reason": "COMPLETE"}],
        "is_finished": True,
        "finish_reason": "COMPLETE",
    }
    parsed = streamed("cohere-command", *timed(chunk(whole)))
    assert (parsed.error, parsed.text, parsed.first_output, parsed.output_chunks) == (None, "Hello", None, None)
    toxic = {"is_finished": True, "finish_reason": "ERROR_TOXIC"}
    parsed = streamed("cohere-command", *timed(chunk({"text": "He", "is_finished": False}), chunk(toxic)))
    assert (parsed.error, parsed.error_code, parsed.text) == (ErrorClass.BAD_RESPONSE, "ERROR_TOXIC", "He")


def raw_lines(*events: object) -> list[bytes]:
    return [part(json.dumps(e).encode() + b"\n") for e in events]


def test_a_raw_error_is_what_the_scenario_says_and_nothing_else():
    parsed = streamed("raw", *timed(*raw_lines(EVENTS["raw"][0][0], {"trouble": {"why": "full"}})))
    assert (parsed.error, parsed.error_message, parsed.text) == (ErrorClass.BAD_RESPONSE, '{"why": "full"}', "Hel")
    not_one = {"error": "none", "trouble": "", "out": {"piece": "Hello"}}
    data = json.dumps(not_one).encode()
    parsed = parse_answer(call("raw", stream=False), 200, {}, [(1.0, data)], True)
    assert (parsed.error, parsed.text) == (None, "Hello")


def test_raw_answers_that_are_lists_are_read_and_those_without_text_are_not():
    answer = {
        "text": "[*].generated[]",
        "completion_tokens": "length([0].generated)",
        "prompt_tokens": "sum([0].generated)",
    }
    body = build(sagemaker(dialect="raw", body=RAW["body"], answer=answer, parameters={"max_tokens": 64}), HELLO)
    data = json.dumps([{"generated": ["Hel", "lo"]}]).encode()
    parsed = parse_answer(body, 200, {}, [(1.0, data)], True)
    assert (parsed.error, parsed.text, parsed.completion_tokens) == (None, "Hello", 2)
    assert parsed.prompt_tokens is None  # `sum` does not fit texts: unknown, not a crash
    assert parse_answer(body, 200, {}, [(1.0, b'{"a": 1}')], True).error == ErrorClass.BAD_RESPONSE
    assert parse_answer(body, 200, {}, [(1.0, b'{"error": "full"}')], True).error_message == "full"


def test_a_raw_stream_without_done_ends_with_the_done_line_alone():
    answer = {"text": "t"}
    target = sagemaker(dialect="raw", stream=True, body={"a": "{prompt}"}, answer=answer)
    lines = [part(b'data: {"t": "Hi"}\n\n'), part(b"data: [DONE]\n\n")]
    assert parse_answer(build(target, HELLO), 200, {}, timed(*lines), True).error is None
    assert parse_answer(build(target, HELLO), 200, {}, timed(lines[0]), True).error == ErrorClass.STREAM_BROKEN
