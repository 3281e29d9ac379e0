"""All that a run reads: every mistake is found before anything is sent, and the hash tells workers apart."""

import importlib.util
import json

import pytest
import yaml

from locustfiles.common.planning.inputs import load_inputs
from locustfiles.common.prompts.payloads import BadPayload
from locustfiles.common.prompts.token_counter import Counter, counter_of
from locustfiles.contract.bad_input import BadInput, BadScenario
from tests.helpers import tokenizer_files

BOTH = ("bedrock", "sagemaker")
CONVERSE = {"name": "c", "service": "bedrock", "model_id": "meta.llama3-8b-instruct-v1:0"}
TGI = {"name": "t", "service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": "ml.x"}
CLAUDE = {"name": "k", "service": "bedrock", "api": "invoke", "model_id": "anthropic.claude-3-haiku-20240307-v1:0"}
BOOK = """\
{region: us-east-1, currency: USD, as_of: 2024-04-15, source: a test, instances: {ml.x: 1.0},
 models: {"meta.llama3-8b-instruct-v1:0": {input: 0.0003, output: 0.0006}, anthropic.claude-3-haiku-20240307-v1:0: {input: 0.0003, output: 0.0013}}}
"""


def make(tmp_path, *targets: dict, lines=('{"prompt": "Hello"}', '{"prompt": "Hi"}'), **more):
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    (tmp_path / "book.yaml").write_text(BOOK)
    scenario = {
        "name": "s",
        "targets": list(targets),
        "region": "us-east-1",
        "payloads": ["p.jsonl"],
        "pricing": "book.yaml",
    }
    scenario |= {"load": {"users": [1], "measure_s": 1}} | more
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(scenario))
    return str(path)


def test_everything_that_a_run_needs_is_read(tmp_path):
    inputs = load_inputs(make(tmp_path, CONVERSE, TGI), BOTH)
    assert [p.text for p in inputs.payloads["p"]] == ["Hello", "Hi"]
    assert inputs.payload_files["p"]["prompts"] == 2 and len(inputs.payload_files["p"]["sha256"]) == 64
    assert inputs.stems_of("c") == inputs.stems_of("t") == ["p"]
    assert inputs.prices["t"].usd_per_hour == 1.0 and inputs.prices["c"].input == 0.0003


def test_the_hash_is_of_contents_not_of_places(tmp_path):
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).mkdir()
    first = load_inputs(make(tmp_path / "a", CONVERSE), BOTH).content
    assert load_inputs(make(tmp_path / "b", CONVERSE), BOTH).content == first
    assert load_inputs(make(tmp_path / "c", CONVERSE, seed=1), BOTH).content != first
    assert load_inputs(make(tmp_path / "d", CONVERSE, lines=['{"prompt": "Hello!"}']), BOTH).content != first


def test_the_most_that_a_call_asks_for_is_by_target_line_and_trace(tmp_path):
    lines = ['{"prompt": "a", "parameters": {"max_tokens": 800}}', '{"prompt": "b"}']
    limited = CONVERSE | {"parameters": {"max_tokens": 100}}
    inputs = load_inputs(make(tmp_path, limited, TGI, lines=lines), BOTH)
    assert inputs.most_tokens(inputs.scenario.targets[0]) == 800
    assert inputs.most_tokens(inputs.scenario.targets[1]) is None  # line b has no limit there
    (tmp_path / "t.csv").write_text("timestamp,completion_tokens\n0,50\n1,60\n")
    replayed = load_inputs(make(tmp_path, TGI, lines=lines, load={"replay": "t.csv", "max_users": 5}), BOTH)
    assert replayed.most_tokens(replayed.scenario.targets[0]) == 60  # the trace says it of every call


def said(error, tmp_path, *targets, services=BOTH, **more) -> str:
    path = make(tmp_path, *targets, **more)
    with pytest.raises(error) as e:
        load_inputs(path, services)
    message = str(e.value)
    assert isinstance(e.value, BadInput) and "\n" not in message
    return message.replace(f"{tmp_path}/", "")


def test_a_target_of_another_service_names_the_locustfile_to_use(tmp_path):
    assert said(BadScenario, tmp_path, CONVERSE, TGI, services=("bedrock",)) == (
        "s.yaml:17: target `t` is of service sagemaker, this locustfile sends to bedrock only; use locustfiles/sweep.py"
    )


def test_a_missing_payload_file(tmp_path):
    message = said(BadScenario, tmp_path, CONVERSE, payloads=["none.jsonl"])
    assert message == "s.yaml:7: file `none.jsonl` not found; give its path from the working folder"


