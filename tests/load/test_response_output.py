"""What of a stream is output: reasoning, tool input and text, and when there is none."""

import pytest

from locustfiles.contract.error_classes import ErrorClass
from tests.helpers.aws_frames import chunk, event, part
from tests.helpers.sample_answers import CLAUDE, CONVERSE, OPENAI, openai_chunk, sse, streamed, tgi_token, timed


def converse_delta(delta: dict) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta})


def test_reasoning_is_output_but_not_visible():
    parsed = streamed(
        "converse",
        *timed(
            CONVERSE[0],
            converse_delta({"reasoningContent": {"text": "Hmm"}}),  # 11
            converse_delta({"reasoningContent": {"signature": "abc"}}),  # 12: no output
            converse_delta({"text": "Hi"}),  # 13
            *CONVERSE[5:],
        ),
    )
    assert (parsed.first_output, parsed.first_visible, parsed.last_output) == (11.0, 13.0, 13.0)
    assert (parsed.output_chunks, parsed.max_gap_s, parsed.text) == (2, 2.0, "Hi")
    assert parsed.hidden_reasoning is False


@pytest.mark.parametrize("content", [{"redactedContent": "AAAA"}, {"signature": "abc"}])
def test_reasoning_that_is_not_shown_is_hidden(content):
    delta = converse_delta({"reasoningContent": content})
    parsed = streamed("converse", *timed(CONVERSE[0], delta, *CONVERSE[2:]))
    assert parsed.hidden_reasoning is True
    assert parsed.first_output == 12.0


def test_claudes_thinking_is_read_like_converses():
    def delta(**values):
        return chunk({"type": "content_block_delta", "index": 0, "delta": values})

    thinking = delta(type="thinking_delta", thinking="Hmm")
    signature = delta(type="signature_delta", signature="abc")
    parsed = streamed("claude", *timed(CLAUDE[0], thinking, signature, *CLAUDE[2:]))
    assert (parsed.first_output, parsed.first_visible, parsed.hidden_reasoning) == (11.0, 13.0, False)
    redacted = chunk({"type": "content_block_start", "content_block": {"type": "redacted_thinking", "data": "x"}})
    assert streamed("claude", *timed(CLAUDE[0], redacted, *CLAUDE[2:])).hidden_reasoning is True


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_openai_reasoning_is_output_and_is_hidden_when_only_counted(key):
    first = part(sse(openai_chunk({"role": "assistant", key: "Hmm"})))
    parsed = streamed("openai-chat", *timed(first, *OPENAI[1:]))
    assert (parsed.first_output, parsed.first_visible, parsed.hidden_reasoning) == (10.0, 11.0, False)
    usage = {"prompt_tokens": 20, "completion_tokens": 90, "completion_tokens_details": {"reasoning_tokens": 87}}
    counted = part(sse({"choices": [], "usage": usage}))
    parsed = streamed("openai-chat", *timed(*OPENAI[:4], counted, OPENAI[5]))
    assert (parsed.completion_tokens, parsed.hidden_reasoning) == (90, True)


def test_tool_input_is_output_and_not_text():
    start = event("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "1", "name": "f"}}})
    parsed = streamed("converse", *timed(start, converse_delta({"toolUse": {"input": '{"a"'}}), *CONVERSE[5:]))
    assert (parsed.error, parsed.first_output, parsed.first_visible, parsed.text) == (None, 11.0, None, "")
    calls = [{"index": 0, "function": {"name": "f", "arguments": ""}}], [{"index": 0, "function": {"arguments": "{}"}}]
    parsed = streamed("openai-chat", *timed(*(part(sse(openai_chunk({"tool_calls": c}))) for c in calls), *OPENAI[3:]))
    assert (parsed.error, parsed.first_output, parsed.output_chunks) == (None, 11.0, 1)
    tool = chunk({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{"}})
    assert streamed("claude", *timed(CLAUDE[0], tool, *CLAUDE[5:])).first_output == 11.0


def test_a_tool_call_without_input_is_not_empty():
    start = event("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "1", "name": "f"}}})
    parsed = streamed("converse", *timed(start, *CONVERSE[5:]))
    assert (parsed.error, parsed.first_output) == (None, None)
    named = part(sse(openai_chunk({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]})))
    parsed = streamed("openai-chat", *timed(named, *OPENAI[3:]))
    assert (parsed.error, parsed.first_output) == (None, None)


def test_a_stream_without_output_is_empty_and_keeps_its_usage():
    parsed = streamed("converse", *timed(CONVERSE[0], CONVERSE[1], *CONVERSE[4:]))
    assert (parsed.error, parsed.completion_tokens, parsed.output_chunks) == (ErrorClass.EMPTY, 3, None)
    only_special = sse(tgi_token("</s>", special=True, generated_text="", details={"generated_tokens": 1}))
    parsed = streamed("tgi", *timed(part(only_special)))
    assert (parsed.error, parsed.completion_tokens, parsed.first_output) == (ErrorClass.EMPTY, 1, None)


def _chat(index: int, text: str, reason: str | None = None) -> dict:
    return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": reason}]}


TWO = [_chat(0, "a"), _chat(0, "", "stop"), _chat(1, "b")]  # the first has ended before the second begins
LINES = [part(sse(event)) for event in TWO]
DONE = part(b"data: [DONE]\n\n")
HALF = {  # dialect -> a stream in which one of two choices has no end
    "openai-chat": [*LINES, DONE],
    "openai-completions": [*LINES, DONE],
    "mistral-chat": [chunk(event) for event in TWO],
    "mistral": [chunk({"outputs": [{"text": "a", "stop_reason": "stop"}, {"text": "b", "stop_reason": None}]})],
    "deepseek": [chunk({"choices": [{"text": "a", "stop_reason": "stop"}, {"text": "b", "stop_reason": None}]})],
}


@pytest.mark.parametrize("dialect", HALF)
def test_a_stream_that_leaves_one_of_its_choices_without_an_end_is_broken(dialect):
    parsed = streamed(dialect, *timed(*HALF[dialect]))
    assert (parsed.error, parsed.text) == (ErrorClass.STREAM_BROKEN, "ab"), parsed
    assert "without a finish_reason of choice 1, which had begun; others have one" in parsed.error_message


@pytest.mark.parametrize("dialect", ["openai-chat", "mistral-chat"])
def test_a_stream_is_whole_once_its_second_choice_has_ended_too(dialect):
    last = _chat(1, "", "length")
    frames = [*LINES, part(sse(last)), DONE] if dialect == "openai-chat" else [*HALF[dialect], chunk(last)]
    assert streamed(dialect, *timed(*frames)).error is None
