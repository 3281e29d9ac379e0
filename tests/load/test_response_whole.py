"""Answers in one piece."""

import json

import pytest

from locustfiles.common.dialects.response import parse_answer
from locustfiles.contract.error_classes import ErrorClass
from tests.helpers.sample_answers import WHOLES, call
from tests.helpers.sample_families import EMBEDDINGS, UNCOUNTED


@pytest.mark.parametrize("dialect", WHOLES)
def test_an_answer_in_one_piece_has_text_and_usage_and_no_stream_times(dialect):
    data = json.dumps(WHOLES[dialect]).encode()
    parsed = parse_answer(call(dialect, stream=False), 200, {}, [(1.0, data[:30]), (2.0, data[30:])], True)
    counts = (None, None) if dialect in UNCOUNTED else (20, 3)
    assert (parsed.error, parsed.text, parsed.prompt_tokens, parsed.completion_tokens) == (None, "Hello", *counts)
    assert (parsed.first_output, parsed.last_output, parsed.output_chunks, parsed.max_gap_s) == (None,) * 4
    assert parsed.stop_reason in ("end_turn", "stop", "FINISH", "COMPLETE")
    assert parsed.service_latency_ms == (345.0 if dialect == "converse" else None)


@pytest.mark.parametrize("dialect", WHOLES)
def test_a_cut_answer_in_one_piece_is_never_a_success(dialect):
    data = json.dumps(WHOLES[dialect]).encode()
    for cut in range(len(data)):
        assert (
            parse_answer(call(dialect, stream=False), 200, {}, [(1.0, data[:cut])], True).error
            == ErrorClass.BAD_RESPONSE
        )
    assert parse_answer(call(dialect, stream=False), 200, {}, [(1.0, data)], False).error == ErrorClass.STREAM_BROKEN


def test_bedrocks_token_headers_go_before_the_bodys_counts():
    headers = {
        "x-amzn-bedrock-input-token-count": "21",
        "x-amzn-bedrock-output-token-count": "4",
        "x-amzn-bedrock-cache-read-input-token-count": "7",
        "x-amzn-bedrock-cache-write-input-token-count": "x",
        "x-amzn-bedrock-invocation-latency": "512",
    }
    parsed = parse_answer(
        call("llama", stream=False), 200, headers, [(1.0, json.dumps(WHOLES["llama"]).encode())], True
    )
    assert (parsed.prompt_tokens, parsed.completion_tokens, parsed.cache_read_tokens) == (21, 4, 7)
    assert (parsed.cache_write_tokens, parsed.service_latency_ms) == (None, 512.0)


@pytest.mark.parametrize("dialect", UNCOUNTED)
def test_bedrocks_headers_count_for_the_families_whose_bodies_do_not(dialect):
    headers = {"x-amzn-bedrock-input-token-count": "20", "x-amzn-bedrock-output-token-count": "3"}
    parsed = parse_answer(
        call(dialect, stream=False), 200, headers, [(1.0, json.dumps(WHOLES[dialect]).encode())], True
    )
    assert (parsed.error, parsed.prompt_tokens, parsed.completion_tokens) == (None, 20, 3)


@pytest.mark.parametrize("dialect", EMBEDDINGS)
def test_an_embedding_has_no_output_and_is_not_empty(dialect):
    data = json.dumps(EMBEDDINGS[dialect]).encode()
    parsed = parse_answer(call(dialect), 200, {"x-amzn-bedrock-input-token-count": "20"}, [(1.0, data)], True)
    assert (parsed.error, parsed.text, parsed.prompt_tokens, parsed.completion_tokens) == (None, "", 20, 0)


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("titan-embedding", {"embedding": [], "inputTextTokenCount": 20}),
        ("titan-embedding", {"inputTextTokenCount": 20}),
        ("cohere-embedding", {"embeddings": [[]]}),
        ("cohere-embedding", {"embeddings": {"float": [["a"]]}}),
        ("hf-embedding", []),
        ("hf-embedding", [[{}]]),
        ("hf-embedding", 7),
    ],
)
def test_an_embedding_without_a_number_is_a_bad_response(dialect, answer):
    data = json.dumps(answer).encode()
    assert parse_answer(call(dialect), 200, {}, [(1.0, data)], True).error == ErrorClass.BAD_RESPONSE


EMPTY_WHOLES = {
    "converse": {"output": {"message": {"content": []}}, "usage": {"inputTokens": 20, "outputTokens": 0}},
    "claude": {"content": [], "usage": {"input_tokens": 20, "output_tokens": 0}},
    "llama": {"generation": "", "prompt_token_count": 20, "generation_token_count": 0},
    "tgi": [{"generated_text": "", "details": {"input_length": 20, "generated_tokens": 0}}],
    "openai-chat": {
        "choices": [{"message": {"content": None}}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 0},
    },
}


@pytest.mark.parametrize("dialect", EMPTY_WHOLES)
def test_an_answer_without_output_is_empty_and_its_usage_is_kept(dialect):
    parsed = parse_answer(
        call(dialect, stream=False), 200, {}, [(1.0, json.dumps(EMPTY_WHOLES[dialect]).encode())], True
    )
    assert (parsed.error, parsed.prompt_tokens, parsed.completion_tokens) == (ErrorClass.EMPTY, 20, 0)


def test_hidden_reasoning_in_one_piece_is_seen():
    claude = {"content": [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "Hi"}]}
    assert parse_answer(
        call("claude", stream=False), 200, {}, [(1.0, json.dumps(claude).encode())], True
    ).hidden_reasoning
    shown = [{"reasoningContent": {"reasoningText": {"text": "Hmm", "signature": "s"}}}, {"text": "Hi"}]
    data = json.dumps({"output": {"message": {"content": shown}}}).encode()
    parsed = parse_answer(call("converse", stream=False), 200, {}, [(1.0, data)], True)
    assert (parsed.hidden_reasoning, parsed.text) == (False, "Hi")


def test_a_repeated_prompt_is_taken_off_only_where_it_was_asked_for():
    data = json.dumps([{"generated_text": "Say hello to her"}]).encode()
    assert parse_answer(call("tgi", stream=False), 200, {}, [(1.0, data)], True).text == "Say hello to her"
    echoing = call("tgi", stream=False, return_full_text=True)
    assert parse_answer(echoing, 200, {}, [(1.0, data)], True).text == " to her"