def test_a_malformed_line_names_file_and_line(tmp_path):
    message = said(BadPayload, tmp_path, CONVERSE, lines=['{"prompt": "a"}', '{"prompt": "a"'])
    assert message == "p.jsonl:2: not valid JSON (Expecting ',' delimiter); one JSON object on each line"


def test_a_prompt_without_text(tmp_path):
    message = said(BadPayload, tmp_path, CONVERSE, lines=['{"prompt": "a"}', "", '{"id": "b"}'])
    assert message == 'p.jsonl:3: no prompt text; add `"prompt": "…"`'


def test_a_prompt_that_the_target_cannot_take_is_found_before_sending(tmp_path):
    chat = json.dumps({"id": "chat", "messages": [{"role": "user", "content": "Hi"}]})
    message = said(BadPayload, tmp_path, CONVERSE, TGI, lines=['{"prompt": "a"}', chat])
    assert message == (
        "p.jsonl:2: target `t`: prompt `chat` has `messages`, but tgi takes text; "
        "write it as `prompt`, or use one of converse, claude, nova, openai-chat, chat-completions, mistral-chat, "
        "cohere-command-r, openai-responses, anthropic-messages"
    )


def test_parameters_that_the_target_cannot_take_are_found_before_sending(tmp_path):
    assert (
        said(BadScenario, tmp_path, CLAUDE)
        == "s.yaml: target `k`: Claude's body needs `max_tokens`; add it to `parameters:`"
    )
    message = said(BadScenario, tmp_path, TGI | {"parameters": {"stream": True}})
    assert message.startswith("s.yaml: target `t`: `parameters.stream` is not for the body; remove it")


BILLED_APART = {  # a parameter that AWS prices by -> the target's key for it
    "serviceTier": ({"type": "priority"}, "service_tier"),
    "service_tier": ("flex", "service_tier"),
    "performanceConfig": ({"latency": "optimized"}, "latency"),
    "additionalModelRequestFields.service_tier": ("flex", "service_tier"),
    "extra_body.extra_body.serviceTier": ("flex", "service_tier"),
    "extra_headers.X-Amzn-Bedrock-Service-Tier": ("priority", "service_tier"),
    "headers.X-Amzn-Bedrock-PerformanceConfig-Latency": ("optimized", "latency"),
}


def nested(name: str, value) -> dict:
    """`a.b` and 1 -> {"a": {"b": 1}}"""
    first, _, rest = name.partition(".")
    return {first: nested(rest, value) if rest else value}


@pytest.mark.parametrize("name", BILLED_APART)
@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_a_tier_or_latency_among_the_parameters_does_not_pass_the_price_by(tmp_path, api, name):
    value, key = BILLED_APART[name]
    why = f"`parameters.{name}` decides the price, which no price book has; write it as the target's `{key}:`"
    target = CONVERSE | {
        "api": api,
        "price": {"input": 0.001, "output": 0.002},
    }  # the one price cannot be for two tiers either
    assert said(BadScenario, tmp_path, target | {"parameters": nested(name, value)}).endswith(f"target `c`: {why}")
    lines = (json.dumps({"id": "x", "prompt": "Hello", "parameters": nested(name, value)}),)
    assert said(BadPayload, tmp_path, target, lines=lines).endswith(f"target `c`: prompt `x`: {why}")


def test_a_tool_whose_input_is_called_so_decides_no_price(tmp_path):
    tool = {"toolSpec": {"name": "t", "inputSchema": {"json": {"properties": {"service_tier": {"type": "string"}}}}}}
    assert load_inputs(make(tmp_path, CONVERSE | {"parameters": {"toolConfig": {"tools": [tool]}}}), BOTH).prices["c"]


@pytest.mark.parametrize("name", ["service_tier", "extra_body.service_tier"])
def test_a_tier_of_an_openai_route_priced_by_the_book_needs_its_own_price(tmp_path, name):
    route = "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1"
    target = {"name": "o", "service": "openai", "base_url": route, "model_id": CONVERSE["model_id"]}
    for free in ("default", None):
        assert (
            load_inputs(make(tmp_path, target | {"parameters": nested(name, free)}), ("openai",)).prices["o"].input
            == 0.0003
        )
    tier = {"parameters": nested(name, "flex")}
    assert said(BadScenario, tmp_path, target | tier, services=("openai",)).endswith("has; add the target's `price:`")
    own = {"price": {"input": 0.001, "output": 0.002}}
    assert load_inputs(make(tmp_path, target | tier | own), ("openai",)).prices["o"].output == 0.002


