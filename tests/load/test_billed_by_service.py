"""What is billed beside plain tokens, over real sockets: the records of both transports of the endpoint's answers."""

import json

import pytest

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.targets import BedrockTarget
from tests.helpers.both_transports import Pair
from tests.helpers.calls import PROMPT, sender_for
from tests.helpers.emulator_process import running_emulator
from tests.helpers.surfaces import PARAMETERS, RAW_CHAT, container, converse, invoke

pytestmark = pytest.mark.usefixtures("credentials")

ROUTER = "arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/amazon.nova:1"
ROUTED = ["amazon.nova-lite-v1:0", "us.amazon.nova-pro-v1:0"]
GUARDRAIL = {"id": "gr12345", "version": "1"}
FRAMINGS = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def configuration() -> dict:
    fast = {"exact": {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 5000, "seed": 1}}
    models = {
        "caching.claude": {"engine": "exact", "family": "claude", "cache_minimum_tokens": 8},
        "guarded.claude": {"engine": "exact", "family": "claude", "blocked": True},
        "passing.titan": {"engine": "exact", "family": "titan-text"},
        ROUTER: {"engine": "exact", "family": "nova", "routes_to": ROUTED},
        "openai.gpt-oss-20b-1:0": {"engine": "exact", "family": "openai-chat", "caches_prompts": True},
    }
    chat = {"chat": {"engine": "exact", "dialect": "openai-chat"}}
    served = {
        "caching": {"engine": "exact", "caches_prompts": True},
        "plain": {"engine": "exact"},
        "one-tier": {"engine": "exact", "serves_tier": "default"},
    }
    keys = {"bearer_tokens": ["bedrock-api-key-example"], "guardrails": ["gr12345:1"]}
    return {"engines": fast, "models": models, "endpoints": chat, "openai": served} | keys


@pytest.fixture(scope="module")
def emulator():
    with running_emulator(configuration()) as e:
        yield e


def ask(pair: Pair, transport: int, name: str, prompt: Prompt = PROMPT) -> RequestRecord:
    record = pair.ask(transport, name, prompt)
    assert (record.error, record.error_message) == (None, None)
    return record


CACHES = [(api, stream) for api in ("converse", "invoke") for stream in (True, False)]


@pytest.fixture(scope="module")
def caches(emulator, credentials) -> Pair:
    """A target for each transport, which fills a cache of its own; each system has 48 characters, which are 12 tokens."""
    targets = {}
    for api, stream in CACHES:
        for transport in (0, 1):
            name = f"{api} {stream} {transport}"
            system = f"The system of {name} ".ljust(48, ".")
            kept = {"system": system, "cache_system": True, "cache_ttl": "1h", "stream": stream, "api": api}
            targets[name] = converse("caching.claude", dialect="claude", **kept)
    return Pair(emulator.url, targets)


def marked(text: str, ttl: dict) -> Prompt:
    parts = [
        {"type": "text", "text": text},
        {"cachePoint": {"type": "default"} | ttl},
        {"type": "text", "text": "Go on."},
    ]
    return Prompt("p1", None, [{"role": "user", "content": parts}])


def written(record: RequestRecord) -> tuple:
    return record.cache_read_tokens, record.cache_write_tokens, record.cache_write_1h_tokens


@pytest.mark.parametrize(("api", "stream"), CACHES)
@pytest.mark.parametrize("transport", [0, 1], ids=["fast", "boto3"])
def test_tokens_written_for_an_hour_are_counted_apart(caches, transport, api, stream):
    name = f"{api} {stream} {transport}"
    # 48 + 40 characters are 22 tokens: 12 of the system for an hour, 10 of the prompt for five minutes
    assert written(ask(caches, transport, name, marked("x" * 40, {}))) == (0, 22, 12)
    # Converse has no details where nothing was written, Claude zeros
    nothing = None if api == "converse" else 0
    assert written(ask(caches, transport, name, marked("x" * 40, {}))) == (22, 0, nothing)
    # another prompt: the system is there, 10 tokens are written, for an hour where the line says so
    assert written(ask(caches, transport, name, marked("y" * 40, {"ttl": "5m"}))) == (12, 10, 0)
    assert written(ask(caches, transport, name, marked("z" * 40, {"ttl": "1h"}))) == (12, 10, 10)


def test_a_time_to_live_belongs_to_a_cached_system():
    target = {"name": "t", "service": "bedrock", "model_id": "m", "system": "Be brief."}
    with pytest.raises(
        ValueError, match="`cache_ttl` is for how long `cache_system` keeps its tokens; add `cache_system: true`"
    ):
        BedrockTarget.model_validate(target | {"cache_ttl": "1h"})
    with pytest.raises(ValueError, match="cache_ttl"):
        BedrockTarget.model_validate(target | {"cache_system": True, "cache_ttl": "2h"})
    points = []
    for ttl in ({"cache_ttl": "1h"}, {"cache_ttl": "5m"}, {}):
        converse_target = BedrockTarget.model_validate(target | {"cache_system": True} | ttl)
        points.append(json.loads(build(converse_target, PROMPT).body)["system"][-1])
    kinds = ({"type": "default", "ttl": "1h"}, {"type": "default", "ttl": "5m"}, {"type": "default"})
    assert points == [{"cachePoint": kind} for kind in kinds]


