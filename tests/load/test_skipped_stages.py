"""A stage that a person skips: what it ends, phase by phase, and what it leaves as it is."""

import types

import pytest

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.plan import Group
from locustfiles.common.stages.search import find
from locustfiles.common.stages.stage import Stage
from locustfiles.contract.manifest import StageWindow
from locustfiles.contract.scenario.loads import Level, Load
from locustfiles.contract.scenario.slo import Slo

SLO = Slo.model_validate({"latency_s": {"p95": 1}})


def stage_where(
    at: str, slo: Slo | None = None, settle_s: float = 0.0, measure_s: float = 0.05, over_budget: bool = False
):
    """A stage that is skipped at that moment, and what the button answered."""
    answers: list[bool] = []
    run = types.SimpleNamespace(
        inputs=types.SimpleNamespace(scenario=types.SimpleNamespace(seed=1, retry=None), traces={}, cache_asked=lambda *_: None),
        tallies={}, clock=Clock(), over_budget=False, stage_begins=lambda window: None, is_sound=lambda window: True,
    )  # fmt: skip

    def when(moment: str) -> None:
        if moment == at:
            answers.append(stage.skip())
            run.over_budget = over_budget

    control = types.SimpleNamespace(run=run, alive=lambda: ["a"], late=[], wait_for_records=lambda spec: True)
    control.ask_for_users = lambda users: when("users")
    control.announce = lambda spec, phase: when(f"{phase} {spec.look}" if phase == "measure" else "")

    def wait_until_clear(spec, phase: str) -> dict:
        when(f"{phase} {spec.look}")
        return {"a": {}}

    control.wait_until_clear = wait_until_clear
    load = Load(users=[1], settle_s=settle_s, settle_at_most_s=settle_s, measure_s=measure_s)
    stage = Stage(control, Group("one", "a", load, []), Level(1, None), 1, slo)
    stage.go()
    return stage, answers


@pytest.mark.parametrize("at", ["users", "settle 0"])
def test_before_its_window_it_gets_none_and_waits_for_nothing(at):
    stage, answers = stage_where(at, settle_s=0.2, measure_s=600)
    assert answers == [True]
    window = stage.window
    assert (window.ended_by, window.measure_from, window.hold_until, window.whole) == ("skip", None, None, False)
    assert window.steady is None or window.steady is False
    assert not stage.skip()  # it is over


def test_in_its_window_it_ends_and_is_held():
    stage, answers = stage_where("measure 0", measure_s=600)
    window = stage.window
    assert (answers, window.ended_by, window.whole, window.outcome) == ([True], "skip", True, None)
    assert window.measure_from < window.measure_until <= window.hold_until < window.measure_from + 60


def test_in_its_hold_it_ends_as_it_does_anyway():
    stage, answers = stage_where("hold 0")
    assert (answers, stage.window.ended_by, stage.window.whole) == ([False], "time", True)


def test_a_searchs_stage_is_undecided_when_it_is_skipped_in_its_window():
    stage, answers = stage_where("measure 1", SLO, measure_s=0.3)
    assert (answers, stage.window.ended_by, stage.window.outcome) == ([True], "skip", "undecided")
    assert 0.3 <= stage.measured_s < 0.6  # the first look was whole, the second ended as it began


def test_between_two_looks_of_a_search_the_next_does_not_come():
    stage, answers = stage_where("hold 0", SLO)
    window = stage.window
    assert (answers, window.ended_by, window.outcome, window.whole) == ([True], "skip", "undecided", True)
    assert stage.spec.look == 0


def test_after_the_last_look_of_a_search_nothing_is_left_to_skip():
    stage, answers = stage_where("hold 2", SLO)
    assert (answers, stage.window.ended_by, stage.window.outcome) == ([False], "time", "undecided")
    assert not stage.skip()


@pytest.mark.parametrize("at", ["users", "measure 0"])
def test_a_budget_that_is_spent_meanwhile_is_what_ended_it(at):
    stage, _ = stage_where(at, over_budget=True)
    assert stage.window.ended_by == "budget"


def test_a_stage_that_is_broken_off_while_it_is_skipped_is_stopped():
    """Ctrl-C comes before the window has ended by the button."""
    stage, _ = stage_where("none")
    stage.window.ended_by = None
    stage.control.skipping = True
    stage.break_off()
    assert stage.window.ended_by == "stop"


@pytest.mark.parametrize(
    ("skipped", "answer", "confirmed", "why"),
    [
        # 1 met, 2 met, 4 missed, 3 missed, then 2 and 3 once more: the skipped level is not at the boundary, which stands
        ({4}, 2, True, "above it the limits are missed"),
        # 3 is the boundary
        ({3}, 2, False, "stages 4, 6 were skipped: nobody knows whether that level keeps the limits; search again"),
    ],
)
def test_a_search_confirms_nothing_by_a_level_that_was_skipped_while_it_settled(skipped, answer, confirmed, why):
    group = Group("one", "a", Load(find={"up_to": 4, "slo": {"latency_s": {"p95": 1}}}, settle_s=0, measure_s=1), [])
    stages: list[StageWindow] = []

    def measure(group: Group, level: Level, slo: Slo) -> types.SimpleNamespace:
        window = StageWindow(len(stages) + 1, 1, "one", "a", level.users, None, started_at=0.0)
        if level.users in skipped:
            window.ended_by = "skip"
        else:
            window.measure_from, window.whole, window.outcome = 0.0, True, "met" if level.users <= 2 else "missed"
        stages.append(window)
        return types.SimpleNamespace(window=window, spec=types.SimpleNamespace(stage=window.stage))

    scenario = types.SimpleNamespace(slo_of=lambda target: SLO, target=lambda name: types.SimpleNamespace(stream=True))
    run = types.SimpleNamespace(
        inputs=types.SimpleNamespace(scenario=scenario, stage_s=lambda load: 1.0),
        manifest=types.SimpleNamespace(stages=stages), is_sound=lambda window: window.whole,
    )  # fmt: skip
    finding = find(run, group, group.load.find, measure, lambda: None)
    assert (finding.answer, finding.confirmed, finding.why) == (answer, confirmed, why)