RAW = {
    "name": "t",
    "service": "sagemaker",
    "endpoint": "e",
    "dialect": "raw",
    "instance_type": "ml.x",
    "answer": {"text": "x"},
}


@pytest.mark.parametrize(
    ("target", "takes"),
    [
        (TGI, True),
        (CLAUDE | {"name": "t"}, True),
        (TGI | {"dialect": "hf-embedding"}, False),
        (RAW | {"body": {"q": "{prompt}", "n": 50}}, False),
        (RAW | {"body": {"q": "{prompt}", "n": "{max_tokens}"}, "parameters": {"max_tokens": 50}}, True),
    ],
    ids=["tgi", "claude", "embedding", "raw without a place", "raw"],
)
def test_a_trace_with_answer_lengths_needs_a_body_with_a_place_for_them(tmp_path, target, takes):
    target = target | ({"parameters": {"max_tokens": 9}} if target["service"] == "bedrock" else {})
    replay = {"load": {"replay": "t.csv", "max_users": 5}}
    (tmp_path / "t.csv").write_text("timestamp\n0\n1\n")
    assert load_inputs(make(tmp_path, target, **replay), BOTH).traces  # without lengths all can replay it
    (tmp_path / "t.csv").write_text("timestamp,completion_tokens\n0,50\n1,\n")
    if takes:
        assert load_inputs(make(tmp_path, target, **replay), BOTH).traces["t.csv"][0].max_tokens == 50
    else:
        assert said(BadScenario, tmp_path, target, **replay) == (
            "s.yaml:3: t.csv has answer lengths, but the body of target `t` has no place for `max_tokens`; "
            "add one, or remove the column `completion_tokens`"
        )


def test_two_payload_files_of_one_stem_are_refused(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "p.jsonl").write_text('{"prompt": "x"}')
    message = said(BadScenario, tmp_path, CONVERSE, payloads=["p.jsonl", "other/p.jsonl"])
    assert message == "s.yaml:8: two payload files are named `p`; rename one"


def test_a_price_that_is_not_in_the_book(tmp_path):
    message = said(BadScenario, tmp_path, TGI | {"instance_type": "ml.y"})
    assert message.startswith(
        "s.yaml:13: target `t`: no price for instance type `ml.y`; add it to the price book "
        "(`python -m analysis prices update --region us-east-1` asks AWS) or give the target its own `price:`"
    )


def test_a_tokenizer_is_found_beside_the_scenario_and_counts_the_prompts_before_anything_is_sent(tmp_path, monkeypatch):
    tokenizer_files.words(tmp_path / "words.json")
    path = make(tmp_path, CONVERSE | {"tokenizer": "words.json"}, TGI, lines=['{"prompt": "Hello you there"}'])
    inputs = load_inputs(path, BOTH)
    converse, tgi = inputs.scenario.targets
    assert converse.tokenizer == str(tmp_path / "words.json") and tgi.tokenizer is None
    monkeypatch.delattr(Counter, "text")  # nothing is left to count
    assert counter_of(converse.tokenizer).prompt(converse, inputs.payloads["p"][0]) == 3


def test_workers_of_unlike_tokenizers_differ_in_their_hash(tmp_path):
    hashes = []
    for name, more in (("a", ""), ("b", ""), ("c", "\n")):
        (tmp_path / name).mkdir()
        file = tokenizer_files.words(tmp_path / name / "words.json")
        with open(file, "a") as f:
            f.write(more)
        hashes.append(load_inputs(make(tmp_path / name, CONVERSE | {"tokenizer": "words.json"}), BOTH).content)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_tokenizer_that_is_neither_file_nor_family_is_found_before_sending(tmp_path):
    assert said(BadScenario, tmp_path, CONVERSE | {"tokenizer": "lama3"}) == (
        "s.yaml:14: target `c`: no file `lama3`; give the path of a tokenizer.json from the working folder, "
        "or one of deepseek, llama3, llama4, mistral-tekken, qwen"
    )


def test_a_file_that_is_no_tokenizer_is_found_before_sending(tmp_path):
    message = said(BadScenario, tmp_path, CONVERSE | {"tokenizer": "s.yaml"})
    assert message.startswith("s.yaml:14: target `c`: s.yaml: not a tokenizer that can be read (")


def test_a_family_whose_package_is_not_installed_is_found_before_sending(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert said(BadScenario, tmp_path, CONVERSE | {"tokenizer": "llama4"}) == (
        "s.yaml:14: target `c`: tokenizer `llama4`: its package llama-models is not installed; "
        "pip install --no-deps llama-models==0.3.0, or give the path of a tokenizer.json"
    )
