"""A sender that tries again, its calls, and two answers to let it: a throttle and a success."""

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.calls import PROMPT, SCENARIO
from tests.helpers.lab import whole
from tests.helpers.sample_answers import WHOLES


def retrying(url: str, target: dict, attempts: int = 3, base_s: float = 0.01, max_s: float = 0.02, **more):
    """A sender of one target that tries again, and its records."""
    records: list[RequestRecord] = []
    scenario = SCENARIO | {"targets": [{"name": "t"} | target], "endpoint_url": url, "request_timeout_s": 5}
    scenario |= {"retry": {"attempts": attempts, "base_s": base_s, "max_s": max_s}} | more
    return Sender(Scenario.model_validate(scenario), Clock(), records.append), records


def call(sender: Sender, phase: str = "measure", stage: int = 1) -> RequestRecord:
    return sender.call(1, sender.scenario.targets[0], PROMPT, StageSpec(stage, "t", "p", 1), phase)


THROTTLED = whole(429, {"message": "Too many"}, "x-amzn-ErrorType: ThrottlingException")
GOOD = whole(200, WHOLES["tgi"])
