"""Prompt caches without cache points: prompts that begin alike share their whole blocks, and what is read needs no prefill."""

import pytest

from tests.helpers import folders, openai_wire, raw_wire, tokenizer_files
from tests.helpers.emulator_process import running_emulator

N = 3
HELD = 20


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    words = tokenizer_files.words(tmp_path_factory.mktemp("tokenizer") / "t.json")
    exact = {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 5000, "seed": 1}
    slow = {
        "kind": "simulated",
        "prefill_tokens_per_second": 1000,
        "decode_base_ms": 1,
        "decode_per_sequence_ms": 0,
        "batch_limit": 8,
    }
    config = {
        "engines": {
            "characters": exact,
            "words": exact | {"tokenizer": words},
            "slow": slow | {"tokenizer": words},
            "short": exact | {"output": {"distribution": "fixed", "tokens": 5}},
        },
        "openai": {
            name: {"engine": name, "caches_prompts": True, "cache_minimum_tokens": 256}
            for name in ("characters", "words", "slow")
        },
        "models": {"cached.claude": {"engine": "words", "family": "claude", "cache_minimum_tokens": 8}},
        "endpoints": {"lmi": {"engine": "short", "dialect": "lmi"}, "chat": {"engine": "short", "dialect": "openai-chat"}},
    }  # fmt: skip
    with running_emulator(config, truth=tmp_path_factory.mktemp("truth") / "truth.jsonl") as e:
        yield e


def asked(endpoint, model: str, prompt: str) -> tuple[int, int]:
    """(read, written) of a prompt."""
    body = {"model": model, "prompt": prompt, "max_tokens": N}
    usage = openai_wire.ask(endpoint.url, openai_wire.COMPLETIONS, body).json()["usage"]
    details = usage["prompt_tokens_details"]
    return details["cached_tokens"], details["cache_write_tokens"]


@pytest.mark.parametrize(("model", "token"), [("characters", "abc "), ("words", "abc ")])
def test_a_shared_beginning_is_read_and_the_rest_is_written(endpoint, model, token):
    """A token is a word, or four characters. 700 shared ones are five whole blocks of 128 and part of a sixth."""
    shared = token * 700
    assert asked(endpoint, model, shared + "xyz " * 100) == (0, 6 * 128)  # 800: six whole blocks
    assert asked(endpoint, model, shared + "uvw " * 100) == (5 * 128, 128)  # the sixth is another one
    assert asked(endpoint, model, shared + "uvw " * 300) == (6 * 128, 128)  # 1,000: seven
    assert asked(endpoint, model, "new " + shared) == (0, 5 * 128)  # 701, another from the first token on
    assert asked(endpoint, model, token * 200) == (0, 0)  # below the least that is cached


def test_what_a_cache_has_needs_no_prefill(endpoint):
    """1,024 tokens at 1,000 a second take a second, 64 more 64 ms."""
    body = {"model": "slow", "stream": True, "max_tokens": 1}
    times = []
    for end in ("first ", "second "):
        answer = openai_wire.ask(endpoint.url, openai_wire.COMPLETIONS, body | {"prompt": "abc " * 1024 + end * 64})
        name = answer.headers["x-request-id"]
        entry = folders.truth_of(endpoint, {name})[name]
        times.append(entry["first_token"] - entry["arrival"])
    assert times[0] > 1.08 and 0.06 < times[1] < times[0] / 2


def test_a_cache_point_counts_by_the_engines_own_tokenizer(endpoint):
    content = [{"text": "abc " * 30}, {"cachePoint": {"type": "default"}}, {"text": "and more"}]
    body = {"messages": [{"role": "user", "content": content}], "inferenceConfig": {"maxTokens": N}}
    usages = [raw_wire.send(endpoint.url, "Converse", "cached.claude", body).json()["usage"] for _ in range(2)]
    assert [(u["inputTokens"], u["cacheReadInputTokens"], u["cacheWriteInputTokens"]) for u in usages] == [
        (2, 0, 30),
        (2, 30, 0),
    ]


@pytest.mark.parametrize("held", [{"min_tokens": HELD}, {"ignore_eos": True}, {"ignore_eos_token": True}])
def test_lmi_holds_an_answers_length(endpoint, held):
    """The engine would stop after five tokens."""
    parameters = {"max_new_tokens": HELD, "details": True}
    bodies = [{"inputs": "Hello", "parameters": parameters | more} for more in ({}, held)]
    answers = [raw_wire.send(endpoint.url, "InvokeEndpoint", "lmi", body).json() for body in bodies]
    assert [a["details"]["generated_tokens"] for a in answers] == [5, HELD]
