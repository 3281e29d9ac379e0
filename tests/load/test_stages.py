"""Which stages a scenario has, when a window ends, and what the shape tells Locust."""

import types

import pytest

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.plan import USERS_A_SECOND, Group, plan
from locustfiles.common.recording.run_recorder import DiskFailed
from locustfiles.common.recording.stage_tally import Tally, window_ends
from locustfiles.common.stages.stage import Stage
from locustfiles.common.stages.sweep import Sweep
from locustfiles.common.swarm.shape import StageShape
from locustfiles.contract.scenario.loads import Level, Load
from locustfiles.contract.scenario.slo import Slo
from tests.helpers.run_parts import ONE, TWO, inputs


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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            FileNotFoundError(2, "No such file", "token"),
            "the sweep failed inside Swarmledger: FileNotFoundError: [Errno 2] No such file: 'token'",
        ),
        (DiskFailed(28, "No space left on device"), "No space left on device"),
    ],
)
def test_only_the_run_folder_tells_of_a_full_disk(error, said):
    def preflight(groups):
        raise error

    heard: list[str] = []
    sweep = object.__new__(Sweep)
    sweep.run, sweep.groups = (
        types.SimpleNamespace(problem=heard.append, disk_failed=lambda e: heard.append(e.strerror)),
        [],
    )
    sweep.preflight, sweep._guard = types.SimpleNamespace(preflight=preflight), types.SimpleNamespace(stop=lambda: None)
    sweep.control = types.SimpleNamespace(set=heard.append)
    sweep._go()
    assert heard == [said, None]  # the second is what Locust is asked for: the end


@pytest.mark.parametrize(("at_the_end", "whole"), [(["a", "b"], True), (["a"], False), (["a", "b", "late"], True)])
def test_a_stage_is_whole_only_if_every_worker_that_began_it_was_there_at_its_end(at_the_end, whole):
    """All that had come is here: what a worker took with it when it left is not known."""
    said: list[str] = []
    scenario = types.SimpleNamespace(seed=1, retry=None)
    run = types.SimpleNamespace(
        inputs=types.SimpleNamespace(scenario=scenario, traces={}, cache_asked=lambda *_: None),
        tallies={},
        clock=Clock(),
        over_budget=False,
    )
    run.stage_begins, run.is_sound = (lambda window: None), (lambda window: True)
    control = types.SimpleNamespace(
        run=run, announce=lambda spec, phase: said.append(phase), ask_for_users=lambda users: None
    )
    control.alive = lambda: at_the_end if "hold" in said else ["a", "b"]
    control.wait_until_clear, control.wait_for_records = (lambda spec, phase: {}), (lambda spec: True)
    load = Load(users=[1], settle_s=0, settle_at_most_s=0, measure_s=0.01)
    stage = Stage(control, Group("one", "a", load, []), Level(1, None), 1)
    stage.go()
    assert (stage.window.ended_by, stage.window.whole) == ("time", whole)


def test_an_undecided_search_measures_four_windows_whatever_the_holds_between_take(monkeypatch):
    told: list[tuple[str, float]] = []
    clock = types.SimpleNamespace(at=0.0, now=lambda: clock.at)

    def passes(seconds: float) -> None:
        clock.at += seconds

    monkeypatch.setattr("locustfiles.common.stages.stage.gevent.sleep", passes)
    scenario = types.SimpleNamespace(seed=1, retry=None)
    run = types.SimpleNamespace(
        inputs=types.SimpleNamespace(scenario=scenario, traces={}, cache_asked=lambda *_: None),
        tallies={},
        clock=clock,
        over_budget=False,
    )
    run.stage_begins, run.is_sound = (lambda window: None), (lambda window: True)
    control = types.SimpleNamespace(
        run=run, announce=lambda spec, phase: told.append((phase, clock.at)), ask_for_users=lambda users: None
    )
    control.alive, control.wait_for_records = (lambda: ["a"]), (lambda spec: True)
    control.wait_until_clear = lambda spec, phase: (passes(30.0 if phase == "hold" else 0.0), {})[1]
    limits = {"latency_s": {"p95": 1.0}}  # nothing comes: it stays undecided
    load = Load(find={"up_to": 4, "slo": limits}, settle_s=0, settle_at_most_s=0, measure_s=10)
    stage = Stage(control, Group("one", "a", load, []), Level(1, None), 1, Slo.model_validate(limits))
    stage.go()
    begun = [at for phase, at in told if phase == "measure"]
    ended = [at for phase, at in told if phase == "hold"]
    # windows of 10, 10 and 20 s, 30 s of hold after each
    assert begun == pytest.approx([0, 40, 80], abs=0.5)
    assert [b - a for a, b in zip(begun, ended, strict=True)] == pytest.approx([10, 10, 20], abs=0.2)
    assert (stage.window.outcome, stage.window.ended_by) == ("undecided", "time")
