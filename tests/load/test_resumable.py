"""Which runs may be gone on with."""

import dataclasses

import pytest

from locustfiles.common.resume import check_resumable, resumed
from locustfiles.common.run_folder import Part, Problem, StageWindow
from locustfiles.common.yaml_file import BadInput
from tests.load.test_run_folder import manifest
from tests.load.test_stages import ONE, inputs


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
        ({"status": "complete"}, "is complete: there is nothing to resume"),
        ({"scenario": {"name": "other"}}, "begun with another scenario"),
        ({"prices": {"one": {"input": 1.0}}}, "begun with another price"),
        ({"payloads": {"a": {"sha256": "x"}}}, "begun with another payload"),
        ({"content": "d"}, "a trace or a tokenizer has changed"),
    ],
)
def test_another_run_is_refused_in_one_line(changed, said):
    made, old = begun(**changed)
    with pytest.raises(BadInput, match=said) as e:
        check_resumable(old, made)
    assert "\n" not in str(e.value)


def test_what_was_cut_short_is_put_aside_and_its_problems_with_it():
    windows = [StageWindow(n, 1, "one", "a", n, None, 1.0, whole=n < 2) for n in (1, 2)]
    problems = [Problem("of both", [1, 2]), Problem("of the cut one", [2]), Problem("of all")]
    _, old = begun(stages=windows, problems=problems, parts=[Part("r", 1.0, None, "running")])
    new = resumed(old, manifest(parts=[Part("s", 9.0, None, "running")]))
    assert ([s.stage for s in new.stages], [s.stage for s in new.abandoned]) == ([1], [2])
    assert [p.text for p in new.problems] == ["of both", "of all"]
    assert [(p.run_id, p.status) for p in new.parts] == [("r", "broken off"), ("s", "running")]


def test_a_run_that_lost_a_workers_records_measures_that_stage_again_although_it_went_to_its_end():
    windows = [StageWindow(n, 1, "one", "a", n, None, 1.0, whole=n < 2) for n in (1, 2)]
    made, old = begun(status="complete", stages=windows)
    check_resumable(old, made)
