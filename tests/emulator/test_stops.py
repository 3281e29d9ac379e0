"""Stop sequences: a text ends before the first of them, wherever the tokens' borders are, in every dialect and engine."""

import json

import pytest

from scripts.emulator.dialects import Call
from scripts.emulator.engines.written import words
from scripts.emulator.text import words as plain
from tests.helpers import bodies, openai_wire, raw_wire, tool_calls
from tests.helpers.emulator_process import running_emulator
from tests.helpers.openai_wire import CHAT, COMPLETIONS, values

N = 12
STOPPED = {"mistral": "stop", "mistral-chat": "stop", "deepseek": "stop", "openai-chat": "stop"}


@pytest.fixture(scope="module")
def url():
    with running_emulator(tool_calls.CONFIG) as e:
        yield e.url


def _at_the_border(text: str) -> tuple[str, str]:
    """The end of the fourth word and the beginning of the fifth, and what comes before them."""
    *_, before, after = text.split(" ")[:6]
    stop = f"{before[-1]} {after[0]}"
    return stop, text[: text.index(stop)]


SURFACES = {  # operation, target, where the stop sequences go, body, text, reason, the sequence that was met
    "converse": ("Converse", tool_calls.MODELS["nova"], lambda b, s: b["inferenceConfig"].update(stopSequences=s),
                 bodies.converse(N), lambda a: a["output"]["message"]["content"][0]["text"], "stop_sequence"),
    "claude": ("InvokeModel", tool_calls.MODELS["claude"], lambda b, s: b.update(stop_sequences=s),
               bodies.invoke(bodies.CLAUDE, N), lambda a: a["content"][0]["text"], "stop_sequence"),
    "nova": ("InvokeModel", tool_calls.MODELS["nova"], lambda b, s: b["inferenceConfig"].update(stopSequences=s),
             bodies.invoke(bodies.NOVA, N), lambda a: a["output"]["message"]["content"][0]["text"], "stop_sequence"),
    "mistral": ("InvokeModel", "mistral.mistral-7b-instruct-v0:2", lambda b, s: b.update(stop=s),
                bodies.invoke("mistral.mistral-7b-instruct-v0:2", N), lambda a: a["outputs"][0]["text"], "stop"),
    "titan": ("InvokeModel", "amazon.titan-text-express-v1", lambda b, s: b["textGenerationConfig"].update(stopSequences=s),
              bodies.invoke("amazon.titan-text-express-v1", N), lambda a: a["results"][0]["outputText"], "STOP_CRITERIA_MET"),
    "command": ("InvokeModel", "cohere.command-text-v14", lambda b, s: b.update(stop_sequences=s),
                bodies.invoke("cohere.command-text-v14", N), lambda a: a["generations"][0]["text"], "COMPLETE"),
    "gpt-oss": ("InvokeModel", tool_calls.GPT, lambda b, s: b.update(stop=s), bodies.invoke(tool_calls.GPT, N),
                lambda a: a["choices"][0]["message"]["content"], "stop"),
    "tgi": ("InvokeEndpoint", "tgi", lambda b, s: b["parameters"].update(stop=s), bodies.tgi(N),
            lambda a: a[0]["generated_text"], "stop_sequence"),
    "lmi": ("InvokeEndpoint", "lmi", lambda b, s: b["parameters"].update(stop_sequences=s), bodies.tgi(N),
            lambda a: a["generated_text"], "stop_sequence"),
    "chat container": ("InvokeEndpoint", "chat", lambda b, s: b.update(stop=s), bodies.chat(N),
                       lambda a: a["choices"][0]["message"]["content"], "stop"),
}  # fmt: skip


@pytest.mark.parametrize("surface", SURFACES)
def test_a_text_ends_before_a_sequence_that_crosses_two_tokens(url, surface):
    operation, target, put, body, text_of, reason = SURFACES[surface]
    body = json.loads(json.dumps(body))
    text = text_of(raw_wire.send(url, operation, target, body).json())
    stop, before = _at_the_border(text)
    put(body, ["never said", stop])
    answer = raw_wire.send(url, operation, target, body)
    assert text_of(answer.json()) == before
    assert json.dumps(reason) in answer.body.decode()
    if surface == "claude":
        assert answer.json()["stop_sequence"] == stop


@pytest.mark.parametrize(("path", "make"), [(CHAT, openai_wire.chat), (COMPLETIONS, openai_wire.completions)])
@pytest.mark.parametrize("model", ["sim", "quick"])
def test_openais_routes_take_a_text_or_a_list_whole_and_streamed(url, path, make, model):
    def text_of(body) -> str:
        return body["choices"][0].get("text") or body["choices"][0]["message"]["content"]

    stop, before = _at_the_border(text_of(openai_wire.ask(url, path, make(model, N)).json()))
    for given in (stop, [stop, "never said"]):
        whole = openai_wire.ask(url, path, make(model, N, stop=given)).json()
        [choice] = whole["choices"]
        assert (text_of(whole), choice["finish_reason"], choice["stop_reason"]) == (before, "stop", stop)
        assert whole["usage"]["completion_tokens"] == 5  # the fifth word completed the sequence
        events = values(openai_wire.ask(url, path, make(model, N, stream=True, stop=given)))
        pieces = [c.get("text") or c.get("delta", {}).get("content") or "" for e in events for c in e["choices"]]
        assert "".join(pieces) == before and events[-1]["usage"] == whole["usage"]


def test_a_stream_of_converse_says_what_the_whole_answer_says(url):
    body = bodies.converse(N)
    target = tool_calls.MODELS["nova"]
    text = raw_wire.send(url, "Converse", target, body).json()["output"]["message"]["content"][0]["text"]
    stop, before = _at_the_border(text)
    body["inferenceConfig"]["stopSequences"] = [stop]
    events = [json.loads(f.payload) for f in raw_wire.send(url, "ConverseStream", target, body).frames()]
    assert "".join(e["delta"]["text"] for e in events if "delta" in e) == before
    assert [e["stopReason"] for e in events if "stopReason" in e] == ["stop_sequence"]


def _written(stop: list[str], reasoning: int = 0, count: int = 6):
    return words(Call(prompt="", max_tokens=count, stop=stop), 3, count, "length", reasoning)


def test_what_a_sequence_swallows_has_no_text_and_is_counted():
    tokens = [text for text, _ in plain(3, 6)]
    # the third word as a whole: two tokens are sent, three were made
    met = _written([tokens[2]])
    assert [t and t[0] for t in met.tokens] == [*tokens[:2], None]
    assert (met.stop, met.matched) == ("stop_sequence", tokens[2])
    # from inside the second word to inside the fourth
    met = _written([tokens[1][2:] + tokens[2] + tokens[3][:2]])
    assert [t and t[0] for t in met.tokens] == [tokens[0], tokens[1][:2], None, None]
    # the first of several counts, whatever their order
    assert _written([tokens[4], tokens[1]]).matched == tokens[1]
    # none of them is said; the last word's end still counts
    assert _written(["never said"]).stop == "length"
    assert len(_written([tokens[5][-1:] + "never"]).tokens) == 6


def test_reasoning_is_not_searched():
    tokens = [text for text, _ in plain(3, 6)]
    met = _written([tokens[0], tokens[3]], reasoning=2)
    assert met.matched == tokens[3] and [t and t[0] for t in met.tokens] == [*tokens[:3], None]
