"""Which stages a scenario has, when a window ends, and what the shape tells Locust."""

import os
import pathlib

import pytest

os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"  # these are pure functions: leave the test process as it is
from locustfiles.common.loads import Level
from locustfiles.common.plan import Group, plan, window_ends
from locustfiles.common.stages import USERS_A_SECOND, StageShape

del os.environ["LOCUST_SKIP_MONKEY_PATCH"]

from locustfiles.common.inputs import Inputs
from locustfiles.common.price_book import PriceBook
from locustfiles.common.scenario import Load, Scenario
from locustfiles.common.tally import Tally

ONE = {"service": "bedrock", "model_id": "m", "name": "one"}
TWO = {"service": "bedrock", "model_id": "m", "name": "two", "payloads": ["c.jsonl"], "load": {"users": [7], "measure_s": 9}}


def inputs(*targets: dict, payloads=("x/a.jsonl", "b.jsonl"), users=(1, 3)) -> Inputs:
    scenario = Scenario.model_validate(
        {
            "name": "s",
            "targets": list(targets),
            "region": "us-east-1",
            "payloads": list(payloads),
            "load": {"users": list(users), "measure_s": 2},
            "pricing": "book.yaml",
        }
    )
    book = PriceBook.model_construct(region="us-east-1")
    return Inputs(scenario, pathlib.Path("s.yaml"), {}, {}, book, {}, "")


def test_every_target_visits_every_payload_at_every_level_in_the_scenarios_order():
    made = inputs(ONE, TWO)
    one, two = made.scenario.load, made.scenario.targets[1].load
    assert plan(made) == [
        Group("one", "a", one, [Level(1, None), Level(3, None)]),
        Group("one", "b", one, [Level(1, None), Level(3, None)]),
        Group("two", "c", two, [Level(7, None)]),  # its own payloads and its own load
    ]


def test_a_repetition_comes_after_all_of_the_one_before():
    again = TWO | {"load": TWO["load"] | {"repeat": 2}}
    groups = plan(inputs(ONE, again, payloads=["a.jsonl"]))
    assert [(g.target, g.repeat) for g in groups] == [("one", 1), ("two", 1), ("two", 2)]


def test_ranges_of_levels_are_every_level_in_them():
    (group,) = plan(inputs(ONE, payloads=["a.jsonl"], users=["1..4", 8]))
    assert [level.users for level in group.levels] == [1, 2, 3, 4, 8]


TIMED = {"users": [1], "measure_s": 10}
COUNTED = {"users": [1], "until": {"requests": 50, "at_most_s": 10}}
ABORT = {"abort_stage": {"error_rate": 0.5, "after_requests": 20}}


@pytest.mark.parametrize(
    ("load", "elapsed_s", "tally", "ends"),
    [
        (TIMED, 0.0, (0, 0), None),
        (TIMED, 9.999, (1000, 1000), None),
        (TIMED, 10.0, (0, 0), "time"),
        (TIMED, 25.0, (5, 0), "time"),
        (COUNTED, 1.0, (49, 0), None),
        (COUNTED, 1.0, (50, 0), "requests"),
        (COUNTED, 1.0, (50, 50), "requests"),  # failed requests are requests
        (COUNTED, 10.0, (49, 0), "time"),
        (COUNTED, 12.0, (50, 0), "requests"),
        (TIMED | ABORT, 1.0, (19, 19), None),  # too few to tell
        (TIMED | ABORT, 1.0, (20, 10), None),  # 0.5 is not above 0.5
        (TIMED | ABORT, 1.0, (20, 11), "abort"),
        (TIMED | ABORT, 1.0, (40, 20), None),
        (TIMED | ABORT, 10.0, (40, 21), "abort"),
        (COUNTED | ABORT, 1.0, (50, 26), "abort"),
        (COUNTED | ABORT, 1.0, (50, 25), "requests"),
        (TIMED | {"abort_stage": {"error_rate": 0.0, "after_requests": 1}}, 0.1, (1, 1), "abort"),
        (TIMED | {"abort_stage": {"error_rate": 0.0, "after_requests": 1}}, 0.1, (1, 0), None),
    ],
)
def test_a_window_ends_by_abort_requests_or_time_in_this_order(load, elapsed_s, tally, ends):
    load = Load.model_validate(load)
    assert window_ends(elapsed_s, load, load.at_most_s, Tally(*tally)) == ends


def test_before_a_run_the_shape_asks_for_no_users_so_that_locust_starts_the_test():
    shape = StageShape()
    assert shape.tick() == (0, USERS_A_SECOND)


def test_a_refused_run_ends_once_and_may_be_started_again():
    shape = StageShape()
    shape.refused = True
    assert [shape.tick(), shape.tick()] == [None, (0, USERS_A_SECOND)]


def test_without_a_ready_worker_the_shape_ends_instead_of_waiting_for_ever():
    shape = StageShape()
    shape.workers_ready = lambda: False
    assert shape.tick() is None
