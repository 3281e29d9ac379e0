"""Models on bedrock-mantle: requests and tokens as it publishes them, its own quotas, and no latency."""

import pytest

from tests.helpers.emulator_process import running_emulator
from tests.helpers.enriching import figure, requests, run_of, shifted, spread

MODEL = "anthropic.claude-opus-4-7"
MANTLE = {
    "name": "opus", "service": "openai", "base_url": "https://bedrock-mantle.us-east-1.api.aws/openai/v1", "auth": "sigv4",
    "model_id": MODEL, "parameters": {"max_tokens": 100},
}  # fmt: skip
OF_RUNTIME = "On-demand model inference tokens per minute for Anthropic Claude Opus 4.7"
INPUT, OUTPUT = (
    f"Bedrock Mantle {what} tokens per minute for Anthropic Claude Opus 4.7" for what in ("input", "output")
)
QUOTAS = {OF_RUNTIME: 1.0, INPUT: 1000.0, OUTPUT: 50.0, INPUT.replace("4.7", "4.6"): 1.0}


@pytest.fixture
def folder(tmp_path):
    """Ten requests of 1 s and 10 and 5 tokens, five in each of two minutes."""
    who = {"target": "opus", "service": "openai", "operation": "ChatCompletions"}
    sent = spread(requests(1, 0, 1, 1, 1.0, **who)[0], 10)
    return run_of(tmp_path / "r", sent, [shifted(1, 0, 120, target="opus")], [MANTLE])


def watched(*kept: str):
    """Five requests a minute of 10 and 6 tokens, and two in minute 1 that were refused. kept: names of quotas."""
    by_name = {"Inferences": [1.0] * 5, "TotalInputTokens": [10.0] * 5, "TotalOutputTokens": [6.0] * 5}
    told = [(name, m, values) for name, values in by_name.items() for m in (0, 1)]
    told.append(("InferenceClientErrors", 1, [1.0, 1.0]))
    figures = [figure(name, m, values, "AWS/BedrockMantle", {"Model": MODEL}, "Count") for name, m, values in told]
    codes = {OF_RUNTIME: "L-00000001", OUTPUT: "L-00000002"}
    quotas = [
        {"service": "bedrock", "name": name, "value": QUOTAS[name]} | ({"code": codes[name]} if name in codes else {})
        for name in kept
    ]
    config = {"engines": {}, "pricing": {}, "region": "us-east-1", "cloudwatch": {"figures": figures}}
    return running_emulator(config | {"service_quotas": {"quotas": quotas}})


def test_counts_and_tokens_are_there_and_its_latency_is_not(folder, ask):
    with watched(*QUOTAS) as e:
        code, said, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert (code, told["missing"]) == (0, [])
    assert row["missing"] == "bedrock-mantle publishes no latency, throttles or server errors"
    assert row["metrics_of"] == f"AWS/BedrockMantle Model={MODEL}" and row["periods"] == 2
    assert (row["client_requests"], row["service_requests"], row["service_client_errors"]) == (10, 10, 2)
    # 10 × 10 and 10 × 6 tokens; the client counted 10 × 5 of output
    assert (row["service_prompt_tokens"], row["service_completion_tokens"]) == (100, 60)
    assert (row["prompt_tokens_more"], row["completion_tokens_more"]) == (0, 10)
    unknown = (
        "service_latency_mean_ms",
        "network_queue_ms",
        "service_throttles",
        "service_server_errors",
        "service_ttft_mean_ms",
    )
    assert {row[name] for name in unknown} == {None}
    # 50 of 1,000 tokens of input a minute are 5 %, 30 of 50 of output 60 %: this quota is the fuller one
    assert (row["tokens_quota"], row["tokens_per_minute_peak"], row["tokens_quota_share"]) == (OUTPUT, 30.0, 0.6)
    assert row["requests_per_minute_quota"] is None
    assert said[0].startswith("stage 1, opus, 1 user: 2 periods inside; quota of tokens 60 %; missing: bedrock-mantle")


def test_a_quota_of_the_other_endpoint_is_not_its_own(folder, ask):
    """Nor is that of another model."""
    with watched(OF_RUNTIME, INPUT.replace("4.7", "4.6")) as e:
        _, _, told = ask(folder, e.url)
        _, _, by_code = ask(folder, e.url, "--quota-code", "opus=L-00000001")
    none = f"target `opus`: no quota of bedrock-mantle is listed for `{MODEL}`; AWS lists those of few models"
    assert told["missing"] == [none]
    assert by_code["missing"] == ["target `opus`: L-00000001 is no quota of bedrock-mantle; give the code of one"]
    assert told["stages"][0]["tokens_quota"] is told["stages"][0]["tokens_quota_share"] is None


def test_a_quota_is_found_by_its_code(folder, ask):
    with watched(INPUT, OUTPUT) as e:
        _, _, told = ask(folder, e.url, "--quota-code", "opus=L-00000002")
    assert told["missing"] == [] and told["stages"][0]["tokens_quota"] == OUTPUT
