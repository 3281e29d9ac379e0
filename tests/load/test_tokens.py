"""Counts by a tokenizer that the scenario names."""

import pytest
import tokenizers

from locustfiles.common.payloads import Prompt
from locustfiles.common.tokens import Counter
from locustfiles.common.yaml_file import BadInput


@pytest.fixture
def words(tmp_path) -> str:
    """A tokenizer.json whose tokens are the words."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, "[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return str(tmp_path / "tokenizer.json")


def test_a_prompt_is_counted_by_its_texts_alone(words):
    counter = Counter(words)
    assert counter.text("one two three") == 3
    assert counter.prompt(Prompt("a", "one two", None)) == 2
    parts = [{"type": "text", "text": "one two"}, {"cachePoint": {"type": "default"}}, {"type": "text", "text": "three"}]
    turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}]
    assert counter.prompt(Prompt("b", None, turns)) == 5  # be brief, one two, three
    assert counter.prompt(Prompt("a", "another text of the same id is the same line", None)) == 2


def test_a_file_that_is_no_tokenizer_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadInput, match=r"x\.json: not a tokenizer\.json that can be read"):
        Counter(str(tmp_path / "x.json"))
