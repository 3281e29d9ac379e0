"""Streams: times, usage, the parts they come in, and when a stream is whole."""

import functools
import itertools
import json
import time
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.dialects.response import parse_answer
from locustfiles.contract.error_classes import ErrorClass
from tests.helpers.aws_frames import event, exception, part
from tests.helpers.sample_answers import (
    CLAUDE,
    CONVERSE,
    LLAMA,
    OPENAI,
    STREAMS,
    TGI,
    call,
    openai_chunk,
    sse,
    streamed,
    tgi_token,
    timed,
)


@pytest.mark.parametrize("dialect", STREAMS)
def test_a_whole_stream_is_read_with_its_times_and_usage(dialect):
    frames, _, (first, last) = STREAMS[dialect]
    parsed = streamed(dialect, *timed(*frames))
    assert parsed.error is None and parsed.error_message is None
    assert parsed.text == "Hello"
    assert (parsed.first_output, parsed.first_visible, parsed.last_output) == (first, first, last)
    assert (parsed.output_chunks, parsed.max_gap_s) == (2, last - first)
    assert parsed.completion_tokens == 3
    assert parsed.prompt_tokens == (None if dialect == "lmi" else 20)
    assert parsed.stop_reason in ("end_turn", "stop", "eos_token", "FINISH", "COMPLETE")
    assert parsed.request_id == "req-1"
    assert not parsed.hidden_reasoning


@pytest.mark.parametrize(
    ("dialect", "latency", "ttft"),
    [
        ("converse", 345.0, None),
        ("claude", 345.0, 120.0),
        ("nova", 345.0, 120.0),
        ("llama", 345.0, 120.0),
        ("mistral", 345.0, 120.0),
        ("titan-text", 345.0, 120.0),
        ("tgi", None, None),
    ],
)
def test_bedrocks_own_times_are_kept(dialect, latency, ttft):
    parsed = streamed(dialect, *timed(*STREAMS[dialect][0]))
    assert (parsed.service_latency_ms, parsed.service_ttft_ms) == (latency, ttft)


def test_cached_tokens_are_counted_apart():
    for dialect in ("converse", "claude"):
        parsed = streamed(dialect, *timed(*STREAMS[dialect][0]))
        assert (parsed.prompt_tokens, parsed.cache_read_tokens, parsed.cache_write_tokens) == (20, 128, 0)
    parsed = streamed("llama", *timed(*LLAMA))
    assert (parsed.cache_read_tokens, parsed.cache_write_tokens) == (None, None)  # unknown is not 0
    usage = {"prompt_tokens": 148, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 128}}
    parsed = streamed("openai-chat", *timed(*OPENAI[:4], part(sse({"choices": [], "usage": usage})), OPENAI[5]))
    assert (parsed.prompt_tokens, parsed.cache_read_tokens) == (20, 128)  # 148 - 128


