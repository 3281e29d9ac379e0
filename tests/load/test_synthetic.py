"""Synthetic payloads: lengths by their distribution, texts exactly so long by the tokenizer, the same from the same seed."""

import dataclasses
import json
import random
import statistics

import pytest

from locustfiles.common.planning.inputs import load_inputs
from locustfiles.common.prompts.made_text import TextMaker
from locustfiles.common.prompts.synthetic import made_lines
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.synthetic import Lengths
from tests.helpers import tokenizer_files
from tests.load.test_inputs import BOTH, TGI, make, said

SPREADS = {
    "uniform": {"low": 10, "high": 30},
    "normal": {"mean": 20, "deviation": 5, "low": 12, "high": 40},
    "lognormal": {"mean": 20, "deviation": 10, "high": 200},
}


@pytest.mark.parametrize("kind", SPREADS)
def test_lengths_have_the_mean_and_the_bounds_that_are_asked_for(kind):
    lengths = Lengths(distribution=kind, **SPREADS[kind])
    drawn = [lengths.draw(random.Random(f"{kind}/{i}")) for i in range(4000)]
    # each has a mean of 20; cut at 12, 1.6 deviations below it, the normal one gains 5 x 0.111 / 0.945 = 0.59. A deviation of 10
    # puts the mean of 4000 within 0.16 in 68 % of all cases
    assert statistics.fmean(drawn) == pytest.approx(20.6 if kind == "normal" else 20, abs=0.7)
    assert min(drawn) >= SPREADS[kind].get("low", 1) and max(drawn) <= SPREADS[kind]["high"]
    assert len(set(drawn)) > 10


@pytest.mark.parametrize("tokenizer", ["words", "characters", "qwen", "deepseek", "llama3"])
def test_a_text_has_exactly_the_tokens_that_are_asked_for(tokenizer, tmp_path):
    made = (
        getattr(tokenizer_files, tokenizer)(tmp_path / "t.json") if tokenizer in ("words", "characters") else tokenizer
    )
    counter, draw = Counter(made), random.Random(1)
    maker = TextMaker(counter.text)
    lengths = [1, 2, 3, 7, 50, 333, 2000] if tokenizer != "characters" else [7, 50, 333]
    texts = [maker.text(n, draw) for n in lengths]
    assert [counter.text(text) for text, _ in texts] == [found for _, found in texts] == lengths


def test_a_length_that_no_text_has_is_the_nearest_and_said_before_the_run(tmp_path):
    """Where each character is two tokens, odd lengths are not to be had."""
    inputs = load_inputs(synthetic(tmp_path), BOTH)
    assert inputs.inexact_lines == []
    lines = made_lines("made", [(20, None), (31, None), (9, 5)], lambda text: 2 * len(text), "seed")
    assert [abs(line.prompt_tokens - line.asked.prompt_tokens) for line in lines] == [0, 1, 1]
    assert dataclasses.replace(inputs, payloads={"made": lines}).inexact_lines == [
        "synthetic payload `made`: 2 of 3 prompts are not exactly as long as asked, for its tokenizer makes no text of such a length"
    ]


def synthetic(folder, **keys) -> str:
    folder.mkdir(exist_ok=True)
    tokenizer_files.words(folder / "t.json")
    spec = {"prompt_tokens": {"distribution": "uniform", "low": 5, "high": 50}, "completion_tokens": 7, "count": 30}
    return make(folder, TGI | {"tokenizer": "t.json"}, synthetic={"made": spec}, payloads=["made"], **keys)


