"""`python -m scripts.make_payloads synthetic`: a payload file of exact lengths, and its mistakes in one line."""

import json

import pytest

from locustfiles.common.prompts.payloads import load_payload
from scripts.make_payloads.__main__ import main
from tests.helpers import tokenizer_files


def lines_of(tmp_path, capsys, *options: str) -> list[dict]:
    words = tokenizer_files.words(tmp_path / "t.json")
    out = tmp_path / "made.jsonl"
    assert main(["synthetic", "--tokenizer", words, "--out", str(out), *options]) == 0
    assert f"{out}: " in capsys.readouterr().out
    assert len(load_payload(out)) == len(out.read_text().splitlines())
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_each_prompt_has_its_length_and_asks_for_an_answer_of_another(tmp_path, capsys):
    spread = "{distribution: uniform, low: 5, high: 30}"
    lines = lines_of(tmp_path, capsys, "--prompt-tokens", spread, "--completion-tokens", "9", "--count", "40")
    assert all(line["prompt_tokens"] == len(line["prompt"].split()) for line in lines)
    assert {line["parameters"]["max_tokens"] for line in lines} == {9}
    assert len({line["prompt_tokens"] for line in lines}) > 10 and len(lines) == 40
    assert lines == lines_of(tmp_path, capsys, "--prompt-tokens", spread, "--completion-tokens", "9", "--count", "40")
    assert lines != lines_of(tmp_path, capsys, "--prompt-tokens", spread, "--seed", "1", "--count", "40")


def test_a_traces_lengths_in_their_order(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("timestamp,prompt_tokens,completion_tokens\n0,12,3\n1,,4\n2,7,\n")
    lines = lines_of(tmp_path, capsys, "--trace", str(tmp_path / "t.csv"))
    assert [(line["prompt_tokens"], line.get("parameters")) for line in lines] == [(12, {"max_tokens": 3}), (7, None)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--prompt-tokens, --trace: needs exactly one of `prompt_tokens` and `trace`; see --help"),
        (("--prompt-tokens", "many"), "--prompt-tokens: Input should be a valid integer; see --help"),
        (("--prompt-tokens", "{distribution: normal}"), "--prompt-tokens: normal needs `mean` and `deviation`; add them; see --help"),
        (("--prompt-tokens", "5", "--count", "0"), "--count: Input should be greater than or equal to 1; see --help"),
        (("--trace", "none.csv"), "none.csv: cannot be read (No such file or directory); check the path"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_with_the_remedy(tmp_path, capsys, options, message):
    words = tokenizer_files.words(tmp_path / "t.json")
    assert main(["synthetic", "--tokenizer", words, "--out", str(tmp_path / "o.jsonl"), *options]) == 1
    assert capsys.readouterr().err.strip().endswith(message) and not (tmp_path / "o.jsonl").exists()
