"""Prefixes: what is sent before each prompt, counted exactly, with a number that never comes twice, and what a cache is asked for."""

import json
import re

import pytest

from locustfiles.common.dialects.request import build
from locustfiles.common.planning.inputs import load_inputs
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.stage_asked import CacheAsked
from tests.helpers import tokenizer_files
from tests.load.test_inputs import make, said

ALL = ("bedrock", "sagemaker", "openai")
CLAUDE = {
    "name": "k",
    "service": "bedrock",
    "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
    "parameters": {"max_tokens": 5},
}
CHAT = {
    "name": "o",
    "service": "openai",
    "base_url": "http://127.0.0.1:1/v1",
    "model_id": "m",
    "price": {"usd_per_hour": 1},
}
TGI = {"name": "t", "service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": "ml.x"}
MESSAGES = CHAT | {"dialect": "anthropic-messages", "parameters": {"max_tokens": 5}}
INVOKE = CLAUDE | {"api": "invoke"}
NUMBER = r"\d{3}( \d{3}){4}"
TURNS = json.dumps(
    {
        "id": "chat",
        "messages": [
            {"role": "user", "content": "How are you?"},
            {"role": "assistant", "content": "Well."},
            {"role": "user", "content": "Why?"},
        ],
    }
)


def sent(tmp_path, target: dict, prefix: dict, lines=('{"prompt": "three words here"}',), times: int = 1, **keys):
    """(inputs, the bodies of a line's requests)."""
    tokenizer_files.words(tmp_path / "t.json")
    target = target | {"tokenizer": "t.json", "prefix": prefix}
    inputs = load_inputs(make(tmp_path, target, lines=lines, **keys), ALL)
    [found] = inputs.scenario.targets
    dressed = [inputs.sent(found, "p", inputs.payloads["p"][0]) for _ in range(times)]
    return inputs, dressed, [json.loads(build(found, prompt).body) for prompt in dressed]


def test_a_text_of_exactly_so_many_tokens_stands_before_a_number_that_never_comes_twice(tmp_path):
    inputs, dressed, bodies = sent(tmp_path, TGI, {"shared_tokens": 100}, times=200)
    parts = [body["inputs"].split("\n\n") for body in bodies]
    assert {(len(text.split()), rest) for text, _, rest in parts} == {(100, "three words here")}
    assert len({text for text, _, _ in parts}) == 1 and len({number for _, number, _ in parts}) == 200
    assert all(re.fullmatch(NUMBER, number) for _, number, _ in parts)
    # 100 words, a number of five and three words
    counter, [target] = Counter(str(tmp_path / "t.json")), inputs.scenario.targets
    assert {prompt.asked.counted for prompt in dressed} == {108} == {counter.anew(target, prompt) for prompt in dressed}
    assert inputs.cache_asked("t", "p") is None


def test_a_number_at_the_start_leaves_nothing_that_two_requests_share(tmp_path):
    _, _, bodies = sent(tmp_path, TGI, {"shared_tokens": 10, "nonce": "start"}, times=2)
    assert all(re.match(NUMBER + "\n\n(\\w+ ){9}\\w+\n\nthree words here$", body["inputs"]) for body in bodies)
    _, _, alone = sent(tmp_path, TGI, {"nonce": "start"}, times=2)
    assert all(re.fullmatch(NUMBER + "\n\nthree words here", body["inputs"]) for body in alone)


def test_several_prefixes_are_all_sent(tmp_path):
    _, _, bodies = sent(tmp_path, TGI, {"shared_tokens": 50, "prefixes": 4}, times=100)
    texts = {body["inputs"].split("\n\n")[0] for body in bodies}
    assert len(texts) == 4 and {len(text.split()) for text in texts} == {50}


@pytest.mark.parametrize(("point", "ttl"), [("5m", {}), ("1h", {"ttl": "1h"})])
def test_a_cache_point_stands_between_the_prefix_and_the_number(tmp_path, point, ttl):
    asked = {"shared_tokens": 20, "cache_point": point}
    inputs, _, [body] = sent(tmp_path, CLAUDE, asked)
    before, mark, behind = body["messages"][0]["content"]
    assert mark == {"cachePoint": {"type": "default"} | ttl}
    assert len(before["text"].split()) == 20 and re.fullmatch(NUMBER + "\n\nthree words here", behind["text"])
    # 20 of 28 words
    assert inputs.cache_asked("k", "p") == CacheAsked(20 / 28, 0.0)
    for target in (INVOKE, MESSAGES):
        _, _, [body] = sent(tmp_path, target, asked)
        before, behind = body["messages"][0]["content"]
        assert before["cache_control"] == {"type": "ephemeral"} | ttl and "cache_control" not in behind


@pytest.mark.parametrize(("target", "point"), [(CLAUDE, "5m"), (CHAT, "automatic")])
def test_the_first_message_of_a_chat_has_the_prefix(tmp_path, target, point):
    _, _, [body] = sent(tmp_path, target, {"shared_tokens": 20, "cache_point": point}, lines=(TURNS,))
    first, *others = body["messages"]
    texts = first["content"] if isinstance(first["content"], str) else first["content"][-1]["text"]
    assert texts.endswith("\n\nHow are you?") and len(others) == 2 and "\n\n" not in json.dumps(others)


