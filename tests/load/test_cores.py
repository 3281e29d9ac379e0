"""Levels that need more than the processes that send have are told before the run, with what to type."""

import re

from locustfiles.common.planning.cores import too_few_processes
from locustfiles.common.planning.plan import plan
from tests.load.test_estimate import BEDROCK, CALL, ENDPOINT, HOURS, inputs

STREAM = BEDROCK | {"stream": True}
#: 0.15 ms and 100 tokens of 0.012 ms: 1.35 ms of a core a call, which takes a user 0.5 s
CALLED = CALL._replace(latency_s=0.5, answer_tokens=100)


def told(load: dict, *targets: dict, call=CALLED, workers=1, distributed=False, cores=8, **more) -> list[str]:
    made = inputs({"settle_s": 0.0, "measure_s": 30.0} | load, *targets or (STREAM,), **more)
    return too_few_processes(made, plan(made), {"tokens": call, "hours": HOURS}, workers, distributed, cores)


def test_the_highest_level_is_told_with_the_processes_that_it_takes():
    # 1000 users x 1.35 ms / 0.5 s = 2.7 cores; at 0.7 a worker that is 3.86, so 4
    assert told({"users": [1, 1000]}) == [
        "target `tokens` at 1000 users: about 2.7 cores to send it (1.35 ms a call), and one process sends: "
        "start again with --processes 4, or its stages may be SUSPECT"
    ]


def test_a_level_that_one_core_carries_is_not_mentioned():
    # 333 users x 1.35 ms / 0.5 s = 0.899 of a core, below 0.9; 334 are 0.902
    assert told({"users": [333]}) == []
    assert len(told({"users": [334]})) == 1
    # with as long a pause as a call half as many calls are sent: 666 users are 0.899
    assert told({"users": [666], "think_s": 0.5}) == []


def test_a_rate_needs_what_its_calls_cost_however_long_they_take():
    # 600/s x 1.35 ms = 0.81 of a core; 700/s are 0.945, for which two have room
    assert told({"rate": [600]}) == []
    assert "at 700 requests/s: about 0.9 cores" in told({"rate": [700]})[0]
    assert "--processes 2," in told({"rate": [700]})[0]


def test_no_more_processes_are_asked_for_than_there_are_cores():
    assert "--processes 2," in told({"users": [1000]}, cores=2)[0]
    one = told({"users": [1000]}, cores=1)[0]
    assert "--processes" not in one and "one core for it: start it with --master and 4 workers on others" in one


def test_workers_that_are_enough_are_not_mentioned_and_others_are_counted():
    # 2.7 cores; 4 workers have 3.6 before they are full, 2 have 1.8
    assert told({"users": [1000]}, workers=4, distributed=True) == []
    assert "2 processes send: add 2 workers (" in told({"users": [1000]}, workers=2, distributed=True)[0]


def test_an_answer_in_one_piece_costs_a_call_alone_and_boto3_four_times_as_much():
    # without streaming 0.15 ms: 1000 users x 0.15 ms / 0.5 s = 0.3 of a core; by boto3 1.2
    assert told({"users": [1000]}, BEDROCK | {"stream": False}) == []
    assert "about 1.2 cores" in told({"users": [1000]}, BEDROCK | {"stream": False}, transport="boto3")[0]


def test_targets_without_a_call_that_worked_are_left_out():
    lines = told({"users": [1000]}, STREAM, ENDPOINT)
    # the endpoint's call took 2 s and nobody counted it: 0.15 ms x 1000 / 2 s
    assert [re.match(r"target `(\w+)`", line)[1] for line in lines] == ["tokens"]
