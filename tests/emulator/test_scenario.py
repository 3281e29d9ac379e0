"""`--scenario`: every scenario of configs/ is served, and what is printed is what a user types to run it."""

import json
import os
import shlex
import subprocess
import sys

import pytest
import yaml

from locustfiles.contract import exit_codes
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.raw import RawAnswer
from locustfiles.contract.scenario.scenario import load_scenario
from scripts.emulator import speeds
from scripts.emulator.config import load
from scripts.emulator.dialects.raw import Raw
from scripts.emulator.served import config_of, ports_of
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.patience import LONGEST_S
from tests.helpers.scenario_text import GOOD, write

QUICK = ("--ttft-ms", "5", "--tokens-per-second", "2000")
#: every kind of target, and every way to name one
KINDS = """\
name: kinds
targets:
  - {name: one, service: sagemaker, endpoint: e, dialect: openai-chat, inference_component: c1, parameters: {max_tokens: 3}}
  - {name: two, service: sagemaker, endpoint: e, dialect: openai-completions, stream: true, variant: B, parameters: {max_tokens: 3}}
  - {name: multi, service: sagemaker, endpoint: m, dialect: tgi, stream: false, target_model: a.tar.gz, session_id: NEW_SESSION}
  - {name: vectors, service: sagemaker, endpoint: v, dialect: hf-embedding}
  - {name: routed, service: sagemaker, inference_router: r, routing_target: chat, dialect: openai-chat, parameters: {max_tokens: 3}}
  - {name: fleet, service: sagemaker, gateway: g1, model_id: org/fleet, dialect: openai-chat, stream: true, parameters: {max_tokens: 3}}
  - name: queued
    service: sagemaker
    endpoint: q
    dialect: tgi
    async_inference: {input: s3, input_location: "s3://my-inputs/a", poll_s: 0.05}
    parameters: {max_tokens: 3}
  - {name: lines, service: sagemaker, endpoint: l, dialect: lmi, stream: true, parameters: {max_tokens: 3}}
  - name: own
    service: sagemaker
    endpoint: r
    dialect: raw
    stream: true
    parameters: {max_tokens: 3}
    body: {text_inputs: "{prompt}", limits: {max_length: "{max_tokens}"}}
    answer: {text: "outs[0].text", completion_tokens: usage.out, stop_reason: "outs[0].why", done: "outs[0].why != null"}
  - name: profile
    service: bedrock
    model_id: arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0
    stream: true
    system: Be brief.
    guardrail: {id: gr1, version: "1"}
    parameters: {max_tokens: 3}
  - {name: invoked, service: bedrock, model_id: us.amazon.nova-lite-v1:0, api: invoke, stream: true, parameters: {max_tokens: 3}}
  - {name: imported, service: bedrock, model_id: "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl",
     api: invoke, dialect: llama, parameters: {max_tokens: 3}}
  - {name: vector, service: bedrock, model_id: amazon.titan-embed-text-v2:0, api: invoke}
  - {name: behind, service: openai, base_url: "https://llm.example.com/team/v1", model_id: org/m, stream: true, parameters: {max_tokens: 3}}
region: eu-west-1
payloads: [p.jsonl]
load: {users: [1], measure_s: 1}
pricing: book.yaml
seed: 7
"""


def _check(lines: list[str], folder) -> str:
    """What a user types, with a check in the place of the run: its output."""
    assert lines[-1].startswith("locust -f locustfiles/sweep.py --scenario ") and lines[-1].endswith(" --headless")
    scenario = shlex.split(lines[-1])[4]
    script = "\n".join([*lines[:-1], f"{sys.executable} -m analysis check {shlex.quote(scenario)}"])
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, env=env
    )
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    return done.stdout


