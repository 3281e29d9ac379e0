"""Rankings: what each dialect is sent, what of its answer is read, and calls of the local endpoint; who else gets documents refuses them."""

import json

import boto3
import pytest

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.dialects.request import Body, build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import BadPayload, Prompt, load_payload
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers import bodies
from tests.helpers.both_transports import Pair, differences
from tests.helpers.calls import sender_for
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.sent import sent_by_boto3

DOCUMENTS = ("The ferry leaves at nine.", "The harbour is old.")
ASKED = Prompt("p", "When does it leave?", None, documents=DOCUMENTS)
ROUTE = {"service": "openai", "base_url": "http://h/v1", "model_id": "m", "dialect": "openai-rerank"}
COHERE = {"service": "bedrock", "model_id": "cohere.rerank-v3-5:0", "api": "invoke"}
TEI = {"service": "sagemaker", "endpoint": "ranks", "dialect": "hf-rerank"}
KINDS = {"openai": OpenAITarget, "bedrock": BedrockTarget, "sagemaker": SageMakerTarget}


def target(facts: dict, **more):
    return KINDS[facts["service"]](**{"name": "t"} | facts | more)


def test_each_dialect_takes_query_and_documents_by_its_own_names():
    both = {"query": ASKED.text, "documents": list(DOCUMENTS)}
    asked = build(target(ROUTE, parameters={"top_n": 1, "return_documents": False}), ASKED)
    assert json.loads(asked.body) == {"model": "m", **both, "top_n": 1, "return_documents": False}
    assert (asked.operation, asked.path) == ("Rerank", "/rerank")  # after base_url
    assert json.loads(build(target(COHERE), ASKED).body) == both | {"api_version": 2}
    tei = json.loads(build(target(TEI, parameters={"truncate": True}), ASKED).body)
    assert tei == {"query": ASKED.text, "texts": list(DOCUMENTS), "truncate": True}
    with pytest.raises(BadScenario, match="a ranking has no `max_tokens`; remove it"):
        build(target(TEI, parameters={"max_tokens": 5}), ASKED)
    for facts in (ROUTE, COHERE, TEI):
        with pytest.raises(ValueError, match="rankings do not stream; remove `stream:`"):
            target(facts, stream=True)


def test_documents_are_for_those_that_rank_and_these_take_nothing_else(tmp_path):
    with pytest.raises(
        BadPayload, match="has documents to rank, which openai-chat does not do; use one of openai-rerank, cohere-"
    ):
        build(target(ROUTE | {"dialect": "openai-chat"}), ASKED)
    with pytest.raises(BadPayload, match="has no documents, which openai-rerank ranks; write the line as"):
        build(target(ROUTE), Prompt("p", "Hello", None))
    for row in (
        {"query": "a"},
        {"query": "a", "documents": []},
        {"prompt": "a", "documents": ["b"]},
        {"query": "a", "documents": [1]},
    ):
        (tmp_path / "p.jsonl").write_text(json.dumps(row))
        with pytest.raises(BadPayload, match=r"p.jsonl:1: `query` and `documents` belong together"):
            load_payload(tmp_path / "p.jsonl")


def read(dialect: str, answer: object):
    service = {"openai-rerank": "openai", "cohere-rerank": "bedrock", "hf-rerank": "sagemaker"}[dialect]
    body = Body(service, "Rerank", "/", {}, b"{}", False, dialect)
    return parse_answer(body, 200, {}, [(1.0, json.dumps(answer).encode())], True)


RESULTS = [{"index": 1, "relevance_score": 0.98}, {"index": 0, "relevance_score": 0.02}]
ANSWERS = {
    # as vLLM answers, Jina, Cohere's own (v2) and on Bedrock, TEI
    "vllm": (
        "openai-rerank",
        {"id": "rerank-1", "model": "m", "usage": {"total_tokens": 56}, "results": RESULTS},
        56,
        None,
    ),
    "jina": ("openai-rerank", {"usage": {"prompt_tokens": 50, "total_tokens": 56}, "results": RESULTS}, 50, None),
    "cohere": (
        "openai-rerank",
        {"id": "a", "results": RESULTS, "meta": {"billed_units": {"search_units": 2}}},
        None,
        2.0,
    ),
    "bedrock": ("cohere-rerank", {"results": RESULTS}, None, None),
    "tei": ("hf-rerank", [{"index": 1, "score": 0.99}, {"index": 0, "score": 0.1}], None, None),
}


@pytest.mark.parametrize(("dialect", "answer", "tokens", "units"), ANSWERS.values(), ids=ANSWERS)
def test_results_are_an_answer_and_what_is_counted_is_read(dialect, answer, tokens, units):
    parsed = read(dialect, answer)
    assert (parsed.error, parsed.prompt_tokens, parsed.completion_tokens, parsed.billed_units) == (
        None,
        tokens,
        0,
        units,
    )


@pytest.mark.parametrize(
    "answer", [{"results": []}, {}, {"results": [{"index": 0}]}, {"results": [{"relevance_score": 0.5}]}]
)
def test_an_answer_without_scores_is_none(answer):
    assert read("openai-rerank", answer).error == ErrorClass.BAD_RESPONSE


