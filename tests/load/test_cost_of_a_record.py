"""What a record costs the worker that hands it in and the master that takes it does not grow with the run."""

import dataclasses
import statistics
import time

from locust.env import Environment

from locustfiles.common.calls.clock import Clock
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.recording.delivery import Outbox
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.recording.stage_tally import Tally, window_ends
from locustfiles.common.swarm.user import tell_locust
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.scenario.loads import Load
from tests.helpers.run_parts import ONE, inputs, record

BLOCK, BLOCKS = 1000, 200
RECORD = dataclasses.replace(
    record(1),
    target="one",
    latency_ms=590.0,
    ttft_ms=100.0,
    last_token_ms=590.0,
    prompt_tokens=30,
    completion_tokens=50,
)
PRECISE = Load.model_validate({"users": [1], "until": {"relative_ci": 1e-6, "at_most_s": 1e6}})


def begun(folder):
    """A run of one target, priced by token."""
    prompts = {name: [Prompt("1", "Tell me of it.", None)] for name in "ab"}
    prices = {"one": TokenPrice(input=0.001, output=0.002)}
    return RunRecorder(
        Environment(), dataclasses.replace(inputs(ONE), prices=prices, payloads=prompts), folder, Clock()
    )


def test_a_record_costs_the_same_after_200000_as_after_1000(tmp_path):
    """CPU time, so that other programs hardly count; medians of ten blocks. What walks all records at each one, as a peer's
    percentiles do, makes the last blocks many times dearer than the first."""
    run = begun(tmp_path / "run")
    tally, outbox, costs = run.tallies.setdefault(1, Tally()), Outbox(run.run_id), []
    for block in range(BLOCKS):
        began = time.process_time()
        for number in range(1, BLOCK + 1):
            each = dataclasses.replace(
                RECORD, started_at=1e9 + block, latency_ms=590.0 + number % 7, call=block * BLOCK + number
            )
            outbox.add(each)
            tell_locust(run.environment, each)
        outbox.acknowledge(run.run_id, run.inbox.receive("w", outbox.report(final=False)))
        run.tick()
        assert window_ends(1.0, PRECISE, 1e6, tally) is None
        costs.append(time.process_time() - began)
    run.close("complete")
    assert run.requests.rows == tally.requests == BLOCK * BLOCKS and outbox.empty
    assert statistics.median(costs[-10:]) < 2 * statistics.median(costs[:10])
