"""The roles of the load side allow the operations that it calls, collected from calls over HTTP, and none else."""

import ast
import json

import botocore.client
import botocore.session
import pytest
import yaml

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.count_tokens import TokenCounts
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.s3.operations import OPERATIONS
from locustfiles.contract.scenario.scenario import Scenario
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.calls import PROMPT, SCENARIO, converse, invoke, sender_for, tgi
from tests.helpers.documents import ROOT
from tests.helpers.emulator_process import running_emulator

#: operation -> IAM's action. Where they differ, botocore's documentation of the operation says which it is; of the gateway's stream
#: it says nothing, and AWS names one action for the API (sagemaker-gateway-runtime). Of an endpoint's stream it says InvokeEndpoint,
#: while IAM has an action of the stream's name, too
ACTIONS = {
    "Converse": "bedrock:InvokeModel",
    "ConverseStream": "bedrock:InvokeModelWithResponseStream",
    "InvokeModel": "bedrock:InvokeModel",
    "InvokeModelWithResponseStream": "bedrock:InvokeModelWithResponseStream",
    "CountTokens": "bedrock:CountTokens",
    "ApplyGuardrail": "bedrock:ApplyGuardrail",
    "InvokeGuardrailChecks": "bedrock:InvokeGuardrailChecks",
    "Rerank": "bedrock:Rerank",
    "InvokeEndpoint": "sagemaker:InvokeEndpoint",
    "InvokeEndpointWithResponseStream": "sagemaker:InvokeEndpoint",
    "InvokeEndpointAsync": "sagemaker:InvokeEndpointAsync",
    "InvokeInferenceRouter": "sagemaker:InvokeInferenceRouter",
    "InvokeInferenceRouterAsync": "sagemaker:InvokeInferenceRouterAsync",
    "InvokeGlobalInferenceGateway": "sagemaker:InvokeGlobalInferenceGateway",
    "InvokeGlobalInferenceGatewayWithResponseStream": "sagemaker:InvokeGlobalInferenceGateway",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
}
#: needed beside an operation: to be told 404 by S3 of what is not there yet; for short-term keys, which no operation shows
BESIDE = {
    "sagemaker:InvokeEndpointWithResponseStream",
    "s3:ListBucket",
    "bedrock:CallWithBearerToken",
    "sagemaker:CallWithBearerToken",
}
SERVICES = (
    "bedrock-runtime",
    "bedrock-agent-runtime",
    "sagemaker-runtime",
    "sagemaker-inference-router-runtime",
    "sagemaker-gateway-runtime",
)
RANKED = Prompt("r", "Which pier?", None, documents=("Pier 3.", "Pier 4."))
ENGINE = {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 10_000, "seed": 1}
QUEUED = {"output": "s3://answers/out"}
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
CONFIG = {
    "engines": {"quick": ENGINE},
    "endpoints": {
        "e": {"engine": "quick", "dialect": "tgi"},
        "queued": {"engine": "quick", "dialect": "tgi", "asynchronous": QUEUED},
    },
    "models": {
        CLAUDE: {"engine": "quick", "family": "claude"},
        "amazon.rerank-v1:0": {"engine": "quick", "family": "cohere-rerank"},
    },
    "openai": {"m": {"engine": "quick"}},
    "routers": {"r": {"chat": ["e"], "later": ["queued"]}},
    "gateways": ["abc123"],
    "buckets": ["inputs"],
    "guardrails": ["gr12345:DRAFT"],
}
ROUTED = {"endpoint": None, "inference_router": "r", "routing_target": "chat"}
GATEWAY = {"service": "sagemaker", "gateway": "abc123", "model_id": "m", "dialect": "openai-chat"}
GATEWAY |= {"parameters": {"max_tokens": 8}}
SOON = {"async_inference": {"poll_s": 0.1}}
BY_S3 = {"async_inference": {"poll_s": 0.1, "input": "s3", "input_location": "s3://inputs/a"}}
TARGETS = {
    "Converse": converse(CLAUDE, False),
    "ConverseStream": converse(CLAUDE),
    "InvokeModel": invoke(CLAUDE, "claude", False),
    "InvokeModelWithResponseStream": invoke(CLAUDE, "claude"),
    "ApplyGuardrail": {
        "service": "bedrock", "api": "apply-guardrail", "guardrail": {"id": "gr12345", "version": "DRAFT"},
    },
    "InvokeGuardrailChecks": {
        "service": "bedrock", "api": "guardrail-checks", "parameters": {"checks": {"contentFilter": ["HATE"]}},
    },
    "Rerank": {
        "service": "bedrock", "api": "rerank",
        "model_id": "arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0",
    },
    "InvokeEndpoint": tgi("e", False),
    "InvokeEndpointWithResponseStream": tgi("e"),
    "InvokeEndpointAsync": tgi("queued", False) | SOON,
    "InvokeInferenceRouter": tgi("", False) | ROUTED,
    "InvokeInferenceRouterAsync": tgi("", False) | ROUTED | {"routing_target": "later"} | BY_S3,
    "InvokeGlobalInferenceGateway": GATEWAY,
    "InvokeGlobalInferenceGatewayWithResponseStream": GATEWAY | {"stream": True},
}  # fmt: skip


