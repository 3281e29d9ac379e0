"""The OpenAI routes on the wire: bodies, events, usage, errors, keys; Bedrock's own OpenAI route."""

import json

import pytest

from tests.helpers import bodies, openai_wire, raw_wire
from tests.helpers.emulator_process import running_emulator
from tests.helpers.openai_wire import BEDROCK, CHAT, COMPLETIONS, ask, chat, completions, error, values

N = 5
USAGE = {"prompt_tokens": 8, "completion_tokens": 5, "total_tokens": 13}
GPT = "openai.gpt-oss-20b-1:0"
TOKEN = "bedrock-api-key-example"


def test_a_chat_is_answered_whole_and_as_events_with_the_same_text(emulator):
    answer = ask(emulator.url, CHAT, chat("exact", N))
    whole = answer.json()
    assert (answer.status, whole["object"], whole["model"], whole["usage"]) == (200, "chat.completion", "exact", USAGE)
    assert len(answer.headers["x-request-id"]) == 36 and "x-amzn-requestid" not in answer.headers
    stream = ask(emulator.url, CHAT, chat("exact", N, stream=True))
    assert stream.headers["content-type"] == "text/event-stream"
    first, *deltas, end, usage = values(stream)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert len(deltas) == N
    text = "".join(d["choices"][0]["delta"]["content"] for d in deltas)
    assert text == whole["choices"][0]["message"]["content"]
    assert (end["choices"][0]["finish_reason"], usage["choices"], usage["usage"]) == ("length", [], USAGE)
    assert {v["object"] for v in (first, *deltas, end, usage)} == {"chat.completion.chunk"}
    assert len({v["id"] for v in (first, *deltas, end, usage)}) == 1


def test_a_completion_is_answered_whole_and_as_events_with_the_same_text(emulator):
    whole = ask(emulator.url, COMPLETIONS, completions("exact", N)).json()
    assert (whole["object"], whole["usage"]) == ("text_completion", USAGE)
    *deltas, usage = values(ask(emulator.url, COMPLETIONS, completions("exact", N, stream=True)))
    assert "".join(d["choices"][0]["text"] for d in deltas) == whole["choices"][0]["text"]
    assert [d["choices"][0]["finish_reason"] for d in deltas] == [None] * 4 + ["length"]
    assert usage["usage"] == USAGE


def test_an_answer_that_stops_by_itself_says_stop(emulator):
    # the answers of `short` have 3 tokens, the limit is 5
    whole = ask(emulator.url, CHAT, chat("short", N)).json()
    assert (whole["choices"][0]["finish_reason"], whole["usage"]["completion_tokens"]) == ("stop", 3)


def test_a_stream_has_usage_when_it_is_asked_for_and_in_every_event_as_vllm_does(emulator):
    body = chat("exact", N, stream=True) | {"stream_options": {}}
    assert not any("usage" in v for v in values(ask(emulator.url, CHAT, body)))
    for path, make in ((CHAT, chat), (COMPLETIONS, completions)):
        options = {"include_usage": True, "continuous_usage_stats": True}
        seen = values(ask(emulator.url, path, make("exact", N, stream=True) | {"stream_options": options}))
        counts = [v["usage"]["completion_tokens"] for v in seen]
        # chat: the opening event, five tokens, the end, the usage; completions: five tokens, the last with its reason, usage
        assert counts == ([0, 1, 2, 3, 4, 5, 5, 5] if path == CHAT else [1, 2, 3, 4, 5, 5])


def test_reasoning_is_told_apart_as_vllm_does(emulator):
    whole = ask(emulator.url, CHAT, chat("thinking", N)).json()["choices"][0]["message"]
    deltas = [v["choices"][0]["delta"] for v in values(ask(emulator.url, CHAT, chat("thinking", N, stream=True)))[1:-2]]
    assert [next(iter(d)) for d in deltas] == ["reasoning_content"] * 2 + ["content"] * 3
    assert "".join(d.get("reasoning_content", "") for d in deltas) == whole["reasoning_content"]
    assert "".join(d.get("content", "") for d in deltas) == whole["content"]


def test_an_alias_is_answered_under_its_own_name(emulator):
    assert ask(emulator.url, CHAT, chat("exact-lora", 1)).json()["model"] == "exact-lora"


