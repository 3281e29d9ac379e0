"""Which runs may be gone on with."""

import dataclasses
import types

import pytest

from locustfiles.common.recording.resume import check_resumable, count_rows, resumed
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import Finding, Part, Problem, StageWindow
from locustfiles.contract.requests_file import RequestsFile
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.run_parts import ONE, TWO, inputs, manifest, record


def begun(**more):
    made = dataclasses.replace(inputs(ONE), content="c")
    same = {"scenario": made.scenario.model_dump(mode="json"), "prices": {}, "payloads": {}, "content": "c"}
    return made, manifest(**(same | more))


def test_the_same_run_may_be_gone_on_with():
    made, old = begun()
    check_resumable(old, made)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": "complete"}, "is complete, nothing is left to measure"),
        ({"scenario": {"name": "other"}}, "begun with another scenario"),
        ({"prices": {"one": {"input": 1.0}}}, "begun with another price"),
        ({"payloads": {"a": {"sha256": "x"}}}, "begun with another payload"),
        ({"content": "d"}, "a trace or a tokenizer has changed"),
        ({"problems": [Problem("a bug")]}, r"all of the run is not to be trusted \(a bug\); choose another --run-dir"),
    ],
)
def test_another_run_is_refused_in_one_line(changed, said):
    made, old = begun(**changed)
    with pytest.raises(BadInput, match=said) as e:
        check_resumable(old, made)
    assert "\n" not in str(e.value)


def test_what_was_cut_short_is_put_aside_and_its_problems_with_it():
    windows = [StageWindow(n, 1, "one", "a", n, None, 1.0, whole=n < 2) for n in (1, 2)]
    problems = [Problem("of the cut one", [2])]
    _, old = begun(stages=windows, problems=problems, parts=[Part("r", 1.0, None, "running")])
    new = resumed(old, manifest(parts=[Part("s", 9.0, None, "running")]))
    assert ([s.stage for s in new.stages], [s.stage for s in new.abandoned]) == ([1], [2])
    assert new.problems == []
    assert [(p.run_id, p.status) for p in new.parts] == [("r", "broken off"), ("s", "running")]


def test_a_whole_stage_of_a_search_that_said_nothing_is_measured_again():
    searching = ONE | {"load": {"find": {"up_to": 8, "slo": {"error_rate": 0.1}}, "measure_s": 2}}
    scenario = inputs(searching, TWO).scenario.model_dump(mode="json")
    visits = [
        ("one", "met"),
        ("one", None),
        ("two", None),
    ]  # the second was cut short before it was judged; `two` is no search
    windows = [
        StageWindow(n, 1, target, "a", n, None, 1.0, whole=True, outcome=said)
        for n, (target, said) in enumerate(visits, 1)
    ]
    new = resumed(manifest(scenario=scenario, stages=windows, parts=[Part("r", 1.0, None, "stopped")]), manifest())
    assert ([s.stage for s in new.stages], [s.stage for s in new.abandoned]) == ([1, 3], [2])


def test_a_run_that_lost_a_workers_records_measures_that_stage_again_although_it_went_to_its_end():
    windows = [StageWindow(n, 1, "one", "a", n, None, 1.0, whole=n < 2) for n in (1, 2)]
    made, old = begun(status="complete", stages=windows)
    check_resumable(old, made)


def test_a_whole_stage_that_a_problem_names_is_missing():
    """A worker that was paused and came back: all records are here, the load was not as planned."""
    windows = [StageWindow(n, 1, "one", "a", n, None, 1.0, whole=True) for n in (1, 2, 3)]
    paused = Problem("worker w was silent for 8 s (paused or cut off)", [1, 3])
    made, old = begun(status="complete", stages=windows, problems=[paused], parts=[Part("r", 1.0, 5.0, "complete")])
    check_resumable(old, made)
    new = resumed(old, manifest(parts=[Part("s", 9.0, None, "running")]))
    assert ([s.stage for s in new.stages], [s.stage for s in new.abandoned], new.problems) == ([2], [1, 3], [])


def test_a_stage_whose_rows_are_gone_is_measured_again_and_a_killed_parts_rows_are_counted(tmp_path):
    """5 rows of stage 1 and 4 of stage 2 were written in a first part; the second was killed after 6 more of stage 3, of
    which its manifest knew 2. One row of stage 1 is gone."""
    folder = RunFolder(tmp_path)
    file = RequestsFile(folder.requests)
    for number, stage in enumerate([1] * 4 + [2] * 4 + [3] * 6, start=1):
        file.add(dataclasses.replace(record(number), stage=stage))
    file.close()
    windows = [StageWindow(n, 1, "one", "a", n, None, 1.0, whole=n < 3, records=r) for n, r in ((1, 5), (2, 4), (3, 2))]
    parts = [Part("r", 1.0, 5.0, "stopped", rows=9), Part("s", 6.0, None, "running", rows=2)]
    old = manifest(stages=windows, parts=parts)
    gone = count_rows(old, folder)
    assert [(p.text.split()[0], p.stages) for p in gone] == [("1", [1])]
    assert [s.whole for s in old.stages] == [False, True, False]
    assert old.parts[1].rows == 5  # 14 in the file, 9 of the first part's: the missing one stays missing


def found(stages: list[int]) -> Finding:
    return Finding(
        "one",
        "a",
        "users",
        1,
        2,
        True,
        "above it the limits are missed",
        {"1": ["met"] * 2, "2": ["missed"] * 2},
        stages,
    )


def test_what_a_search_found_is_kept_only_with_all_of_its_stages():
    searching = ONE | {"load": {"find": {"up_to": 8, "slo": {"error_rate": 0.1}}, "measure_s": 2}}
    scenario = inputs(TWO, searching).scenario.model_dump(mode="json")
    windows = [StageWindow(n, 1, "one", "a", n, None, 1.0, whole=True, outcome="met") for n in (1, 2, 3, 4)]
    last = [Part("r", 1.0, 5.0, "complete")]
    whole = resumed(
        manifest(scenario=scenario, stages=list(windows), findings=[found([1, 2, 3, 4])], parts=list(last)), manifest()
    )
    assert (len(whole.findings), len(whole.stages)) == (1, 4)
    windows[2].whole = False  # a worker was killed in it
    spoiled = resumed(
        manifest(scenario=scenario, stages=list(windows), findings=[found([1, 2, 3, 4])], parts=list(last)), manifest()
    )
    assert (spoiled.findings, [s.stage for s in spoiled.stages]) == ([], [1, 2, 4])


def test_a_problem_that_comes_again_concerns_the_further_stages_too_and_is_said_again(caplog):
    run = types.SimpleNamespace(manifest=manifest(problems=[]), untrusted=False)
    for stages in ([2], [3], [2]):
        RunRecorder.problem(run, "worker w was silent for 8 s", stages)
    assert [(p.text, p.stages) for p in run.manifest.problems] == [("worker w was silent for 8 s", [2, 3])]
    assert len(caplog.records) == 2 and run.untrusted
    RunRecorder.problem(run, "worker w was silent for 8 s")  # of all of the run
    RunRecorder.problem(run, "worker w was silent for 8 s", [4])
    assert [p.stages for p in run.manifest.problems] == [None]


def test_a_problem_that_an_earlier_part_had_makes_this_part_untrustworthy_too():
    run = types.SimpleNamespace(
        manifest=manifest(problems=[Problem("as before", None)]), untrusted=False, failure=None, over_budget=False
    )
    assert RunRecorder.exit_code(run) == 0
    RunRecorder.problem(run, "as before")
    assert RunRecorder.exit_code(run) == 2 and len(run.manifest.problems) == 1