class Cloud(yaml.SafeLoader):
    """CloudFormation's short forms: `!Ref a` is {"Ref": "a"}."""


def _short(loader: Cloud, suffix: str, node: yaml.Node) -> dict:
    kinds = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    value = kinds[type(node)](node) if type(node) in kinds else loader.construct_mapping(node)  # type: ignore[operator]
    return {suffix: value}


Cloud.add_multi_constructor("!", _short)


def actions(*documents: dict) -> set[str]:
    found: set[str] = set()
    for document in documents:
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            given = statement["Action"]
            found.update([given] if isinstance(given, str) else given)
    return found


def role(name: str) -> set[str]:
    """What a role of the template allows, conditional policies included."""
    resources = yaml.load((ROOT / "deploy/ecs/swarmledger.yaml").read_text(), Cloud)["Resources"]
    policies = list(resources[name]["Properties"]["Policies"])
    of_their_own = (one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::RolePolicy")
    policies += [one for one in of_their_own if one["RoleName"] == {"Ref": name}]
    return actions(*(policy["PolicyDocument"] for policy in policies))


def call_all(sender: Sender) -> None:
    for target in sender.scenario.targets:
        prompt = RANKED if target.name == "Rerank" else PROMPT
        sender.call(1, target, prompt, StageSpec(1, target.name, "p", 1), "measure")


@pytest.fixture(scope="module")
def called() -> tuple[set[str], list[RequestRecord]]:
    """Operations that were sent when each target was called once, by either transport, and the records."""
    targets = [{"name": name} | of for name, of in TARGETS.items()]
    sent: set[str] = set()
    with pytest.MonkeyPatch.context() as patch, running_emulator(CONFIG) as emulator:
        patch.setenv("AWS_ACCESS_KEY_ID", EXAMPLE_ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", EXAMPLE_SECRET_KEY)
        sender, records = sender_for(emulator, *targets)
        call_all(sender)
        counts = TokenCounts(sender).of(sender.scenario.target("Converse"), [Prompt("p", "One?", None)])
        assert counts.refused is None

        ask = botocore.client.BaseClient._make_api_call

        def noted(client, operation, parameters):
            sent.add(operation)
            return ask(client, operation, parameters)

        patch.setattr(
            botocore.client.BaseClient, "_make_api_call", noted
        )  # the endpoint does not count what S3 is asked
        same = SCENARIO | {"targets": targets, "endpoint_url": emulator.url, "transport": "boto3"}
        call_all(Sender(Scenario.model_validate(same), Clock(), records.append))
        return sent | set(emulator.stats()["by_operation"]) - {"AsyncInvocation"}, records  # the queue's own


def test_each_call_was_answered(called):
    _, records = called
    assert [(r.target, r.error, r.error_message) for r in records if r.error] == []
    assert [r.operation for r in records] == [*TARGETS, *TARGETS]


def test_every_operation_that_the_load_side_knows_was_called(called):
    """A new one has to be added to the targets above, and to the roles."""
    session = botocore.session.Session()
    there = {name for service in SERVICES for name in session.get_service_model(service).operation_names}
    texts = {
        node.value
        for path in (ROOT / "locustfiles/common").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert texts & there <= called[0]


def test_the_workers_role_allows_what_was_called_and_nothing_else(called):
    assert role("WorkerRole") == {ACTIONS[name] for name in called[0]} | BESIDE


def test_the_masters_role_allows_run_folders_and_nothing_else():
    assert role("MasterRole") == {operation.action for operation in OPERATIONS if not operation.only_kms}


def test_the_machines_on_ec2_may_do_the_same_and_read_the_token():
    document = json.loads((ROOT / "deploy/ec2/policy.json").read_text())
    assert actions(document) == role("WorkerRole") | role("MasterRole") | {"secretsmanager:GetSecretValue"}


def test_no_role_allows_a_pattern():
    for name in ("ExecutionRole", "MasterRole", "WorkerRole"):
        assert [action for action in role(name) if "*" in action] == []