@pytest.fixture(scope="module")
def pair(emulator, credentials) -> Pair:
    targets = {"raw": container("chat", "raw", **RAW_CHAT)}
    targets["units"] = container(
        "chat", "raw", body=RAW_CHAT["body"], answer=RAW_CHAT["answer"] | {"units": "usage.total_tokens"}
    )
    guarded = {"guardrail": GUARDRAIL}
    for stream in (True, False):
        more = guarded | {"stream": stream}
        targets |= {
            f"passed, converse {stream}": converse("caching.claude", **more),
            f"passed, claude {stream}": invoke("caching.claude", dialect="claude", **more),
            f"passed, titan {stream}": invoke("passing.titan", dialect="titan-text", **more),
            f"blocked, converse {stream}": converse("guarded.claude", **more),
            f"blocked, claude {stream}": invoke("guarded.claude", dialect="claude", **more),
            f"untraced, converse {stream}": converse(
                "caching.claude", **more, parameters=PARAMETERS | {"guardrailConfig": {"trace": "disabled"}}
            ),
            f"untraced, claude {stream}": invoke(
                "caching.claude", dialect="claude", **more, parameters=PARAMETERS | {"trace": "DISABLED"}
            ),
            f"by parameters {stream}": converse(
                "caching.claude",
                stream=stream,
                parameters=PARAMETERS
                | {"guardrailConfig": {"guardrailIdentifier": "gr12345", "guardrailVersion": "1"}},
            ),
            f"unguarded {stream}": converse("caching.claude", stream=stream),
            f"routed {stream}": converse(ROUTER, stream=stream),
        }
    return Pair(emulator.url, targets)


@FRAMINGS
@pytest.mark.parametrize("transport", [0, 1], ids=["fast", "boto3"])
def test_a_guardrails_units_are_read_from_its_trace(pair, transport, stream):
    # 44 characters of prompt and fewer than 1,000 of answer are a unit each, of both policies
    both, prompt_alone = "contentPolicyUnits=2 topicPolicyUnits=2", "contentPolicyUnits=1 topicPolicyUnits=1"
    expected = {
        **dict.fromkeys(("passed, converse", "passed, claude", "passed, titan", "by parameters"), both),
        **dict.fromkeys(("blocked, converse", "blocked, claude"), prompt_alone),
        **dict.fromkeys(("untraced, converse", "untraced, claude", "unguarded"), None),
    }
    assert {name: ask(pair, transport, f"{name} {stream}").guardrail_units for name in expected} == expected
    # 2,500 characters are 3 units, the answer's 1
    long = Prompt("long", "x" * 2500, None)
    record = ask(pair, transport, f"passed, converse {stream}", long)
    assert record.guardrail_units == "contentPolicyUnits=4 topicPolicyUnits=4"


@FRAMINGS
def test_the_model_that_a_router_chose_is_recorded_by_both_transports(pair, stream):
    arns = {
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
    }
    prompts = [Prompt(str(n), f"Question {n}.", None) for n in range(8)]
    chosen = [[ask(pair, t, f"routed {stream}", prompt).invoked_model for prompt in prompts] for t in (0, 1)]
    assert chosen[0] == chosen[1] and set(chosen[0]) == arns
    assert ask(pair, 0, f"unguarded {stream}").invoked_model is None


def test_units_are_where_a_raw_answer_says(pair):
    for transport in (0, 1):
        record = ask(pair, transport, "units")
        assert record.billed_units == record.prompt_tokens + record.completion_tokens
        assert ask(pair, transport, "raw").billed_units is None


# --- OpenAI's routes ---


@pytest.fixture
def route(emulator, monkeypatch):
    """route(model, bedrock, stream, parameters): a sender of one target, and how it is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", "bedrock-api-key-example")

    def asked(model: str, prompt: Prompt = PROMPT, bedrock: bool = False, **more) -> RequestRecord:
        url = f"{emulator.url}{'/openai' if bedrock else ''}/v1"
        target = {"service": "openai", "base_url": url, "model_id": model, "parameters": PARAMETERS} | more
        sender, _ = sender_for(emulator, target | {"price": {"input": 0.1, "output": 0.2}})
        record = sender.call(1, sender.scenario.target("t"), prompt, StageSpec(1, "t", "p", 1), "measure")
        assert (record.error, record.error_message) == (None, None)
        return record

    return asked


@FRAMINGS
@pytest.mark.parametrize("bedrock", [True, False], ids=["Bedrock's", "own"])
def test_tokens_written_to_a_cache_are_none_of_the_fresh_ones(route, bedrock, stream):
    # 4,800 characters are 1,200 tokens, of which 9 blocks of 128 are cached: 1,152; 48 are fresh
    prompt = Prompt("p", f"{bedrock} {stream} ".ljust(4800, "x"), None)
    model = "openai.gpt-oss-20b-1:0" if bedrock else "caching"
    first, second = (route(model, prompt, bedrock, stream=stream) for _ in range(2))
    assert (first.prompt_tokens, first.cache_read_tokens, first.cache_write_tokens) == (48, 0, 1152)
    assert (second.prompt_tokens, second.cache_read_tokens, second.cache_write_tokens) == (48, 1152, 0)


@FRAMINGS
def test_the_tier_that_an_answer_names_is_recorded(route, stream):
    asked = PARAMETERS | {"service_tier": "flex"}
    assert route("plain", stream=stream, parameters=asked).served_tier == "flex"
    assert route("openai.gpt-oss-20b-1:0", bedrock=True, stream=stream, parameters=asked).served_tier == "flex"
    assert route("one-tier", stream=stream, parameters=asked).served_tier == "default"
    assert route("plain", stream=stream).served_tier is None
    text = {"dialect": "openai-completions", "parameters": asked}
    assert route("plain", stream=stream, **text).served_tier == "flex"
    assert route("plain", stream=stream).cache_write_tokens is None
