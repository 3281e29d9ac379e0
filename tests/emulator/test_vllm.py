"""What vLLM takes on OpenAI's routes: roles, parts, prompts of all kinds, several choices, forms of JSON, its other paths."""

import json
import urllib.request

import jsonschema
import pytest

from tests.helpers import openai_wire, raw_wire, tool_calls
from tests.helpers.emulator_process import running_emulator
from tests.helpers.openai_wire import CHAT, COMPLETIONS, values

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}, "w": {"enum": ["a", "b"]}}, "required": ["n", "w"]}
CALL = {"id": "c", "type": "function", "function": {"name": "w", "arguments": '{"a": 1}'}}


@pytest.fixture(scope="module")
def url():
    with running_emulator(tool_calls.CONFIG) as e:
        yield e.url


def _chat(url, messages, **more):
    return openai_wire.ask(url, CHAT, {"model": "sim", "messages": messages, "max_tokens": 4, **more})


def _user(text) -> list[dict]:
    return [{"role": "user", "content": text}]


TAKEN = {
    "developer": [{"role": "developer", "content": "Be brief."}, *_user("Hello")],
    "a call without content": [*_user("?"), {"role": "assistant", "content": None, "tool_calls": [CALL]},
                               {"role": "tool", "tool_call_id": "c", "content": "sunny"}],
    "a call with no word of content": [*_user("?"), {"role": "assistant", "tool_calls": [CALL]},
                                       {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "x"}]}],
    "the assistant first": [{"role": "assistant", "content": "Hi"}],
    "two turns of one": [*_user("a"), *_user("b")],
    "parts": _user([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]),
    "plain parts": _user(["a", "b"]),
    "no text": _user(""),
}  # fmt: skip


@pytest.mark.parametrize("what", TAKEN)
def test_a_conversation_is_taken(url, what):
    answer = _chat(url, TAKEN[what], frobnicate=1, logit_bias=None, user="u", top_k=3, min_p=0.1, stream_options=None)
    assert (answer.status, answer.json()["usage"]["completion_tokens"]) == (200, 4)


REFUSED = {
    "no role": [{"content": "a"}],
    "a role of its own": [{"role": "king", "content": "a"}],
    "no content": [{"role": "user"}],
    "a number": [{"role": "user", "content": 5}],
    "no message": [],
    "a text as a message": ["Hello"],
    "a call of nothing": [*_user("?"), {"role": "assistant", "tool_calls": [{}]}],
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_conversation_is_refused(url, what):
    assert openai_wire.error(_chat(url, REFUSED[what])) == (400, "invalid_request_error", None)


@pytest.mark.parametrize("body", [
    {"n": 0}, {"n": 129}, {"temperature": -1}, {"top_p": 0}, {"max_tokens": 0}, {"stop": [1]}, {"response_format": {"type": "x"}},
    {"guided_json": "{"},
], ids=json.dumps)  # fmt: skip
def test_a_setting_is_refused(url, body):
    assert openai_wire.error(_chat(url, _user("a"), **body)) == (400, "invalid_request_error", None)


def test_max_completion_tokens_goes_before_max_tokens(url):
    answer = _chat(url, _user("a"), max_completion_tokens=2)
    assert answer.json()["usage"]["completion_tokens"] == 2


PROMPTS = {  # a prompt -> choices, prompt tokens: four characters are one
    "a text": ("a harbour", 1, 3),
    "texts": (["a", "another"], 2, 1 + 2),
    "tokens": ([5, 6, 7], 1, 3),
    "lists of tokens": ([[5, 6], [7]], 2, 2 + 1),
}


@pytest.mark.parametrize("kind", PROMPTS)
def test_a_prompt_of_any_kind_is_answered_by_a_choice_each(url, kind):
    prompt, choices, prompt_tokens = PROMPTS[kind]
    body = {"model": "sim", "prompt": prompt, "max_tokens": 3}
    whole = openai_wire.ask(url, COMPLETIONS, body).json()
    assert [c["index"] for c in whole["choices"]] == list(range(choices))
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": 3 * choices,
        "total_tokens": prompt_tokens + 3 * choices,
    }
    assert whole["usage"] == usage
    events = values(
        openai_wire.ask(url, COMPLETIONS, body | {"stream": True, "stream_options": {"include_usage": True}})
    )
    texts = dict.fromkeys(range(choices), "")
    ends = []
    for choice in (c for e in events for c in e["choices"]):
        texts[choice["index"]] += choice["text"]
        ends += [choice["index"]] * (choice["finish_reason"] == "length")
    assert [texts[i] for i in range(choices)] == [c["text"] for c in whole["choices"]]
    assert sorted(ends) == list(range(choices)) and events[-1]["usage"] == usage


@pytest.mark.parametrize("prompt", [[], [[]], ["a", 1], {"a": 1}, [True]], ids=json.dumps)
def test_what_is_no_prompt_is_refused(url, prompt):
    answer = openai_wire.ask(url, COMPLETIONS, {"model": "sim", "prompt": prompt, "max_tokens": 3})
    assert openai_wire.error(answer)[0] == 400