def test_what_a_cache_is_asked_for_is_the_share_of_prefix_and_system_text(tmp_path):
    lines = [json.dumps({"prompt": "w " * n}) for n in (5, 15)]  # 10 on average, with the number 15
    share = {"share": 0.8, "cache_point": "automatic"}
    inputs, _, [body] = sent(tmp_path, CHAT | {"system": "Be brief"}, share, lines=lines)
    # 0.8 / 0.2 x 15 = 60 words, two of them the system's; whole blocks of 128 tokens may take up to 128 / 75
    assert len(body["messages"][1]["content"].split("\n\n")[0].split()) == 58
    assert inputs.cache_asked("o", "p") == CacheAsked(0.8, pytest.approx(128 / 75))
    cold, _, _ = sent(tmp_path, CLAUDE, {"shared_tokens": 20, "nonce": "start", "cache_point": "5m"})
    assert cold.cache_asked("k", "p") == CacheAsked(0.0, 0.0)


def test_a_cached_system_text_asks_for_its_share_where_it_can_be_counted(tmp_path):
    tokenizer_files.words(tmp_path / "t.json")
    system = CLAUDE | {"system": "w " * 30, "cache_system": True}
    lines = [json.dumps({"prompt": "w " * n}) for n in (5, 15)]
    asked = []
    for more in ({"tokenizer": "t.json"}, {}, {"tokenizer": "t.json", "cache_system": False}):
        asked.append(load_inputs(make(tmp_path, system | more, lines=lines), ALL).cache_asked("k", "p"))
    assert asked == [CacheAsked(30 / 40, 0.0), None, None]
    cached = [{"type": "text", "text": "w"}, {"cachePoint": {"type": "default"}}, {"type": "text", "text": "w"}]
    lines.append(json.dumps({"messages": [{"role": "user", "content": cached}]}))  # which caches more than that
    assert load_inputs(make(tmp_path, system | {"tokenizer": "t.json"}, lines=lines), ALL).cache_asked("k", "p") is None


def test_a_text_of_ones_own_needs_no_tokenizer(tmp_path):
    (tmp_path / "own.txt").write_text("x" * 182 + "\n")
    keys = {"prefix": {"file": "own.txt", "cache_point": "5m"}}
    inputs = load_inputs(make(tmp_path, CLAUDE, lines=('{"prompt": "' + "y" * 20 + '"}',), **keys), ALL)
    # of characters: 182 of 182 + 21 (the number and two breaks) + 20
    assert inputs.cache_asked("k", "p") == CacheAsked(pytest.approx(182 / 223), 0.0)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/own.txt").write_text("z" * 182)
    other = load_inputs(make(tmp_path / "other", CLAUDE, lines=('{"prompt": "' + "y" * 20 + '"}',), **keys), ALL)
    assert other.content != inputs.content  # a worker with another file is refused


@pytest.mark.parametrize(
    ("target", "prefix", "message"),
    [
        (CLAUDE, {"shared_tokens": 5, "share": 0.5}, "`shared_tokens` and `share` both say what the prefix is; keep one"),
        (CLAUDE, {"cache_point": "5m"}, "says no prefix; add one of `shared_tokens`, `share` and `file`, or `nonce: start`"),
        (CLAUDE, {"nonce": "start", "cache_point": "5m"}, "has nothing to cache; add one of"),
        (CLAUDE, {"file": "own.txt", "prefixes": 2}, "`file` is one prefix; remove `prefixes`"),
        (CLAUDE, {"file": "none.txt"}, "file `none.txt` not found; give its path"),
        (CLAUDE, {"shared_tokens": 5}, "target `k`: `prefix` needs a tokenizer to be made by; add `tokenizer:`, or give a text"),
        (TGI, {"file": "own.txt", "cache_point": "1h"}, "target `t`: tgi takes no cache points; write `cache_point: automatic`"),
        (CLAUDE | {"system": "s"}, {"nonce": "start"}, "`prefix` with `nonce: start` stands before everything, and so does `system`"),
        (CLAUDE | {"system": "s", "cache_system": True}, {"file": "own.txt", "cache_point": "5m"}, "each set a cache point; keep one"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_remedy(tmp_path, target, prefix, message):
    (tmp_path / "own.txt").write_text("A prefix.")
    assert message in said(BadScenario, tmp_path, target, services=ALL, prefix=prefix)


def test_a_trace_with_prompt_lengths_takes_no_shared_prefix(tmp_path):
    (tmp_path / "own.txt").write_text("A prefix.")
    (tmp_path / "t.csv").write_text("timestamp,prompt_tokens\n0,4\n1,4\n")
    keys = {
        "lines": ['{"prompt": "x", "prompt_tokens": 4}'],
        "load": {"replay": "t.csv"},
        "prefix": {"file": "own.txt"},
    }
    assert "which a shared prefix would add to; keep `nonce: start` alone in the `prefix` of target `t`" in said(
        BadScenario, tmp_path, TGI, **keys
    )
