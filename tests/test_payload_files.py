"""The payload files that come with the project: lengths, prefixes, ids, variety."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.make_payloads import __main__ as make_payloads
from scripts.make_payloads.tokenizer import TokenizerUnavailable, load_tokenizer, read_gguf_header, weights_path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "payloads"
BUCKETS = {  # file: (minimum, maximum, least number of prompts); minimum <= tokens < maximum
    "payload_en_1-500": (1, 500, 100),
    "payload_en_500-1000": (500, 1000, 100),
    "payload_en_1000-2000": (1000, 2000, 100),
    "payload_en_2000-3000": (2000, 3000, 100),
    "payload_en_3000-3840": (3000, 3840, 100),
    "payload_en_demo": (20, 61, 60),
}
# llama.cpp itself, in a process of its own: no thread of it is left in the process that runs the tests.
ASK_LLAMA_CPP = """
import json, sys, urllib.request
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, texts = json.load(sys.stdin)
params.hostnames, params.port, params.n_ctx, params.n_parallel = ["127.0.0.1"], 0, 256, 1
params.verbosity, params.warmup, params.fit_params = -1, False, False
server = xllamacpp.Server(params)
answers = []
for text in texts:
    body = json.dumps({"content": text, "add_special": True, "parse_special": True}).encode()
    request = urllib.request.Request(server.listening_address + "/tokenize", body, {"Content-Type": "application/json"})
    answers.append(json.load(urllib.request.urlopen(request, timeout=10))["tokens"])
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer()


def read_lines(stem):
    return [json.loads(line) for line in (FOLDER / f"{stem}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("stem", BUCKETS)
def test_every_prompt_has_the_tokens_it_claims_and_lies_in_its_bucket(stem, tokenizer):
    minimum, maximum, least = BUCKETS[stem]
    lines = read_lines(stem)
    assert len(lines) >= least
    for line in lines:
        assert set(line) == {"id", "prompt", "prompt_tokens"}
        assert len(tokenizer.encode(line["prompt"]).ids) == line["prompt_tokens"], line["id"]
        assert minimum <= line["prompt_tokens"] < maximum, line["id"]


@pytest.mark.parametrize("stem", BUCKETS)
def test_no_two_prompts_of_a_file_share_their_first_32_tokens_nor_even_16(stem, tokenizer):
    prompts = [tokenizer.encode(line["prompt"]).ids for line in read_lines(stem)]
    for length in (32, 16):
        assert len({tuple(tokens[:length]) for tokens in prompts}) == len(prompts)


@pytest.mark.parametrize("stem", BUCKETS)
def test_ids_are_unique_and_no_prompt_is_repeated(stem):
    lines = read_lines(stem)
    assert len({line["id"] for line in lines}) == len(lines)
    assert len({line["prompt"] for line in lines}) == len(lines)


@pytest.mark.parametrize("stem", [stem for stem in BUCKETS if "demo" not in stem])
def test_lengths_spread_over_the_bucket_instead_of_crowding_at_one_end(stem):
    minimum, maximum, _ = BUCKETS[stem]
    counts = [line["prompt_tokens"] for line in read_lines(stem)]
    width = maximum - minimum
    assert min(counts) < minimum + 0.2 * width and max(counts) > maximum - 0.1 * width
    assert abs(sum(counts) / len(counts) - (minimum + maximum) / 2) < 0.1 * width


def test_a_long_prompt_holds_passages_of_several_kinds_and_ends_in_a_question():
    for line in read_lines("payload_en_3000-3840"):
        *passages, question = line["prompt"].split("\n\n")
        assert len(passages) >= 5
        assert question.startswith("Question: ") and question.endswith("\nAnswer:") and "?" in question
        assert "{" not in line["prompt"] and "  " not in line["prompt"]


def test_the_files_stay_together_under_four_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.jsonl")) < 4_000_000


def test_running_the_script_again_gives_the_same_bytes(tmp_path):
    sample = ["payload_en_demo", "payload_en_1-500", "payload_en_500-1000"]
    command = [sys.executable, "-m", "scripts.make_payloads", "--out", str(tmp_path)]
    command += [word for stem in sample for word in ("--only", stem)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    for stem in sample:
        assert (tmp_path / f"{stem}.jsonl").read_bytes() == (FOLDER / f"{stem}.jsonl").read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


def test_another_seed_gives_other_prompts(tokenizer):
    demo = make_payloads.FILES[0]
    ours = {line["prompt"] for line in read_lines("payload_en_demo")}
    other = {line["prompt"] for line in make_payloads.make_lines(demo, 8, tokenizer)}
    assert len(ours & other) < 0.1 * len(ours)


def test_the_readme_gives_every_file_with_its_real_counts():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in FOLDER.glob("*.jsonl"):
        counts = [line["prompt_tokens"] for line in read_lines(path.stem)]
        mean = f"{sum(counts) / len(counts):.0f}"
        assert f"| {path.name} | {len(counts)} | {min(counts)} | {mean} | {max(counts)} |" in readme


def test_our_tokenizer_agrees_with_llama_cpp_token_by_token(tokenizer):
    draw = random.Random(5)
    alphabet = "abcXYZ 0123456789  \n\t.,;:'\"!?-_()éüß日本語😀½²٣\u00a0\u200b\rsS’t"
    texts = ["In 2024, we'll see it's  fine\n\n\tat a café", "  lead", "trail   ", "a\n \n b", "DON'T we'LL", "½ ² Ⅷ"]
    texts += ["<|im_start|>user\nHello<|im_end|>\n", "price 1,000.50$ — “quoted”", "x" * 70, "x = {'a': [1, 22, 333]}"]
    texts += ["".join(draw.choice(alphabet) for _ in range(60)) for _ in range(50)]
    texts += [line["prompt"] for stem in BUCKETS for line in read_lines(stem)[:10]]
    assert len(texts) >= 50
    answer = subprocess.run(
        [sys.executable, "-c", ASK_LLAMA_CPP],
        input=json.dumps([str(weights_path()), texts]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for text, theirs in zip(texts, json.loads(answer.stdout.splitlines()[-1]), strict=True):
        assert tokenizer.encode(text).ids == theirs, text[:80]


def test_each_digit_is_a_token_of_its_own(tokenizer):
    assert [token.strip("Ġ") for token in tokenizer.encode("a2024").tokens] == ["a", "2", "0", "2", "4"]


def test_the_saved_tokenizer_json_counts_like_the_built_one(tmp_path, tokenizer):
    from tokenizers import Tokenizer

    path = tmp_path / "tokenizer.json"
    command = [sys.executable, "-m", "scripts.make_payloads.tokenizer", "--save", str(path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    saved = Tokenizer.from_file(str(path))
    for line in read_lines("payload_en_demo")[:20]:
        ids = saved.encode(line["prompt"]).ids
        assert len(ids) == line["prompt_tokens"]
        assert saved.decode(ids) == line["prompt"]


def test_a_file_that_is_no_gguf_is_refused_in_one_line(tmp_path):
    path = tmp_path / "weights.gguf"
    path.write_bytes(b"PK\x03\x04 not a model")
    with pytest.raises(TokenizerUnavailable, match="not a GGUF file"):
        read_gguf_header(path)
    command = [sys.executable, "-m", "scripts.make_payloads.tokenizer", "--count", "x", "--gguf", str(path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1 and str(path) in answer.stderr