@pytest.mark.parametrize("dialect", STREAMS)
def test_a_stream_cut_at_any_byte_is_never_a_success(dialect):
    frames, needed, _ = STREAMS[dialect]
    data = b"".join(frames)
    whole_at = [sum(len(f) for f in frames[:n]) for n in range(needed, len(frames) + 1)]  # cuts that only lose usage
    for cut in range(len(data)):
        pieces = [(1.0, data[: cut // 2]), (2.0, data[cut // 2 : cut])]
        parsed = parse_answer(call(dialect), 200, {}, pieces, ended=True)
        if cut in whole_at:
            assert parsed.error is None
        else:
            assert parsed.error == ErrorClass.STREAM_BROKEN, cut
        assert parse_answer(call(dialect), 200, {}, pieces, ended=False).error == ErrorClass.STREAM_BROKEN, cut
    assert parse_answer(call(dialect), 200, {}, [(1.0, data)], ended=False).error == ErrorClass.STREAM_BROKEN


@pytest.mark.parametrize("dialect", ["tgi", "lmi", "openai-chat"])
def test_a_container_that_ends_early_inside_whole_frames_is_never_a_success(dialect):
    """The frames are intact, the container's bytes in them stop anywhere."""
    text = {
        "tgi": b"".join(sse(tgi_token(t)) for t in ("Hel", "lo")) + sse(tgi_token("!", generated_text="Hello!")),
        "lmi": b'{"token": {"text": "Hel"}}\n{"token": {"text": "lo"}, "generated_text": "Hello"}\n',
        "openai-chat": sse(openai_chunk({"content": "Hel"})) + sse(openai_chunk({}, "stop")) + b"data: [DONE]\n\n",
    }[dialect]
    needed = len(text.rstrip())
    # the line with the finish_reason, up to where [DONE] begins: 2 line ends behind it, and the end itself
    finished = range(text.index(b"data: [DONE]") - 2, text.index(b"data: [DONE]") + 1) if b"[DONE]" in text else ()
    for cut in range(1, len(text) + 1):
        parsed = streamed(dialect, (1.0, part(text[:cut])))
        whole = cut >= needed or cut in finished
        assert parsed.error == (None if whole else ErrorClass.STREAM_BROKEN), cut


@pytest.mark.parametrize("dialect", STREAMS)
def test_a_partial_stream_keeps_its_text_and_times(dialect):
    frames, _, (first, last) = STREAMS[dialect]
    until = int(last - 10) + 1
    parsed = streamed(dialect, *timed(*frames[:until]), ended=False)
    assert parsed.error == ErrorClass.STREAM_BROKEN
    assert (parsed.text, parsed.first_output, parsed.last_output, parsed.output_chunks) == ("Hello", first, last, 2)


def test_a_partial_stream_keeps_the_counts_that_came_and_invents_none():
    claude = streamed("claude", *timed(*CLAUDE[:5]), ended=False)
    assert (claude.prompt_tokens, claude.completion_tokens) == (20, None)  # message_start's 1 is a placeholder
    llama = streamed("llama", *timed(*LLAMA[:2]), ended=False)
    assert (llama.prompt_tokens, llama.completion_tokens) == (20, 2)  # the service's running count
    assert streamed("converse", *timed(*CONVERSE[:4])).completion_tokens is None
    assert streamed("tgi", *timed(*TGI[:2])).completion_tokens is None  # lines are not tokens


def test_usage_that_came_before_an_exception_is_kept():
    error = exception("internalServerException", {"message": "Oops"})
    parsed = streamed("converse", *timed(*CONVERSE, error))
    assert parsed.error == ErrorClass.SERVER
    assert (parsed.prompt_tokens, parsed.completion_tokens, parsed.error_message) == (20, 3, "Oops")


def test_half_characters_of_two_deltas_become_one_and_a_single_half_is_replaced():
    halves = [
        event("contentBlockDelta", b'{"delta": {"text": "\\ud83c"}}'),
        event("contentBlockDelta", b'{"delta": {"text": "\\udf0d"}}'),
    ]
    assert streamed("converse", *timed(*halves, *CONVERSE[5:])).text == "🌍"
    assert streamed("converse", *timed(halves[0], *CONVERSE[5:])).text == "\ufffd"


# --- payload parts of SageMaker, split anywhere ---


def test_a_lines_time_is_that_of_the_part_with_its_last_character():
    one, two = sse(tgi_token("Hé🌍")), sse(tgi_token("b", generated_text="Hé🌍b"))
    one = one.replace(b"H\\u00e9\\ud83c\\udf0d", "Hé🌍".encode())
    inside_emoji = one.index("🌍".encode()) + 2
    parts = [one[:inside_emoji], one[inside_emoji:-2], b"\n", b"\n" + two[:5], b"", two[5:-3], two[-3:]]
    parsed = streamed("tgi", *timed(*map(part, parts)))
    # the first line's "}" is in the second part (11), its newline in the third; the last line's is in the seventh (16)
    assert (parsed.error, parsed.text) == (None, "Hé🌍b")
    assert (parsed.first_output, parsed.last_output, parsed.max_gap_s) == (11.0, 16.0, 5.0)


def test_a_carriage_return_that_comes_later_does_not_delay_its_line():
    line = sse(tgi_token("a", generated_text="a")).rstrip()
    assert streamed("tgi", *timed(part(line), part(b"\r"), part(b"\n\r\n"))).first_output == 10.0


def test_two_lines_in_one_part_comments_events_and_carriage_returns_are_read():
    body = (
        b": ping\r\n\r\nevent: message\r\nid: 7\r\nretry: 10\r\n"
        b"data: "
        + json.dumps(tgi_token("Hel")).encode()
        + b"\r\n\r\ndata:\n"
        + sse(tgi_token("lo", generated_text="Hello")).rstrip()  # no newline at the end
    )
    parsed = streamed("tgi", (3.0, part(body)))
    assert (parsed.error, parsed.text, parsed.output_chunks, parsed.max_gap_s) == (None, "Hello", 2, 0.0)


@given(st.sampled_from(["tgi", "lmi", "openai-chat"]), st.lists(st.integers(0, 2000), max_size=8), st.booleans())
@settings(max_examples=60)
def test_the_split_into_parts_changes_nothing_but_times(dialect, cuts, final_newline):
    container = {
        "tgi": b"".join(sse(tgi_token(t)) for t in ("Hel", "lo ", "")) + sse(tgi_token("é", generated_text="Hello é")),
        "lmi": '{"token": {"text": "Hello"}}\n{"token": {"text": " é"}, "generated_text": "Hello é"}\n'.encode(),
        "openai-chat": sse(openai_chunk({"content": "Hello é"})) + sse(openai_chunk({}, "stop")) + b"data: [DONE]\n\n",
    }[dialect]
    container = container if final_newline else container.rstrip()
    places = sorted({min(c, len(container)) for c in cuts} | {0, len(container)})
    parsed = streamed(dialect, *timed(*(part(container[a:b]) for a, b in itertools.pairwise(places))))
    assert (parsed.error, parsed.text) == (None, "Hello é")


def test_chat_in_json_lines_without_data_prefix_ends_with_its_finish_reason():
    lines = [part(json.dumps(openai_chunk(*c)).encode() + b"\n") for c in (({"content": "Hi"},), ({}, "stop"))]
    assert streamed("openai-chat", *timed(*lines)).error is None
    assert streamed("openai-chat", *timed(lines[0])).error == ErrorClass.STREAM_BROKEN


def test_a_container_that_did_not_stream_is_whole_and_has_no_times():
    answer = [{"generated_text": "Hello", "details": {"finish_reason": "length", "generated_tokens": 3}}]
    parsed = streamed("tgi", *timed(part(json.dumps(answer).encode())))
    assert (parsed.error, parsed.text, parsed.first_output, parsed.output_chunks) == (None, "Hello", None, None)


def test_a_container_that_repeats_the_prompt_in_its_one_piece_has_it_taken_off():
    data = json.dumps({"generated_text": "Say hello to her"}).encode()
    echoing = call("tgi", return_full_text=True)
    assert parse_answer(echoing, 200, {}, timed(part(data)), True).text == " to her"
    line = sse(tgi_token(" to her", generated_text="Say hello to her"))
    parsed = parse_answer(echoing, 200, {}, timed(part(line)), True)
    assert (parsed.text, parsed.output_chunks) == (
        " to her",
        1,
    )  # the token was the output, its line's text repeats it


BAD_COUNTS = [-1, 1.5, "7 tokens", True, None, [], 10**300, float("nan")]


@pytest.mark.parametrize("value", BAD_COUNTS, ids=repr)
def test_a_count_that_is_no_count_is_unknown(value):
    usage = event(
        "metadata", {"usage": {"inputTokens": value, "outputTokens": value}, "metrics": {"latencyMs": 10**400}}
    )
    parsed = streamed("converse", *timed(*CONVERSE[:6], usage))
    assert (parsed.prompt_tokens, parsed.completion_tokens, parsed.service_latency_ms) == (None, None, None)


@pytest.mark.parametrize("dialect", ["converse", "llama", "tgi"])
def test_reading_a_stream_of_100_tokens_takes_under_15_microseconds_an_event(dialect):
    frames, _, _ = STREAMS[dialect]
    delta = 3 if dialect == "converse" else 1
    chunks = timed(*frames[:delta], *[frames[delta]] * 100, *frames[delta + 1 :])
    body = call(dialect)
    assert parse_answer(body, 200, {}, chunks, True).output_chunks >= 100
    one = functools.partial(parse_answer, body, 200, {}, chunks, True)
    best = min(timeit.repeat(one, timer=time.thread_time, number=2, repeat=50)) / 2
    assert best / len(chunks) < 15e-6


@pytest.mark.parametrize("reason", ["error", "abort"])
@pytest.mark.parametrize("dialect", ["openai-chat", "tgi", "lmi"])
def test_a_generation_that_the_server_gave_up_is_no_success(dialect, reason):
    if dialect == "openai-chat":
        lines = [sse(openai_chunk({"content": "Hel"})), sse(openai_chunk({}, reason)), b"data: [DONE]\n\n"]
        whole = {"choices": [{"message": {"content": "Hel"}, "finish_reason": reason}]}
    else:
        details = {"finish_reason": reason, "generated_tokens": 1}
        lines = [sse(tgi_token("Hel")), sse(tgi_token("", generated_text="Hel", details=details))]
        whole = {"generated_text": "Hel", "details": details}
    for parsed in (
        streamed(dialect, *timed(*(part(line) for line in lines))),
        parse_answer(call(dialect, stream=False), 200, {}, [(1.0, json.dumps(whole).encode())], True),
    ):
        assert (parsed.error, parsed.error_code, parsed.text) == (ErrorClass.BAD_RESPONSE, reason, "Hel")
        assert parsed.error_message == f"the container ended the generation with finish_reason {reason}"
