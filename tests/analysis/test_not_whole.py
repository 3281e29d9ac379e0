"""Stages that are not whole are never VALID; workers of other versions are told."""

import pytest

from analysis.advice.analyse import analyse
from analysis.runs.run_reader import load_run
from locustfiles.contract.manifest import WorkerEntry
from tests.helpers.flat import steps
from tests.helpers.made_run import made_run, steady, window

AGAIN = ": run the stage again (`--resume`)"
BROKEN = f"it is not whole (records of it did not arrive in time, or a worker that began it was gone by its end){AGAIN}"
CUT = (
    f"it was cut short, so what was under way in its window ended under a falling load and its price is too high{AGAIN}"
)
TOKENS = {"prompt_tokens": 100, "completion_tokens": 20}


@pytest.mark.parametrize(
    ("facts", "verdict", "why"),
    [
        ({}, "VALID", ""),
        ({"whole": False}, "INVALID", BROKEN),
        ({"whole": False, "ended_by": "requests"}, "INVALID", BROKEN),
        ({"whole": False, "ended_by": "stop", "hold_until": None}, "SUSPECT", CUT),
        ({"whole": False, "ended_by": "budget"}, "SUSPECT", CUT),
        ({"whole": False, "hold_until": None}, "SUSPECT", CUT),  # stopped in its hold
    ],
)
def test_a_stage_that_is_not_whole_is_never_valid(tmp_path, facts, verdict, why):
    records = steady(1, 10, 40, 2, 0.5, lead=2, **TOKENS)
    found = steps(analyse([made_run(tmp_path / "r", records, [window(1, 10, 40, users=2, **facts)])])).iloc[0]
    assert (found["verdict"], found["reasons"]) == (verdict, why)


def test_what_a_problem_says_of_a_stage_is_not_said_twice(tmp_path):
    records, said = steady(1, 10, 40, 2, 0.5, lead=2, **TOKENS), "worker w stood still for 5.0 s"
    run = made_run(tmp_path / "r", records, [window(1, 10, 40, users=2, whole=False)], problems=[said])
    assert steps(analyse([run]))["reasons"].tolist() == [said + AGAIN]


def test_other_versions_on_a_worker_are_a_note(tmp_path):
    records = steady(1, 10, 40, 2, 0.5, lead=2, **TOKENS)
    worker = WorkerEntry("local", "far", 0.0, len(records), len(records), 0, versions={"locust": "2.43.0"})
    run = load_run(made_run(tmp_path / "r", records, [window(1, 10, 40, users=2)], workers=[worker]))
    (note,) = run.notes
    assert note.startswith("Worker local on far ran other versions than the master: locust 2.43.0 (master: ")
