"""Payload files: the kinds of line, the order in which prompts are drawn, and what is refused."""

import itertools
import json

import pytest

from locustfiles.common.prompts.payloads import BadPayload, Draws, Prompt, load_payload
from locustfiles.contract.bad_input import BadInput

GOOD = '{"prompt": "Hello"}'


def write(tmp_path, *lines: str):
    path = tmp_path / "p.jsonl"
    path.write_bytes("\n".join(lines).encode())
    return path


def test_the_three_kinds_of_line_become_prompts(tmp_path):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    ]
    path = write(
        tmp_path,
        '{"id": "a", "prompt": "Hello", "prompt_tokens": 7, "parameters": {"max_tokens": 5}, "ground_truth": "x"}',
        "",
        '{"inputs": "Bonjour é"}',
        json.dumps({"id": 12, "messages": messages}),
    )
    assert load_payload(path) == [
        Prompt("a", "Hello", None, 7, {"max_tokens": 5}),
        Prompt("3", "Bonjour é", None, None, {}),  # without an id: its line number, the blank line counted
        Prompt("12", None, messages, None, {}),
    ]


def test_a_byte_order_mark_windows_line_ends_and_a_missing_last_newline_are_fine(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"prompt": "a"}\r\n  \r\n{"prompt": "b"}')
    assert [(p.id, p.text) for p in load_payload(path)] == [("1", "a"), ("3", "b")]


def test_a_line_separator_inside_a_text_does_not_split_the_line(tmp_path):
    assert load_payload(write(tmp_path, '{"prompt": "a\u2028b\x85c"}'))[0].text == "a\u2028b\x85c"


BAD_LINES = {
    "{'prompt': 'a'}": "not valid JSON",
    '{"prompt": "a"': "not valid JSON",
    '{"prompt": NaN}': "not valid JSON",
    '{"prompt": "a", "prompt_tokens": ' + "9" * 5000 + "}": "not valid JSON",
    "[" * 100_000: "not valid JSON",
    '"prompt"': "not a JSON object",
    "[]": "not a JSON object",
    "{}": "no prompt text",
    '{"id": "x"}': "no prompt text",
    '{"prompt": "  "}': "`prompt` is empty",
    '{"inputs": ""}': "`inputs` is empty",
    '{"prompt": 5}': "`prompt` must be a text",
    '{"prompt": null}': "`prompt` must be a text",
    '{"prompt": "a", "inputs": "b"}': "both `prompt` and `inputs`",
    '{"prompt": "a", "messages": []}': "both `prompt` and `messages`",
    '{"promt": "a"}': "unknown key `promt`",
    '{"prompt": "a", "id": ""}': "`id` must be",
    '{"prompt": "a", "id": true}': "`id` must be",
    '{"prompt": "a", "id": 1.5}': "`id` must be",
    '{"prompt": "a", "prompt_tokens": 0}': "`prompt_tokens` must be",
    '{"prompt": "a", "prompt_tokens": "5"}': "`prompt_tokens` must be",
    '{"prompt": "a", "prompt_tokens": true}': "`prompt_tokens` must be",
    '{"prompt": "a", "parameters": []}': "`parameters` must be",
    '{"prompt": "a", "parameters": {"max_tokens": "5"}}': "`parameters.max_tokens` must be",
    '{"prompt": "a", "parameters": {"max_tokens": 0}}': "`parameters.max_tokens` must be",
    '{"prompt": "a", "parameters": {"temperature": "hot"}}': "`parameters.temperature` must be",
    '{"prompt": "a", "parameters": {"stop": [1]}}': "`parameters.stop` must be",
    '{"prompt": "\\ud83d"}': "half a surrogate pair",
    '{"messages": []}': "`messages` must be a list",
    '{"messages": "a"}': "`messages` must be a list",
    '{"messages": ["a"]}': "`messages[0]` must have",
    '{"messages": [{"role": "user"}]}': "`messages[0]` must have",
    '{"messages": [{"role": "user", "content": "a", "nom": "b"}]}': "`messages[0]` has an unknown key `nom`",
    '{"messages": [{"role": "bot", "content": "a"}]}': "`messages[0].role` must be one of",
    '{"messages": [{"role": [], "content": "a"}]}': "`messages[0].role` must be one of",
    '{"messages": [{"role": "user", "content": ""}]}': "`messages[0].content` is empty",
    '{"messages": [{"role": "user", "content": []}]}': "`messages[0].content` is empty",
    '{"messages": [{"role": "user", "content": [{"type": "picture"}]}]}': "`messages[0].content` takes",
    '{"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}': "`messages[0].content` is empty",
    '{"messages": [{"role": "system", "content": "a"}]}': "`messages` has no message of role user",
}


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: line[:50])
def test_a_malformed_line_is_named_with_file_and_number(tmp_path, line):
    path = write(tmp_path, GOOD, line)
    with pytest.raises(BadPayload) as caught:
        load_payload(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:2: {BAD_LINES[line]}")
    assert "\n" not in message and len(message) < 300
    assert isinstance(caught.value, BadInput)


def test_ids_stand_once(tmp_path):
    path = write(tmp_path, '{"id": "2", "prompt": "a"}', GOOD)  # the second line's own id is its number, 2
    with pytest.raises(BadPayload, match=r"p.jsonl:2: id `2` is also that of line 1"):
        load_payload(path)


def test_an_empty_file_a_missing_file_and_one_that_is_not_utf_8_are_named(tmp_path):
    with pytest.raises(BadPayload, match="p.jsonl: no prompt in it"):
        load_payload(write(tmp_path, "", "  "))
    with pytest.raises(BadPayload, match="nowhere.jsonl: cannot be read .*; check the path"):
        load_payload(tmp_path / "nowhere.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "a"}\n{"prompt": "\xe9"}')
    with pytest.raises(BadPayload, match="latin.jsonl:2: not UTF-8"):
        load_payload(tmp_path / "latin.jsonl")


PROMPTS = [Prompt(str(i), f"text {i}", None) for i in range(10)]


def drawn(seed_text: str, count: int) -> list[str]:
    return [p.id for p in itertools.islice(Draws(PROMPTS, seed_text), count)]


def test_no_prompt_repeats_until_all_were_drawn():
    ids = drawn("run 0 worker a user 1", 30)
    rounds = [ids[0:10], ids[10:20], ids[20:30]]
    assert all(sorted(r, key=int) == [p.id for p in PROMPTS] for r in rounds)
    assert rounds[0] != rounds[1] != rounds[2]


def test_draws_are_the_same_for_one_seed_text_and_differ_between_users_and_workers():
    assert drawn("0 a 1", 20) == drawn("0 a 1", 20)
    assert len({tuple(drawn(text, 10)) for text in ("0 a 1", "0 a 2", "0 b 1", "1 a 1")}) == 4


def test_drawing_leaves_the_callers_list_as_it_was():
    before = list(PROMPTS)
    drawn("x", 25)
    assert PROMPTS == before


def test_nothing_to_draw_from_is_refused():
    with pytest.raises(ValueError, match="no prompts"):
        Draws([], "x")
