"""Random and mutated answers: never an exception, never a success for a broken stream."""

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.errors import ErrorClass
from locustfiles.common.readers import read
from tests.load.aws_frames import chunk, event, part
from tests.load.sample_answers import METRICS, MODELS, STREAMS, WHOLES, call, openai_chunk, streamed, tgi_token, timed
from tests.load.sample_families import EVENTS

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_dialects = st.sampled_from(list(STREAMS))


@given(
    _dialects, st.booleans(), st.sampled_from([200, 301, 400, 424, 500]), st.lists(st.binary(max_size=60), max_size=4)
)
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_a_failure_and_never_an_exception(dialect, stream, status, pieces):
    chunks = [(float(i), piece) for i, piece in enumerate(pieces)]
    assert read(call(dialect, stream), status, {}, chunks, True).error is not None


@given(_dialects, st.integers(0, 10**6), st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_a_flipped_bit_anywhere_is_never_a_success(dialect, at, bit):
    data = bytearray(b"".join(STREAMS[dialect][0]))
    data[at % len(data)] ^= 1 << bit
    # a flip behind the closing event still breaks the checksum of its frame
    assert read(call(dialect), 200, {}, [(1.0, bytes(data))], True).error is not None


def _mutated(value, rng: random.Random, junk):
    """`value` with some of its parts replaced by junk."""
    if rng.random() < 0.15:
        return junk
    if isinstance(value, dict):
        return {k: _mutated(v, rng, junk) for k, v in value.items() if rng.random() > 0.05}
    return [_mutated(v, rng, junk) for v in value] if isinstance(value, list) else value


@given(st.sampled_from(list(WHOLES)), st.integers(0, 10**6), _json)
@settings(max_examples=200, deadline=None)
def test_bodies_of_any_shape_are_read_without_an_exception(dialect, seed, junk):
    data = json.dumps(_mutated(WHOLES[dialect], random.Random(seed), junk)).encode()
    reading = read(call(dialect, stream=False), 200, {}, [(1.0, data)], True)
    reading.text.encode()
    assert reading.error in (None, ErrorClass.BAD_RESPONSE, ErrorClass.EMPTY)


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
@settings(max_examples=250, deadline=None)
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
    reading = streamed(dialect, *timed(*frames), ended=ended)
    reading.text.encode()
    assert ended or reading.error is not None
    if reading.output_chunks:
        assert 10.0 <= reading.first_output <= reading.last_output