def _generated(stats: dict) -> dict[str, int]:
    """Requests by status without those that were counted alone, each of which must have been answered, and without the 202 of a
    queue, whose work is counted by itself."""
    by_status = {status: n for status, n in stats["by_status"].items() if status != "202"}
    return by_status | {"200": stats["by_status"]["200"] - stats["by_operation"].get("CountTokens", 0)}


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_scenario_is_served_and_what_is_printed_reaches_it(path, tmp_path):
    copy = tmp_path / path.name
    copy.write_text(path.read_text())
    with running_emulator(copy, arguments=QUICK, option="--scenario") as e:
        _check(e.said_to_type(), ROOT)
        scenario = load_scenario(copy)
        asked = [target for target in scenario.targets if getattr(target, "api", None) != "count-tokens"]
        # one with each payload, three where the first writes a cache that others read
        first = [3 if (p := scenario.prefix_of(t)) and p.asks_for_a_cache else 1 for t in asked]
        calls = sum(n * len(scenario.payloads_of(t)) for n, t in zip(first, asked, strict=True))
        assert _generated(e.stats()) == {"200": calls}


@pytest.fixture
def kinds(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"id": "p", "prompt": "Hello"}\n')
    path = write(tmp_path, KINDS)
    text = "region: eu-west-1\ncurrency: USD\nas_of: 2024-04-15\nsource: a test\ninstances: {ml.g5.2xlarge: 1.5}\n"
    (tmp_path / "book.yaml").write_text(text)
    data = yaml.safe_load(KINDS)
    for target in data["targets"]:
        target["price"] = {"usd_per_hour": 1.0} if target["service"] != "bedrock" else {"input": 0.001, "output": 0.001}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path


def test_every_kind_of_target_is_served(kinds):
    targets = load_scenario(kinds).targets
    with running_emulator(kinds, arguments=QUICK, option="--scenario") as e:
        said = _check(e.said_to_type(), ROOT)
        assert said.count("well") >= len(targets)
        assert _generated(e.stats()) == {"200": len(targets)}
        assert e.stats()["by_operation"]["CountTokens"] == 1  # of Claude's one line, by the model's own id


def test_a_configuration_can_be_written_and_served(kinds, tmp_path):
    written = tmp_path / "written.yaml"
    command = [sys.executable, "-m", "scripts.emulator", "--scenario", str(kinds), "--write-config", str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S)
    assert (done.returncode, done.stderr) == (exit_codes.OK, "") and str(written) in done.stdout
    assert load(written) == config_of(str(kinds), load_scenario(kinds), None, None)


def test_it_listens_where_the_scenario_points_on_this_machine(tmp_path):
    def ports(*urls: str) -> list[int]:
        target = "  - {{name: t{}, service: openai, base_url: '{}', model_id: m}}\n"
        targets = "".join(target.format(n, url) for n, url in enumerate(urls))
        text = GOOD[: GOOD.index("  - name: a")] + targets + GOOD[GOOD.index("region") :]
        return ports_of(load_scenario(write(tmp_path, text)))

    assert ports("http://127.0.0.1:8000/v1", "http://localhost:8001/v1", "http://127.0.0.1:8000/v1") == [8000, 8001]
    assert ports("https://127.0.0.1:8000/v1", "http://10.0.0.7:8000/v1") == []
    assert ports_of(load_scenario(write(tmp_path, GOOD + "endpoint_url: http://127.0.0.1:9000\n"))) == [9000]


@pytest.mark.parametrize(("names", "billions"), [
    (("Llama 2 13B",), 13), (("mistral.mixtral-8x7b-instruct-v0:1",), 14), (("SmolLM2-135M",), 0.135), (("qwen2.5-0.5b",), 0.5),
    (("anthropic.claude-3-haiku-20240307-v1:0",), 8), (("anthropic.claude-sonnet-4-5-20250929-v1:0",), 70), (("x",), 8),
])  # fmt: skip
def test_a_size_is_looked_for_in_the_names(names, billions):
    assert speeds.billions_of(*names) == billions


