"""Calls of a sender to a server, without a run around them: the least of a scenario, targets, and the server's own log."""

import gevent

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.scenario import Scenario

#: what every scenario needs; targets come with the test
SCENARIO = {
    "name": "s",
    "region": "us-east-1",
    "payloads": ["p"],
    "load": {"users": [1], "measure_s": 1},
    "pricing": "b",
}
PROMPT = Prompt("p1", "Tell me of the sea, and of what lives in it.", None, prompt_tokens=77)
TOKENS = 8


def sender_for(emulator, *targets: dict, timeout_s: float = 10) -> tuple[Sender, list[RequestRecord]]:
    """A sender of these targets, which are called `t` unless they say otherwise, and its records."""
    records: list[RequestRecord] = []
    named = [{"name": "t"} | target for target in targets]
    scenario = SCENARIO | {"targets": named, "endpoint_url": emulator.url, "request_timeout_s": timeout_s}
    return Sender(Scenario.model_validate(scenario), Clock(), records.append), records


def call(sender: Sender, phase: str = "measure", name: str = "t") -> RequestRecord:
    return sender.call(1, sender.scenario.target(name), PROMPT, StageSpec(1, name, "p", 1), phase)


def tgi(endpoint: str, stream: bool = True, dialect: str = "tgi") -> dict:
    return {
        "service": "sagemaker",
        "endpoint": endpoint,
        "dialect": dialect,
        "stream": stream,
        "parameters": {"max_tokens": TOKENS},
    }


def converse(model: str, stream: bool = True, **more) -> dict:
    return {"service": "bedrock", "model_id": model, "stream": stream, "parameters": {"max_tokens": TOKENS}} | more


def invoke(model: str, family: str, stream: bool = True) -> dict:
    return converse(model, stream, api="invoke", dialect=family)


def truth_of(emulator, ids: set[str]) -> dict[str, dict]:
    """The endpoint's log by request id, once these are in it; it is written once a second."""
    for _ in range(300):
        truth = {row["request_id"]: row for row in emulator.truth_rows()}
        if ids <= set(truth):
            return truth
        gevent.sleep(0.1)
    raise AssertionError(f"the endpoint does not know {ids - set(truth)}")