def test_n_choices_differ_and_their_prompt_counts_once(url):
    whole = _chat(url, _user("a harbour"), n=3).json()
    assert len({c["message"]["content"] for c in whole["choices"]}) == 3
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 12, "total_tokens": 15}
    events = values(_chat(url, _user("a harbour"), n=3, stream=True))
    assert sum(c["delta"].get("role") == "assistant" for e in events for c in e["choices"]) == 3
    for choice in whole["choices"]:
        deltas = [c["delta"] for e in events for c in e["choices"] if c["index"] == choice["index"]]
        assert "".join(d.get("content") or "" for d in deltas) == choice["message"]["content"]


def test_a_container_answers_several_prompts_too(url):
    body = {"messages": _user("a"), "max_tokens": 2, "n": 2}
    whole = raw_wire.send(url, "InvokeEndpoint", "chat", body).json()
    assert [c["index"] for c in whole["choices"]] == [0, 1]


FORMS = {
    "response_format": {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
    "guided_json": {"guided_json": SCHEMA},
    "guided_json as text": {"guided_json": json.dumps(SCHEMA)},
    "structured_outputs": {"structured_outputs": {"json": SCHEMA}},
}


@pytest.mark.parametrize("form", FORMS)
def test_json_of_a_form_is_the_text(url, form):
    for stream in (False, True):
        answer = _chat(url, _user("a"), max_tokens=50, stream=stream, **FORMS[form])
        if stream:
            text = "".join(c["delta"].get("content") or "" for e in values(answer) for c in e["choices"])
        else:
            [choice] = answer.json()["choices"]
            text = choice["message"]["content"]
            assert (choice["finish_reason"], answer.json()["usage"]["completion_tokens"]) == (
                "stop",
                -(-len(text) // 4),
            )
        jsonschema.validate(json.loads(text), SCHEMA)


def test_json_without_a_form_is_an_object_and_follows_a_schema_that_the_prompt_shows(url):
    asked = {"response_format": {"type": "json_object"}, "max_tokens": 50}
    assert list(json.loads(_chat(url, _user("JSON, please"), **asked).json()["choices"][0]["message"]["content"])) == [
        "text"
    ]
    shown = _chat(url, _user(f"Answer with JSON of this schema: {json.dumps(SCHEMA)} and nothing else"), **asked)
    jsonschema.validate(json.loads(shown.json()["choices"][0]["message"]["content"]), SCHEMA)


def test_a_schema_in_the_prompt_is_enough_and_one_that_is_none_changes_nothing(url):
    example = '{"properties": {"foo": {"type": "string"}}}'
    prompt = f"As an example, {example} is one. Answer with JSON of\n{json.dumps(SCHEMA, indent=2)}\nand nothing else."
    jsonschema.validate(
        json.loads(_chat(url, _user(prompt), max_tokens=50).json()["choices"][0]["message"]["content"]), SCHEMA
    )
    for text in ('Mind the "properties" {', 'so {"properties": 5}'):
        assert _chat(url, _user(text)).json()["choices"][0]["finish_reason"] == "length"


def test_a_choice_or_a_pattern_is_the_text_itself(url):
    said = [
        _chat(url, _user("a"), **form).json()["choices"][0]["message"]["content"]
        for form in ({"guided_choice": ["yes"]}, {"guided_regex": "[0-9]{3}x"})
    ]
    assert said[0] == "yes" and said[1][:3].isdigit() and said[1][3:] == "x"


def _get(url, path, key: str | None = None):
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def test_models_are_listed_and_health_is_told(url):
    status, body = _get(url, "/v1/models")
    listed = json.loads(body)
    assert (status, listed["object"], sorted(m["id"] for m in listed["data"])) == (200, "list", ["quick", "sim", "two"])
    assert json.loads(_get(url, "/v1/models/two")[1])["id"] == "two"
    status, body = _get(url, "/v1/models/nobody")
    assert (status, json.loads(body)["error"]["code"]) == (404, "model_not_found")
    assert [_get(url, path)[0] for path in ("/health", "/ping", "/version", "/v1/modelsx")] == [200, 200, 200, 404]


def test_a_server_of_one_model_needs_no_name_and_lists_it_for_its_key_alone():
    engine = {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 9999, "context_tokens": 64}
    config = {"engines": {"e": engine}, "openai": {"only": {"engine": "e", "aliases": ["lora"]}}, "api_key": "k"}
    with running_emulator(config) as e:
        answer = openai_wire.ask(e.url, CHAT, {"messages": _user("a"), "max_tokens": 1}, key="k")
        assert answer.json()["model"] == "only"
        assert _get(e.url, "/v1/models")[0] == 401
        models = json.loads(_get(e.url, "/v1/models", "k")[1])["data"]
        assert [(m["id"], m["max_model_len"]) for m in models] == [("only", 64), ("lora", 64)]