@pytest.fixture(scope="module")
def emulator():
    config = bodies.CONFIG | {
        "endpoints": bodies.CONFIG["endpoints"] | {"ranks": {"engine": "exact", "dialect": "hf-rerank"}},
        "models": bodies.CONFIG["models"] | {"cohere.rerank-v3-5:0": {"engine": "exact", "family": "cohere-rerank"}},
    }
    with running_emulator(config) as e:
        yield e


def test_the_local_endpoint_ranks_and_both_transports_record_the_same(emulator, credentials):
    pair = Pair(emulator.url, {"cohere": COHERE, "tei": TEI})
    for name in ("cohere", "tei"):
        fast, boto3 = (pair.ask(transport, name, ASKED) for transport in (0, 1))
        told = differences(fast, boto3)
        assert told.keys() <= {"latency_ms", "service_latency_ms"}
        assert (fast.error, fast.error_message, fast.completion_tokens) == (None, None, 0)
        assert fast.request_bytes == boto3.request_bytes > len(ASKED.text)


def test_the_route_answers_with_tokens_and_units(emulator, credentials, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local")
    sender, _ = sender_for(emulator, ROUTE | {"base_url": f"{emulator.url}/v1", "model_id": "exact"})
    for prompt in (ASKED, *load_payload(ROOT / "payloads/examples/rerank.jsonl")):
        record = sender.call(1, sender.scenario.target("t"), prompt, StageSpec(1, "t", "p", 1), "measure")
        characters = len("\n".join([prompt.text, *prompt.documents]))
        assert (record.error, record.prompt_tokens) == (None, -(-characters // 4))  # four characters a token
        assert (record.completion_tokens, record.billed_units, record.operation) == (0, 1.0, "Rerank")


AGENTS = {
    "service": "bedrock",
    "api": "rerank",
    "model_id": "arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0",
}


def test_rerank_of_the_agents_runtime_is_what_boto3_sends_and_both_record_it_alike(credentials):
    parameters = {"numberOfResults": 1, "additionalModelRequestFields": {"k": 1}}
    asked = json.loads(build(target(AGENTS, parameters=parameters), ASKED).body)
    path, _, raw = sent_by_boto3("bedrock-agent-runtime", "rerank", **asked)
    assert (path, json.loads(raw)) == ("/rerank", asked)
    models = {"amazon.rerank-v1:0": {"engine": "exact", "family": "cohere-rerank"}}
    faults = {"throttled": "throttle", "bad": "empty_output"}
    models |= {
        f"{f}.rerank": {"engine": "exact", "family": "cohere-rerank", "faults": {fault: 1.0}}
        for f, fault in faults.items()
    }
    arn = AGENTS["model_id"].replace
    targets = {"works": AGENTS | {"parameters": parameters}, "no model": AGENTS | {"model_id": arn("amazon", "none")}}
    targets |= {f: AGENTS | {"model_id": arn("amazon.rerank-v1:0", f"{f}.rerank")} for f in faults}
    errors = {"works": None, "no model": "client", "throttled": "throttled", "bad": "bad_response"}
    with running_emulator(bodies.CONFIG | {"models": models}) as e:
        pair = Pair(e.url, targets)
        for name, error in errors.items():
            fast, slow = (pair.ask(transport, name, ASKED) for transport in (0, 1))
            late = {"latency_ms", "service_latency_ms", "request_bytes"}  # boto3 writes JSON with blanks
            assert differences(fast, slow).keys() <= late, (name, differences(fast, slow))
            assert (fast.error, fast.operation) == (error, "Rerank"), fast.error_message
            assert fast.completion_tokens == (0 if error is None else fast.completion_tokens)
        keys = {"aws_access_key_id": EXAMPLE_ACCESS_KEY, "aws_secret_access_key": EXAMPLE_SECRET_KEY}
        client = boto3.client("bedrock-agent-runtime", "us-east-1", endpoint_url=e.url, **keys)
        told = client.rerank(**json.loads(build(target(AGENTS), ASKED).body))["results"]
        assert sorted(each["index"] for each in told) == [0, 1]
        assert [each["relevanceScore"] for each in told] == sorted(
            (each["relevanceScore"] for each in told), reverse=True
        )


def test_what_rerank_has_no_place_for_is_told():
    with pytest.raises(
        ValueError, match=r"by its ARN; write `model_id: arn:aws:bedrock:REGION::foundation-model/amazon\.r"
    ):
        target(AGENTS, model_id="amazon.rerank-v1:0")
    with pytest.raises(ValueError, match=r"not known \(`api: rerank` asks it by its ARN\)"):
        target(AGENTS, api="invoke", model_id="amazon.rerank-v1:0")
    with pytest.raises(ValueError, match="`api: rerank` answers in one piece; remove `stream:`"):
        target(AGENTS, stream=True)
    with pytest.raises(BadScenario, match="`api: rerank` has no `truncate`; remove it .* numberOfResults"):
        build(target(AGENTS, parameters={"truncate": 1}), ASKED)
    asked = json.loads(build(target(AGENTS, parameters={"top_n": 1}), ASKED).body)["rerankingConfiguration"]
    assert asked["bedrockRerankingConfiguration"]["numberOfResults"] == 1
    with pytest.raises(BadPayload, match="has no documents, which rerank ranks"):
        build(target(AGENTS), Prompt("p", "Hello", None))
