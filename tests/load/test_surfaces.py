"""Every surface over a real socket to the local endpoint: the records against the endpoint's own log."""

import pytest

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.targets import BedrockTarget, SageMakerTarget
from tests.helpers import bodies
from tests.helpers.calls import PROMPT, TOKENS, sender_for, truth_of
from tests.helpers.emulator_process import running_emulator
from tests.helpers.surfaces import EMBEDDINGS, PARAMETERS, STREAMS, THINKING, WHOLES, container, converse

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    with running_emulator(bodies.CONFIG, truth=tmp_path_factory.mktemp("surfaces") / "truth.jsonl") as e:
        yield e


THINKS = {"thinking.claude": "claude", "thinking.gpt-oss": "openai-chat"}
LENGTH = {"max_tokens", "length", "LENGTH", "MAX_TOKENS"}  # how the families say that the limit was reached


@pytest.fixture(scope="module")
def sender(emulator, credentials) -> Sender:
    """One sender for all: the first client of each service takes boto3 most of the time."""
    return sender_for(emulator, converse(bodies.NOVA), container("tgi", "tgi") | {"name": "u"})[0]


def one(sender: Sender, target: dict) -> RequestRecord:
    kind = SageMakerTarget if target["service"] == "sagemaker" else BedrockTarget
    return sender.call(1, kind(name="t", **target), PROMPT, StageSpec(1, "t", "p", 1), "measure")


def send(sender: Sender, target: dict, times: int = 1) -> list[RequestRecord]:
    records = [one(sender, target) for _ in range(times)]
    assert [(r.error, r.error_code, r.error_message) for r in records] == [(None, None, None)] * times
    return records


@pytest.fixture(scope="module")
def measured(emulator, sender):
    """measured(kind, stream): a record and its row of the endpoint's log, which is written once a second: all sent at once.
    Who asks for the same again gets a new one."""
    targets = {(kind, True): target | {"stream": True} for kind, target in (STREAMS | THINKING).items()}
    targets |= {(kind, False): target | {"stream": False} for kind, target in (WHOLES | EMBEDDINGS).items()}
    records = {key: send(sender, target, times=2)[1] for key, target in targets.items()}  # the first one may connect

    def one_of(kind: str, stream: bool) -> tuple[RequestRecord, dict]:
        record = records.pop((kind, stream), None) or one(sender, targets[kind, stream])
        return record, truth_of(emulator, {record.request_id})[record.request_id]

    return one_of


SURFACES = [(kind, True) for kind in STREAMS] + [(kind, False) for kind in WHOLES]


@pytest.mark.parametrize(
    ("kind", "stream"), SURFACES, ids=[f"{kind}, {'stream' if s else 'whole'}" for kind, s in SURFACES]
)
def test_tokens_reason_and_times_are_those_of_the_endpoints_log(measured, kind, stream):
    record, row = measured(kind, stream)
    assert (record.prompt_tokens, record.prompt_token_source) == (row["prompt_tokens"], "service")
    assert (record.completion_tokens, record.token_source) == (TOKENS, "service")
    assert record.completion_tokens == row["completion_tokens"] and record.stop_reason in LENGTH
    if not stream:
        assert record.ttft_ms is record.chunks is None
        return
    assert record.chunks == TOKENS
    for ours, true in ((record.ttft_ms, "first_token"), (record.last_token_ms, "last_token")):
        assert -0.3 < ours - (row[true] - row["arrival"]) * 1000 < 20
    assert record.ttft_visible_ms == record.ttft_ms
    if record.service == "bedrock":
        assert 19 <= record.service_ttft_ms <= record.service_latency_ms <= record.latency_ms + 1


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_an_embedding_is_a_success_with_no_output_tokens(measured, kind):
    record, row = measured(kind, False)
    assert (record.completion_tokens, row["completion_tokens"]) == (0, 0)
    if kind == "hugging face":  # the container counts nothing: the payload line does
        assert (record.prompt_tokens, record.prompt_token_source) == (77, "payload")
    else:
        assert (record.prompt_tokens, record.prompt_token_source) == (row["prompt_tokens"], "service")


@pytest.mark.parametrize("kind", THINKING)
def test_reasoning_starts_ttft_and_text_starts_the_visible_one(measured, sender, kind):
    record, row = measured(kind, True)
    assert -0.3 < record.ttft_ms - (row["first_token"] - row["arrival"]) * 1000 < 20
    # two tokens of reasoning at 100 a second: the first text comes 20 ms after the first token
    assert 10 < record.ttft_visible_ms - record.ttft_ms < 40
    assert (record.chunks, record.completion_tokens) == (TOKENS, TOKENS)
    [whole] = send(sender, THINKING[kind])
    assert (whole.completion_tokens, whole.ttft_visible_ms) == (TOKENS, None)


def test_tool_input_is_output_that_is_not_visible(sender):
    tool = {"toolSpec": {"name": "lookup", "inputSchema": {"json": {"type": "object"}}}}
    parameters = PARAMETERS | {"toolConfig": {"tools": [tool], "toolChoice": {"any": {}}}}
    [record] = send(sender, converse(bodies.NOVA, stream=True, parameters=parameters))
    assert (record.stop_reason, record.chunks, record.ttft_visible_ms) == ("tool_use", TOKENS, None)
    assert 19 <= record.ttft_ms <= record.last_token_ms <= record.latency_ms


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_cached_prompt_tokens_are_counted_apart(emulator, sender, api, stream):
    system = f"The {api} cache of {'streams' if stream else 'whole answers'} is filled by the first of two calls."
    target = {"service": "bedrock", "model_id": "thinking.claude", "api": api, "dialect": "claude", "stream": stream}
    target |= {"system": system, "cache_system": True, "parameters": PARAMETERS}
    records = send(sender, target, times=2)
    truth = truth_of(emulator, {r.request_id for r in records})
    cached = -(-len(system) // 4)  # four characters a token, the last one rounded up
    assert [(r.cache_read_tokens, r.cache_write_tokens) for r in records] == [(0, cached), (cached, 0)]
    assert [r.prompt_tokens + cached for r in records] == [truth[r.request_id]["prompt_tokens"] for r in records]


@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_guardrail_latency_and_tier_reach_the_service(sender, api):
    settings = {"guardrail": {"id": "gr12345", "version": "1"}, "latency": "optimized", "service_tier": "flex"}
    target = {"service": "bedrock", "model_id": bodies.NOVA, "api": api, "parameters": PARAMETERS} | settings
    send(sender, target)
    record = one(sender, target | {"guardrail": {"id": "gr12345", "version": "2"}})
    assert (record.error, record.error_code) == ("client", "ValidationException")
    assert "guardrail" in record.error_message


def test_a_prompt_that_the_container_repeats_is_no_output(sender):
    target = container("tgi", "tgi", parameters=PARAMETERS | {"return_full_text": True})
    for stream in (True, False):
        [record] = send(sender, target | {"stream": stream})
        assert (record.completion_tokens, record.stop_reason) == (TOKENS, "length")
        assert record.chunks == (TOKENS if stream else None)


def test_parts_cut_inside_lines_and_characters_are_put_together(sender):
    [record] = send(sender, container("tgi-split", "tgi", stream=True, parameters={"max_tokens": 120}))
    assert (record.completion_tokens, record.chunks) == (120, 120)


def test_a_session_and_custom_attributes_do_no_harm(sender):
    [record] = send(sender, container("tgi", "tgi", session_id="NEW_SESSION", custom_attributes="tenant=7"))
    assert record.completion_tokens == TOKENS
