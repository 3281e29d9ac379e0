"""Clients that leave on purpose: at the first token or after a while, by both transports, and the server notices."""

import collections
import time

import pytest

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers import folders
from tests.helpers.calls import SCENARIO
from tests.helpers.emulator_process import running_emulator
from tests.helpers.patience import until

#: the first of 40 tokens after 60 ms, the others every 50 ms: 60 ms + 39 / 20 s = 2.01 s
ENDPOINT = {
    "engines": {"steady": {"kind": "timed", "ttft_ms": 60, "tokens_per_second": 20, "seed": 3}},
    "endpoints": {
        "steady": {"engine": "steady", "dialect": "tgi"},
        "chat": {"engine": "steady", "dialect": "openai-chat"},
    },
    "models": {
        "steady-nova": {"engine": "steady", "family": "nova"},
        "steady-claude": {"engine": "steady", "family": "claude"},
    },
}
LONG = {"parameters": {"max_tokens": 40}, "stream": True}
TARGETS = {
    "converse": {"service": "bedrock", "model_id": "steady-nova", "api": "converse"},
    "claude": {"service": "bedrock", "model_id": "steady-claude", "api": "invoke", "dialect": "claude"},
    "tgi": {"service": "sagemaker", "endpoint": "steady", "dialect": "tgi", "instance_type": "ml.test"},
    "chat": {"service": "sagemaker", "endpoint": "chat", "dialect": "openai-chat", "instance_type": "ml.test"},
}
PROMPT = Prompt("p1", "Tell me of it.", None)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory, credentials):
    with running_emulator(ENDPOINT, truth=tmp_path_factory.mktemp("leaving") / "truth.jsonl") as e:
        yield e


def sender(endpoint, cancel: dict, transport: str = "fast", share: float = 0.999) -> Sender:
    targets = [TARGETS[name] | LONG | {"name": name} for name in TARGETS]
    scenario = SCENARIO | {
        "targets": targets,
        "endpoint_url": endpoint.url,
        "request_timeout_s": 10,
        "transport": transport,
    }
    return Sender(
        Scenario.model_validate(scenario | {"cancel": {"share": share} | cancel}), Clock(), lambda record: None
    )


def call(of: Sender, name: str, stage: int = 1) -> RequestRecord:
    return of.call(1, of.scenario.target(name), PROMPT, StageSpec(stage, name, "p", 1), "measure")


def left(of: Sender, name: str) -> RequestRecord:
    """The record of a call whose client leaves: of a thousand one does not."""
    record = call(of, name)
    return record if record.error else call(of, name)


@pytest.mark.parametrize("transport", ["fast", "boto3"])
@pytest.mark.parametrize("name", TARGETS)
def test_who_leaves_at_the_first_token_has_its_time_and_nothing_else(endpoint, name, transport):
    of = sender(endpoint, {"after": "first_token"}, transport)
    record = left(of, name)
    assert (record.error, record.error_code, record.http_status) == ("cancelled", "ClientCancelled", 200)
    assert record.ttft_ms is not None and 55 < record.ttft_ms <= record.latency_ms < 1000
    assert record.chunks in (1, 2) and record.completion_tokens is None and record.stop_reason is None
    assert "left on purpose" in record.error_message
    noticed(endpoint, record, most=12)


@pytest.mark.parametrize("transport", ["fast", "boto3"])
def test_who_leaves_after_a_while_has_what_had_come_by_then(endpoint, transport):
    record = left(sender(endpoint, {"after_s": 0.5}, transport), "converse")
    assert (record.error, record.error_code) == ("cancelled", "ClientCancelled")
    assert 490 < record.latency_ms < 900
    assert 4 <= record.chunks <= 14  # the ninth token leaves after 460 ms
    noticed(endpoint, record, most=25)


def test_who_leaves_before_an_answer_has_no_token(endpoint):
    record = left(sender(endpoint, {"after_s": 0.02}), "tgi")
    assert (record.error_code, record.ttft_ms, record.http_status, record.chunks) == (
        "ClientCancelled",
        None,
        None,
        None,
    )


def noticed(endpoint, record: RequestRecord, most: int) -> None:
    """The endpoint saw the connection close, and stopped: of 40 tokens it sent a few."""
    (row,) = until(
        lambda: list(folders.truth_of(endpoint, {record.request_id}).values()), "the endpoint has let go of it"
    )
    assert row["deltas"] <= most, row
    time.sleep(0)  # nothing more is written of it
    assert row["error"] == "client disconnected", row


def test_of_every_block_exactly_the_share_leaves(endpoint):
    """Three of ten; the next connection works, for the one before was not kept."""
    of = sender(endpoint, {"after_s": 0.01}, share=0.3)
    outcomes = []
    quick = of.scenario.target("tgi").model_copy(update={"parameters": {"max_tokens": 1}})
    for _ in range(30):
        record = of.call(1, quick, PROMPT, StageSpec(1, "tgi", "p", 1), "measure")
        outcomes.append(record.error_code)
    counts = [collections.Counter(outcomes[at : at + 10]) for at in (0, 10, 20)]
    assert counts == [{None: 7, "ClientCancelled": 3}] * 3
    assert outcomes[:10] != outcomes[10:20] or outcomes[10:20] != outcomes[20:]


def test_first_calls_are_never_left(endpoint):
    of = sender(endpoint, {"after_s": 0.01})
    quick = of.scenario.target("tgi").model_copy(update={"parameters": {"max_tokens": 1}})
    records = [of.call(0, quick, PROMPT, StageSpec(0, "tgi", "p", None), "warmup") for _ in range(3)]
    assert [r.error for r in records] == [None] * 3
