"""Token counts that are no counts: told, left empty, never guessed at; what is beyond doubt the same number is taken."""

import json

import pytest

from analysis.commands.check_view import call_rows
from locustfiles.contract.prices.price import TokenPrice
from tests.helpers import bodies
from tests.helpers.aws_frames import chunk
from tests.helpers.emulator_process import running_emulator
from tests.helpers.lab import CHAT, CHUNKED, END, Lab, chunks, whole
from tests.helpers.sample_answers import sse, streamed, timed
from tests.helpers.sample_families import METRICS

STREAM = "ChatCompletions stream"
CHOICES = [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]


@pytest.fixture(scope="module")
def lab(tmp_path_factory, credentials):
    with running_emulator(bodies.CONFIG) as emulator:
        yield Lab(emulator, tmp_path_factory.mktemp("lab"))


def told(usage: str) -> bytes:
    """An answer with these bytes as its usage."""
    return json.dumps({"choices": CHOICES, "usage": "here"}).replace('"here"', usage).encode()


@pytest.mark.parametrize(("count", "taken"), [("12", 12), ("12.0", 12), ('"12"', 12), ("1.2e1", 12), ("0", 0)])
def test_the_same_number_in_another_form_is_taken(lab, count, taken):
    record = lab.wire("ChatCompletions", whole(200, told(f'{{"prompt_tokens": 9, "completion_tokens": {count}}}')))
    # a count of 0 for text that came is none, as everywhere
    assert (record.error, record.error_code) == (None, None)
    assert (record.prompt_tokens, record.completion_tokens) == (9, taken or None)


NO_COUNTS = [
    "NaN",
    "-1",
    "-Infinity",
    "12.5",
    "true",
    '"12 tokens"',
    '"1,200"',
    '"\\u0661\\u0662"',
    '" 12"',
    '""',
    '{"n": 12}',
    "[12]",
]


@pytest.mark.parametrize("count", NO_COUNTS)
def test_what_is_no_count_is_told_and_left_empty(lab, count):
    record = lab.wire("ChatCompletions", whole(200, told(f'{{"prompt_tokens": 9, "completion_tokens": {count}}}')))
    assert (record.error, record.error_code) == (None, "UnreadableUsage")
    assert record.error_message.startswith("`completion_tokens` of the answer is ")
    assert record.error_message.endswith(", which is no count")
    assert (record.prompt_tokens, record.completion_tokens, record.token_source) == (9, None, "none")


@pytest.mark.parametrize("usage", ["null", "{}", '{"completion_tokens": null}', "[]", "false"])
def test_no_count_at_all_is_missing_and_nothing_is_wrong_with_it(lab, usage):
    record = lab.wire("ChatCompletions", whole(200, told(usage)))
    assert (record.error, record.error_code, record.error_message, record.completion_tokens) == (None,) * 4


@pytest.mark.parametrize("usage", ['"12"', "[12]", "NaN", "12", "true"])
def test_a_usage_that_is_no_object_is_told(lab, usage):
    record = lab.wire("ChatCompletions", whole(200, told(usage)))
    assert (record.error, record.error_code) == (None, "UnreadableUsage")
    assert "`usage` of the answer is" in record.error_message


def test_a_number_of_any_length_is_not_believed_and_breaks_nothing(lab):
    for digits in (12, 31, 400, 4000):
        usage = f'{{"completion_tokens": {"9" * digits}}}'
        record = lab.wire("ChatCompletions", whole(200, told(usage)))
        assert (record.error, record.error_code) == ("bad_response", "ImplausibleUsage"), record


def last(completion: object, then: object = None) -> bytes:
    """A stream that counts so far as it goes, then says this of all of it."""
    sent = [*CHAT[:4], sse({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 2}})]
    for count in (completion, then):
        sent += (
            [] if count is None else [sse({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": count}})]
        )
    return CHUNKED + chunks(*sent, CHAT[5]) + END


def test_of_a_stream_the_last_count_decides(lab):
    record = lab.wire(STREAM, last(float("nan")))
    assert (record.error, record.error_code, record.completion_tokens) == (None, "UnreadableUsage", None)
    record = lab.wire(STREAM, last(float("nan"), 3))
    assert (record.error_code, record.error_message, record.completion_tokens) == (None, None, 3)


def test_the_counts_that_bedrock_itself_makes_go_before_the_models():
    said = {"outputText": "Hello", "totalOutputTextTokenCount": -1, "completionReason": "FINISH"}
    parsed = streamed("titan-text", *timed(chunk(said)))
    assert (parsed.error, parsed.error_code, parsed.completion_tokens) == (None, "UnreadableUsage", None)
    parsed = streamed("titan-text", *timed(chunk(said | {"amazon-bedrock-invocationMetrics": METRICS})))
    assert (parsed.error, parsed.error_code, parsed.completion_tokens) == (None, None, 3)


def test_a_check_shows_what_cannot_be_read(lab):
    record = lab.wire("ChatCompletions", whole(200, told('{"prompt_tokens": 9, "completion_tokens": NaN}')))
    rows = call_rows(record, TokenPrice(input=0.001, output=0.002), stream=False)
    assert rows["answer"] == "well"
    assert rows["usage"] == "`completion_tokens` of the answer is NaN, which is no count: those counts are left empty"
    assert rows["completion tokens"] == "– (not known)"