def test_a_speed_follows_size_and_hardware():
    # 13 billion parameters are 26 GB. One A10G reads 0.6 TB/s at 60 %: 26 / 0.36 + 5 = 77.2 ms a step; four of them in 23.1 ms;
    # prefill at 40 % of 125 teraflop/s: 50e12 / 26e9 = 1,923 tokens/s
    one, four = (speeds.engine_of(("Llama 2 13B",), f"ml.g5.{size}") for size in ("2xlarge", "12xlarge"))
    assert (one.decode_base_ms, four.decode_base_ms, one.prefill_tokens_per_second) == (77.22, 23.06, 1923)


RAW = {  # expressions -> what an answer looks like that says Hi in 2 tokens
    "a list": ({"text": "generated_texts[0]"}, {"generated_texts": ["Hi"]}),
    "the top": ({"text": "[0].generated_text"}, [{"generated_text": "Hi"}]),
    "a projection": (
        {"text": "choices[*].text | [0]", "completion_tokens": "n"},
        {"choices": [{"text": "Hi"}], "n": 2},
    ),
    "or": ({"text": "a.b || c", "stop_reason": "a.why"}, {"a": {"b": "Hi", "why": "stop"}}),
    "a function": ({"text": "join('', parts[].t)", "done": "end == `true`"}, {"parts": [{"t": "Hi"}], "end": True}),
}


@pytest.mark.parametrize("form", RAW)
def test_the_paths_of_a_raw_answer_are_turned_round(form):
    answer, expected = RAW[form]
    a = type(
        "Answer",
        (),
        {"text": lambda self: "Hi", "stop": "stop", "reports_usage": True, "prompt_tokens": 1, "completion_tokens": 2},
    )
    assert Raw(RawAnswer(**answer)).whole(a()) == expected


WRONG = {
    "an expression": (
        "answer: {text: \"length(x) == `3` && 'a'\"}",
        "s.yaml: endpoint `r`: answer.text: `length(x) == `3` && 'a'` cannot be turned round into an answer; serve this",
    ),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_cannot_be_served_is_one_line(why, tmp_path):
    line, words = WRONG[why]
    target = f"  - name: a\n    service: sagemaker\n    endpoint: r\n    dialect: raw\n    body: {{x: '{{prompt}}'}}\n    {line}\n"
    path = write(tmp_path, GOOD[: GOOD.index("  - name: a")] + target + GOOD[GOOD.index("region") :])
    with pytest.raises(BadInput) as e:
        config_of(path.name, load_scenario(path), None, None)
    assert str(e.value).startswith(words) and "\n" not in str(e.value)


def test_options_of_a_scenario_belong_to_one(tmp_path):
    for more, words in (
        (("--ttft-ms", "5"), "--ttft-ms: belongs to --scenario; remove it"),
        (("--scenario", "x"), "not allowed with"),
    ):
        command = [sys.executable, "-m", "scripts.emulator", "--config", "configs/emulator/simulated.yaml", *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S)
        assert done.returncode == exit_codes.BAD_INPUT and words in done.stderr and done.stderr.count("\n") == 1


def test_the_answers_of_two_dialects_at_one_endpoint_go_by_the_body(kinds):
    made = config_of(str(kinds), load_scenario(kinds), None, None).endpoints["e"]
    assert (made.dialect, made.more_dialects, made.variant, json.dumps(made.inference_components)) == (
        "openai-chat", ["openai-completions"], "B", '["c1"]',
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["default-prompt-router/anthropic.claude:1", "prompt-router/abc123"])
def test_a_prompt_router_of_a_scenario_chooses_between_models(tmp_path, kind):
    router = f"arn:aws:bedrock:us-east-1:123456789012:{kind}"
    target = f"  - {{name: r, service: bedrock, model_id: '{router}', price: {{input: 0.1, output: 0.2}}}}\n"
    path = write(tmp_path, KINDS.replace("region: eu-west-1", target + "region: eu-west-1"))
    served = config_of(str(path), load_scenario(path), None, None).models[router]
    family = "anthropic" if "anthropic" in kind else "amazon"
    assert len(served.routes_to) == 2 and all(name.startswith(f"{family}.") for name in served.routes_to)