def test_the_same_seed_makes_the_same_prompts_and_another_one_others(tmp_path):
    first, again, other = (
        load_inputs(synthetic(tmp_path / name, seed=seed), BOTH) for name, seed in zip("abc", (1, 1, 2), strict=True)
    )
    assert first.payloads == again.payloads and first.content == again.content
    assert first.payload_files["made"]["sha256"] != other.payload_files["made"]["sha256"]
    lines = first.payloads["made"]
    assert [line.prompt_tokens for line in lines] == [len(line.text.split()) for line in lines]
    assert {line.parameters["max_tokens"] for line in lines} == {7} == {line.asked.completion_tokens for line in lines}
    assert len({tuple(line.text.split()[:5]) for line in lines}) == 30  # no cache can answer one from another


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"prompt_tokens": 5, "trace": "t.csv"},
            "s.yaml:11: synthetic.made: needs exactly one of `prompt_tokens` and `trace`; mend it",
        ),
        (
            {"prompt_tokens": 0},
            "s.yaml:12: synthetic.made.prompt_tokens: input should be greater than or equal to 1 (got 0); mend it",
        ),
        (
            {"prompt_tokens": {"distribution": "normal", "mean": 5}},
            "s.yaml:12: synthetic.made.prompt_tokens: normal needs `mean` and `deviation`; add them",
        ),
        (
            {"prompt_tokens": {"mean": 5}},
            "s.yaml:12: synthetic.made.prompt_tokens.distribution: missing; add `distribution:`",
        ),
        (
            {"prompt_tokens": 5},
            "s.yaml:1: `synthetic.made` needs a tokenizer to count by; add `tokenizer:` to it, or to target `t`",
        ),
    ],
)
def test_mistakes_are_told_with_their_remedy(tmp_path, keys, message):
    assert said(BadScenario, tmp_path, TGI, synthetic={"made": keys}, payloads=["made"]) == message


def test_one_that_is_sent_nowhere_or_counted_twice_is_refused(tmp_path):
    spec = {"made": {"prompt_tokens": 5}}
    other = TGI | {"name": "u", "tokenizer": "qwen"}
    assert "is in no `payloads`" in said(BadScenario, tmp_path, other, synthetic=spec)
    told = said(BadScenario, tmp_path, TGI | {"tokenizer": "llama3"}, other, synthetic=spec, payloads=["made"])
    assert "targets of different tokenizers (t, u); name the `tokenizer:` that counts" in told


def test_more_text_than_a_process_can_hold_is_refused(tmp_path):
    tokenizer_files.words(tmp_path / "t.json")
    spec = {"made": {"prompt_tokens": 1_000_000, "count": 31, "tokenizer": "t.json"}}
    told = said(BadScenario, tmp_path, TGI, synthetic=spec, payloads=["made"])
    assert "31,000,000 tokens of text, more than 30,000,000; give a smaller `count:`" in told


def test_a_traces_lengths_are_those_of_all_that_is_sent(tmp_path):
    """Each arrival has its own line; a system text of three words and a number of five are in the trace's lengths."""
    tokenizer_files.words(tmp_path / "t.json")
    (tmp_path / "t.csv").write_text("timestamp,prompt_tokens,completion_tokens\n0,40,5\n1,60,6\n2,40,7\n")
    chat = TGI | {"dialect": "openai-chat", "system": "Be very brief", "tokenizer": "t.json"}
    keys = {"synthetic": {"made": {"trace": "t.csv"}}, "payloads": ["made"], "load": {"replay": "t.csv"}}
    for target, alone in (
        (chat, [37, 57, 37]),
        (TGI | {"tokenizer": "t.json", "prefix": {"nonce": "start"}}, [35, 55, 35]),
    ):
        inputs = load_inputs(make(tmp_path, target, **keys), BOTH)
        assert [line.prompt_tokens for line in inputs.payloads["made"]] == alone
        assert inputs.trace_fit("t", "made").off == 0 and inputs.far_replays == []


def test_lines_without_a_count_are_counted_by_the_targets_tokenizer(tmp_path):
    tokenizer_files.words(tmp_path / "t.json")
    (tmp_path / "t.csv").write_text("timestamp,prompt_tokens\n0,2\n1,4\n")
    lines = [json.dumps({"prompt": "two words", "prompt_tokens": 900}), json.dumps({"prompt": "four words are here"})]
    inputs = load_inputs(make(tmp_path, TGI | {"tokenizer": "t.json"}, lines=lines, load={"replay": "t.csv"}), BOTH)
    assert inputs.trace_fit("t", "p").off == 0
    told = said(BadScenario, tmp_path, TGI, lines=lines, load={"replay": "t.csv"})
    assert "add them, or a `tokenizer:` that counts, or remove the column" in told
