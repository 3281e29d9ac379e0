"""Counting tokens and guarding texts: boto3 and the fast path make the same record of every answer and through every fault."""

import pytest

from locustfiles.common.prompts.payloads import Prompt
from tests.helpers import bodies
from tests.helpers.both_transports import Pair
from tests.helpers.emulator_process import running_emulator

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]

GUARDRAIL = {"id": "gr12345", "version": "1"}
APPLY = {"service": "bedrock", "api": "apply-guardrail", "guardrail": GUARDRAIL}
CHECKS = {
    "service": "bedrock",
    "api": "guardrail-checks",
    "parameters": {"checks": {"contentFilter": ["HATE"], "promptAttack": ["JAILBREAK"]}},
}
COUNT = {"service": "bedrock", "api": "count-tokens", "model_id": bodies.CLAUDE, "parameters": {"max_tokens": 8}}
SURFACES = {
    "apply": APPLY,
    "full": APPLY | {"parameters": {"source": "OUTPUT", "outputScope": "FULL"}},
    "no such guardrail": APPLY | {"guardrail": {"id": "gr12345", "version": "2"}},
    "checks": CHECKS,
    "count": COUNT,
    "count of a body": COUNT | {"dialect": "claude", "system": "Be brief."},
    "no counts": COUNT | {"model_id": bodies.NOVA},
}
KINDS = {"apply": APPLY, "checks": CHECKS, "count": COUNT}
BLOCKED = Prompt("p2", "Where is the harbour master?", None)
#: what a fault becomes where there is no stream: one of each way to fail, and two that are none
CLASSES = {
    "throttle": "throttled", "server": "server", "client": "client", "access_denied": "auth", "error_in_200": "bad_response",
    "garbage_body": "bad_response", "drop": "stream_broken", "reset": "stream_broken", "drop_mid_stream": "stream_broken",
    "reset_mid_stream": "stream_broken", "exception_mid_stream": "model_error", "no_usage": "bad_response", "stall": None, "bad_crc": None,
}  # fmt: skip


def configuration(fault: str | None = None) -> dict:
    beside = {"faults": {fault: 1.0}, "stall_ms": 60} if fault else {}
    counting = {"engine": "exact", "family": "claude", "counting": beside}
    config = {key: bodies.CONFIG[key] for key in ("engines", "guardrails", "models")}
    models = config["models"] | {bodies.CLAUDE: counting}
    return config | {"models": models, "guarding": beside | {"latency_ms": 5, "blocks": ["harbour master"]}}


@pytest.fixture(scope="module")
def pair(credentials) -> Pair:
    with running_emulator(configuration()) as e:
        made = Pair(e.url, SURFACES)
        made.records("apply")  # the connection
        yield made


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_has_the_same_record_by_both(pair, surface):
    assert pair.differences(surface) == {}
    record = pair.last[0]
    assert (record.error or "") == ("client" if surface.startswith("no ") else ""), record.error_message
    assert (record.completion_tokens, record.token_source, record.chunks) == (None, "none", None)


def test_a_count_is_the_services_and_a_guardrails_units_are_billed_by_policy(pair):
    for record in pair.records("count of a body"):
        assert (record.operation, record.prompt_token_source, record.guardrail_units) == (
            "CountTokens",
            "service",
            None,
        )
        assert record.prompt_tokens != 77 and record.prompt_tokens > 0  # 77 is what the line says
    for record in pair.records("apply"):
        assert (record.operation, record.prompt_tokens, record.prompt_token_source) == ("ApplyGuardrail", 77, "payload")
        assert record.guardrail_units == "contentPolicyUnits=1 topicPolicyUnits=1"
        assert (record.stop_reason, record.service_latency_ms) == (None, 5.0)
    for record in pair.records("checks"):
        assert (record.operation, record.guardrail_units) == ("InvokeGuardrailChecks", "contentFilter=1 promptAttack=1")
    for transport in (0, 1):
        assert pair.ask(transport, "apply", BLOCKED).stop_reason == "guardrail_intervened"


@pytest.mark.parametrize("fault", CLASSES)
def test_a_fault_has_the_same_record_by_both_and_the_class_that_it_has_elsewhere(credentials, fault):
    with running_emulator(configuration(fault)) as e:
        pair = Pair(e.url, KINDS)
        for kind in KINDS:
            lost = {"response_bytes", "http_status", "request_id"} if fault == "reset_mid_stream" else set()
            assert pair.differences(kind, lost) == {}, kind
            assert pair.last[0].error == CLASSES[fault], pair.last[0].error_message
