"""Random and mutated answers: never an exception, never a hang, never a success for what is none."""

import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.dialects.response import parse_answer
from locustfiles.contract.error_classes import ErrorClass
from tests.helpers.aws_frames import chunk, event, part
from tests.helpers.sample_answers import (
    METRICS,
    MODELS,
    STREAMS,
    WHOLES,
    call,
    openai_chunk,
    streamed,
    tgi_token,
    timed,
)
from tests.helpers.sample_families import EVENTS

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_dialects = st.sampled_from(list(STREAMS))


@given(
    _dialects, st.booleans(), st.sampled_from([200, 301, 400, 424, 500]), st.lists(st.binary(max_size=60), max_size=4)
)
@settings(max_examples=150)
def test_random_bytes_are_a_failure_and_never_an_exception(dialect, stream, status, pieces):
    chunks = [(float(i), piece) for i, piece in enumerate(pieces)]
    assert parse_answer(call(dialect, stream), status, {}, chunks, True).error is not None


@given(_dialects, st.integers(0, 10**6), st.integers(0, 7))
@settings(max_examples=150)
def test_a_flipped_bit_anywhere_is_never_a_success(dialect, at, bit):
    data = bytearray(b"".join(STREAMS[dialect][0]))
    data[at % len(data)] ^= 1 << bit
    # a flip behind the closing event still breaks the checksum of its frame
    assert parse_answer(call(dialect), 200, {}, [(1.0, bytes(data))], True).error is not None


def _mutated(value, rng: random.Random, junk):
    """`value` with some of its parts replaced by junk."""
    if rng.random() < 0.15:
        return junk
    if isinstance(value, dict):
        return {k: _mutated(v, rng, junk) for k, v in value.items() if rng.random() > 0.05}
    return [_mutated(v, rng, junk) for v in value] if isinstance(value, list) else value


@given(st.sampled_from(list(WHOLES)), st.integers(0, 10**6), _json)
@settings(max_examples=200)
def test_bodies_of_any_shape_are_read_without_an_exception(dialect, seed, junk):
    data = json.dumps(_mutated(WHOLES[dialect], random.Random(seed), junk)).encode()
    parsed = parse_answer(call(dialect, stream=False), 200, {}, [(1.0, data)], True)
    parsed.text.encode()
    assert parsed.error in (None, ErrorClass.BAD_RESPONSE, ErrorClass.EMPTY)


EVENTS_OF = {
    "converse": [("contentBlockDelta", {"delta": {"text": "a"}}),
                 ("contentBlockDelta", {"delta": {"toolUse": {"input": "x"}}}),
                 ("contentBlockDelta", {"delta": {"reasoningContent": {"text": "r"}}}),
                 ("contentBlockStart", {"start": {"toolUse": {}}}), ("messageStop", {"stopReason": "x"}),
                 ("metadata", {"usage": {"inputTokens": 1}, "metrics": {"latencyMs": 5}})],
    "claude": [{"type": "message_start", "message": {"usage": {"input_tokens": 4}}},
               {"type": "content_block_start", "content_block": {"type": "tool_use"}},
               {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}},
               {"type": "message_delta", "delta": {"stop_reason": "x"}, "usage": {"output_tokens": 4}},
               {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS}],
    "nova": [{"contentBlockDelta": {"delta": {"text": "a"}}}, {"messageStop": {}}, {"metadata": {"usage": {}}}],
    "llama": [{"generation": "a", "stop_reason": "x", "prompt_token_count": 4}],
    "tgi": [tgi_token("a", generated_text="a", details={"finish_reason": "x", "prefill": [1]}), {"error": {"code": 1}}],
    "lmi": [{"token": {"text": "a"}, "generated_text": "a", "details": {"generated_tokens": 4}}],
    "openai-chat": [openai_chunk({"content": "a", "tool_calls": [{"function": {"arguments": "x"}}]}, "stop"),
                    {"usage": {"prompt_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}}],
}  # fmt: skip


EVENTS_OF |= {dialect: events for dialect, (events, _) in EVENTS.items()}


@given(_dialects, st.integers(0, 10**6), _json, st.booleans())
@settings(max_examples=250)
def test_events_of_any_shape_are_read_without_an_exception(dialect, seed, junk, ended):
    rng = random.Random(seed)
    frames = []
    for item in EVENTS_OF[dialect] * 2:
        if dialect == "converse":
            frames.append(event(item[0], json.dumps(_mutated(item[1], rng, junk)).encode()))
        elif dialect in MODELS:
            inner = _mutated(item, rng, junk)
            frames.append(chunk(inner))
        else:
            frames.append(part(b"data: " + json.dumps(_mutated(item, rng, junk)).encode() + b"\n"))
    parsed = streamed(dialect, *timed(*frames), ended=ended)
    parsed.text.encode()
    assert ended or parsed.error is not None
    if parsed.output_chunks:
        assert 10.0 <= parsed.first_output <= parsed.last_output


@pytest.mark.parametrize(
    "data",
    [
        b"\n" * 300_000,
        b"data: " + b"[" * 300_000,
        b'data: {"a": "' + b"\\" * 300_000,
        b"data:\n" * 50_000,
        b'{"choices": [{"delta": {"content": "<reasoning"}}]}\n' * 5_000,
        b"\x00" * 300_000,
        b"\x00\xff\xff\xff" * 75_000,
    ],
    ids=["newlines", "nested", "escapes", "empty events", "half tags", "zeros", "lengths"],
)
def test_the_worst_bytes_take_time_in_proportion_to_their_number(data):
    """One byte a piece is the worst way in which bytes can come."""
    chunks = [(float(i), data[i : i + 1]) for i in range(min(len(data), 100_000))] + [(1e6, data[100_000:])]
    began = time.thread_time()
    for dialect in ("tgi", "openai-chat", "raw", "converse", "llama"):
        for framed in (False, True):
            pieces = [(1.0, part(data))] if framed else chunks
            assert parse_answer(call(dialect), 200, {}, pieces, True).error is not None
    assert time.thread_time() - began < 5
