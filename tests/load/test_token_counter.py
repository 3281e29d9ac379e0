"""Counts by a tokenizer's file that the scenario names: of which texts, and where the service's own count stands."""

import pytest
import tokenizers

from locustfiles.common.calls.outcome import token_counts
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.token_counter import Counter, counter_of
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget
from tests.helpers import tokenizer_files

PLAIN = OpenAITarget(name="o", service="openai", base_url="http://127.0.0.1:1/v1", model_id="m")
BRIEF = BedrockTarget(name="b", service="bedrock", model_id="meta.llama3-8b-instruct-v1:0", system="You are brief.")


@pytest.fixture
def words(tmp_path) -> str:
    """A tokenizer.json whose tokens are the words."""
    return tokenizer_files.words(tmp_path / "tokenizer.json")


def test_a_prompt_is_counted_by_its_texts_alone(words):
    counter = Counter(words)
    assert counter.text("one two three") == 3
    assert counter.prompt(PLAIN, Prompt("a", "one two", None)) == 2
    parts = [
        {"type": "text", "text": "one two"},
        {"cachePoint": {"type": "default"}},
        {"type": "text", "text": "three"},
    ]
    turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}]
    assert counter.prompt(PLAIN, Prompt("b", None, turns)) == 5  # be brief, one two, three


def test_lines_of_one_id_in_two_payload_files_are_counted_each_by_its_own_text(words):
    counter = Counter(words)
    assert counter.prompt(PLAIN, Prompt("1", "one two", None)) == 2
    assert counter.prompt(PLAIN, Prompt("1", "one two three", None)) == 3
    assert counter.prompt(PLAIN, Prompt("1", None, [{"role": "user", "content": "one"}])) == 1
    assert counter.prompt(PLAIN, Prompt("1", "one two", None)) == 2


def test_a_targets_system_text_is_sent_and_so_it_counts(words):
    counter, hello, turn = Counter(words), Prompt("1", "Hello there", None), [{"role": "user", "content": "Hello"}]
    assert counter.prompt(BRIEF, hello) == 5  # You are brief. + Hello there
    assert counter.prompt(PLAIN, hello) == 2  # the same tokenizer, another target
    assert counter.prompt(BRIEF, Prompt("1", None, turn)) == 4


def test_a_services_zero_is_no_count_of_what_there_was(words):
    counter, prompt = Counter(words), Prompt("1", "one two", None)
    said = ParsedAnswer(text="three four five", output_chunks=3, prompt_tokens=0, completion_tokens=0)
    counts = token_counts(counter, PLAIN, prompt, said)
    assert (counts["prompt_tokens"], counts["prompt_token_source"]) == (2, "tokenizer")
    assert (counts["completion_tokens"], counts["token_source"]) == (3, "tokenizer")
    nobody = token_counts(None, PLAIN, prompt, said)
    assert (nobody["prompt_tokens"], nobody["prompt_token_source"]) == (None, "none")
    assert (nobody["completion_tokens"], nobody["token_source"]) == (None, "none")


def test_the_zeros_of_an_answer_that_a_guardrail_gave_are_counts(words):
    blocked = ParsedAnswer(
        text="three four", output_chunks=1, prompt_tokens=0, completion_tokens=0, stop_reason="guardrail_intervened"
    )
    counts = token_counts(Counter(words), PLAIN, Prompt("1", "one two", None), blocked)
    assert (counts["prompt_tokens"], counts["prompt_token_source"]) == (0, "service")
    assert (counts["completion_tokens"], counts["token_source"]) == (0, "service")


def test_a_prompt_that_was_all_in_the_cache_and_an_embedding_have_counts_of_zero():
    prompt = Prompt("1", "one two", None)
    cached = token_counts(
        None, PLAIN, prompt, ParsedAnswer(text="x", prompt_tokens=0, completion_tokens=1, cache_read_tokens=500)
    )
    assert (cached["prompt_tokens"], cached["prompt_token_source"]) == (0, "service")
    embedding = token_counts(None, PLAIN, prompt, ParsedAnswer(prompt_tokens=2, completion_tokens=0))
    assert (embedding["completion_tokens"], embedding["token_source"]) == (0, "service")


def test_the_same_texts_are_encoded_once(words):
    counter, encoded = counter_of(words), []
    count = counter.text
    counter.text = lambda text: encoded.append(text) or count(text)
    for _ in range(3):
        assert counter_of(words).prompt(BRIEF, Prompt("1", "Hello there", None)) == 5
    assert encoded == ["You are brief.", "Hello there"]


def test_the_limits_of_a_files_training_neither_cut_nor_pad_what_is_counted(words, tmp_path):
    limited = tokenizers.Tokenizer.from_file(words)
    limited.enable_truncation(4)
    limited.enable_padding(length=4)
    limited.save(str(tmp_path / "limited.json"))
    counter = Counter(str(tmp_path / "limited.json"))
    assert [counter.text("one"), counter.text("one " * 300)] == [1, 300]


def test_a_file_that_is_no_tokenizer_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadInput, match=r"x\.json: not a tokenizer that can be read \("):
        Counter(str(tmp_path / "x.json"))
