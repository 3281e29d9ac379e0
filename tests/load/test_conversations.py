"""Conversations in payload files: what a turn may be, and what is refused with its place and the remedy."""

import json
import random
import statistics

import pytest

from locustfiles.common.prompts.conversations import ToolResult, Turn
from locustfiles.common.prompts.payloads import BadPayload, load_payload
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.sessions import Think
from tests.helpers.spoken_sessions import conversation

PICTURE = [{"type": "text", "text": "What is it?"}, {"cachePoint": {"type": "default"}}]
TOOL = {"name": "weather", "content": "12 degrees", "input": {"city": "Oslo"}}


def load(tmp_path, text: str):
    (tmp_path / "p.jsonl").write_text(text)
    return load_payload(tmp_path / "p.jsonl")


def test_a_line_of_turns_is_a_conversation_and_its_first_turn_a_prompt(tmp_path):
    turns = [
        {"user": "Hello", "assistant": "Hi."},
        {"user": PICTURE, "think_s": 2.5, "parameters": {"max_tokens": 9}},
        {"tool": TOOL},
    ]
    line = {"turns": turns, "system": "Be brief.", "prompt_tokens": 8, "parameters": {"max_tokens": 5, "top_p": 0.9}}
    [prompt] = load(tmp_path, json.dumps(line))
    own = {"max_tokens": 5, "top_p": 0.9}
    assert prompt.turns == (
        Turn("Hello", answer="Hi.", parameters=own),
        Turn(PICTURE, think_s=2.5, parameters={"max_tokens": 9, "top_p": 0.9}),
        Turn(None, (ToolResult("weather", "12 degrees", {"city": "Oslo"}),), parameters=own),
    )
    system, hello = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}
    assert (prompt.text, prompt.messages, prompt.prompt_tokens, prompt.parameters) == (None, [system, hello], 8, own)


def test_a_turn_by_itself_and_all_that_the_user_has_said_so_far():
    prompt = conversation({"user": "One"}, {"user": "Two"}, {"user": "Three"}, system="Be brief.", prompt_tokens=4)
    assert [prompt.turn(n).texts for n in (1, 2, 3)] == [["Be brief.", t] for t in ("One", "Two", "Three")]
    assert prompt.so_far(3).texts == ["Be brief.", "One", "Two", "Three"]
    assert prompt.so_far(3, [2]).texts == ["Be brief.", "One", "Three"]
    assert [prompt.turn(n).prompt_tokens for n in (1, 2)] == [4, None]  # what the line says is of its first turn
    assert [len(p.requests) for p in (prompt, prompt.turn(1))] == [3, 3]


def test_a_cache_point_of_an_earlier_turn_is_seen_in_later_ones():
    prompt = conversation({"user": PICTURE}, {"user": "Two"})
    assert (prompt.turn(2).cached, prompt.so_far(2).cached) == (False, True)


BAD = {
    '"turns": []': "`turns` must be a list",
    '"turns": ["Hi"]': "`turns[0]` must be an object with `user` or `tool`",
    '"turns": [{"assistant": "Hi"}]': "`turns[0]` must be an object with `user` or `tool`",
    '"turns": [{"user": "Hi", "tool": {"name": "a", "content": "b"}}]': "`turns[0]` must be an object with `user` or `tool`",
    '"turns": [{"user": "Hi"}, {"user": "Hi", "pause": 3}]': "unknown key `turns[1].pause`; known are user, tool",
    '"turns": [{"user": " "}]': "`turns[0].user` is empty",
    '"turns": [{"user": []}]': "`turns[0].user` is empty",
    '"turns": [{"user": [{"type": "sound"}]}]': "`turns[0].user` takes a text or parts",
    '"turns": [{"user": "Hi", "assistant": 3}]': "`turns[0].assistant` must be the recorded answer's text",
    '"turns": [{"user": "Hi", "think_s": -1}]': "`turns[0].think_s` must be a number of seconds",
    '"turns": [{"user": "Hi", "think_s": true}]': "`turns[0].think_s` must be a number of seconds",
    '"turns": [{"user": "Hi", "parameters": {"max_tokens": 0}}]': "`turns[0]`: `parameters.max_tokens` must be",
    '"turns": [{"tool": {"name": "a", "content": "b"}}]': "`turns[0]` must have `user`",
    '"turns": [{"user": "Hi"}, {"tool": []}]': "`turns[1].tool` is empty",
    '"turns": [{"user": "Hi"}, {"tool": {"name": "a"}}]': "`turns[1].tool` must be like",
    '"turns": [{"user": "Hi"}, {"tool": {"name": "a", "content": "b", "id": "c"}}]': "`turns[1].tool` must be like",
    '"turns": [{"user": "Hi"}, {"tool": {"name": "", "content": "b"}}]': "`turns[1].tool.name` must be",
    '"turns": [{"user": "Hi"}, {"tool": {"name": "a", "content": 3}}]': "`turns[1].tool.content` must be",
    '"turns": [{"user": "Hi"}, {"tool": {"name": "a", "content": "b", "input": "c"}}]': "`turns[1].tool.input` must be",
    '"turns": [{"user": "Hi"}], "prompt": "a"': "both `prompt` and `turns`; keep one",
    '"turns": [{"user": "Hi"}], "system": ""': "`system` is empty",
    '"prompt": "Hi", "system": "Be brief."': "`system` stands beside `turns` alone",
    '"turns": [{"user": "Hi"}], "title": "x"': "unknown key `title`; known are",
    '"turns": ["Write.", "Shorter."], "question_id": 81': "this is a line of MT-bench",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_conversation_is_named_with_file_line_and_what_to_do(tmp_path, text):
    with pytest.raises(BadPayload) as caught:
        load(tmp_path, '{"prompt": "fine"}\n{' + text + "}")
    assert str(caught.value).startswith(f"{tmp_path}/p.jsonl:2: {BAD[text]}")
    assert ";" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("think", "mean_s"),
    [(3, 3.0), ({"low": 1, "high": 4}, 2.5), ({"mean": 4.0, "at_most": 8.0}, 4 * (1 - 0.1353352832))],  # 1 - exp(-2)
)
def test_pauses_are_what_is_written_or_drawn_around_it(think, mean_s):
    load = Load.model_validate({"users": [1], "measure_s": 1, "think_s": 0.5, "sessions": {"think_s": think}})
    pauses, source = load.held.think_s, random.Random(3)
    drawn = [pauses.draw(source) for _ in range(4000)]
    assert pauses.mean_s == pytest.approx(mean_s) == load.pause_s
    # a standard error of the mean is at most 3/sqrt(4000) = 0.05
    assert statistics.fmean(drawn) == pytest.approx(mean_s, abs=0.2)
    assert max(drawn) <= (pauses.high if pauses.high is not None else pauses.at_most)


@pytest.mark.parametrize(
    "think", [{"low": 1}, {"low": 2, "high": 1}, {"mean": 1}, {"low": 1, "high": 2, "mean": 1, "at_most": 2}, {}]
)
def test_half_a_distribution_is_none(think):
    with pytest.raises(ValueError, match="`low`"):
        Think.model_validate(think)