REFUSALS = {
    "unknown model": (chat("nobody", N), (404, "invalid_request_error", "model_not_found")),
    "a model of Bedrock's": (chat(GPT, N), (404, "invalid_request_error", "model_not_found")),
    "no model": (bodies.chat(N), (400, "invalid_request_error", None)),
    "no JSON": (b"{", (400, "invalid_request_error", None)),
    "no messages": ({"model": "exact"}, (400, "invalid_request_error", None)),
    "stream is no boolean": (chat("exact", N) | {"stream": "yes"}, (400, "invalid_request_error", None)),
    "options without a stream": (
        chat("exact", N) | {"stream_options": {"include_usage": True}},
        (400, "invalid_request_error", None),
    ),
    "too long": (chat("small", 13), (400, "invalid_request_error", None)),  # 8 + 13 of 20 tokens
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_has_openais_members(emulator, why):
    body, expected = REFUSALS[why]
    answer = ask(emulator.url, CHAT, body)
    assert error(answer) == expected
    assert answer.headers["x-request-id"]


def test_the_key_is_asked_for_where_one_is_configured():
    config = {**bodies.CONFIG, "api_key": "sk-example"}
    with running_emulator(config) as e:
        assert ask(e.url, CHAT, chat("exact", 1), key="sk-example").status == 200
        for key in (None, "sk-other", "sk-exampl\u00e9"):
            refused = ask(e.url, COMPLETIONS, completions("exact", 1), key=key)
            assert error(refused) == (401, "invalid_request_error", "invalid_api_key")
            assert b"sk-" not in refused.body
        # Bedrock's own route has Bedrock's keys
        assert error(ask(e.url, BEDROCK, chat(GPT, 1), key="sk-example"))[0] == 401
        assert ask(e.url, BEDROCK, chat(GPT, 1), key=TOKEN).status == 200


def test_bedrocks_openai_route_takes_a_token_or_a_signature_and_answers_as_openai_does(emulator):
    body = chat(GPT, N, stream=True)
    answer = ask(emulator.url, BEDROCK, body, key=TOKEN)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    assert answer.headers["x-amzn-requestid"] and "x-request-id" not in answer.headers
    assert values(answer)[-1]["usage"] == USAGE
    data = json.dumps(body).encode()
    path, headers = raw_wire.signed(emulator.url, "OpenAIChat", "", data)
    assert values(raw_wire.post(emulator.url, path, headers, data))[-1]["usage"] == USAGE
    assert error(ask(emulator.url, BEDROCK, body)) == (401, "invalid_request_error", "invalid_api_key")
    assert error(ask(emulator.url, BEDROCK, chat("nobody", N), key=TOKEN)) == (400, "invalid_request_error", None)


def test_on_bedrocks_route_reasoning_stands_in_tags(emulator):
    whole = ask(emulator.url, BEDROCK, chat("thinking.gpt-oss", N), key=TOKEN).json()["choices"][0]["message"][
        "content"
    ]
    assert whole.startswith("<reasoning>") and "</reasoning>" in whole
    events = values(ask(emulator.url, BEDROCK, chat("thinking.gpt-oss", N, stream=True), key=TOKEN))
    assert "".join(c["delta"].get("content", "") for v in events for c in v["choices"]) == whole


def test_the_truth_joins_by_the_request_id(tmp_path):
    with running_emulator(bodies.CONFIG, truth=tmp_path / "truth.jsonl") as e:
        stream = ask(e.url, CHAT, chat("exact", N, stream=True))
        ask(e.url, COMPLETIONS, completions("nobody", N))
        assert e.stop() == 0
        done, refused = e.truth_rows()
    assert (done["request_id"], done["operation"], done["target"]) == (
        stream.headers["x-request-id"],
        "ChatCompletions",
        "exact",
    )
    assert (done["status"], done["prompt_tokens"], done["completion_tokens"], done["deltas"]) == (200, 8, 5, 5)
    # first token at 20 ms, four more every 2 ms
    assert 0.020 <= done["first_token"] - done["arrival"] < 0.1
    assert (refused["operation"], refused["status"], refused["first_token"]) == ("Completions", 404, None)


def test_an_unknown_path_is_a_404(emulator):
    assert ask(emulator.url, "/v1/nowhere", chat("exact", 1)).status == 404
    assert openai_wire.ask(emulator.url, "/openai/v1/completions", chat("exact", 1)).status == 404
