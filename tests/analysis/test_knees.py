"""The knee: the lowest level that no later one beats by 5 %, and what ends the rise."""

import dataclasses

from tests.helpers.first_study import PAYLOAD, run_of, stage_of
from tests.helpers.flat import table
from tests.helpers.made_run import P4D, record


def levels(tmp_path, rates, **other):
    stages = [stage_of(i, 100 * i, users, rate, 0, 0.3) for i, (users, rate) in enumerate(rates, start=1)]
    if other:
        stages[-1][0].append(
            record(100 * len(rates) + 1, 0.1, stage=len(rates), payload=PAYLOAD, prompt_id="x", **other)
        )
    return table(run_of(tmp_path, stages, targets=[P4D]), "knees").to_dict("records")[0]


def test_the_knee_is_the_lowest_level_that_no_later_level_beats_by_5_percent(tmp_path):
    reached = levels(tmp_path / "a", [(1, 60), (2, 110), (4, 150), (8, 157), (16, 140)])  # 157 / 150 = 1.047
    assert (reached["users"], reached["state"]) == (4, "reached")
    rising = levels(tmp_path / "b", [(1, 60), (2, 110), (4, 150), (8, 159)])  # 159 / 150 = 1.06
    assert rising["state"] == "not reached"
    assert "no knee up to 8 users" in rising["text"]
    limited = levels(tmp_path / "c", [(1, 60), (2, 110), (4, 112)], error="throttled")
    assert (limited["users"], limited["state"]) == (2, "quota-limited")


def refused(stage, start, users):
    """A minute of which every call is throttled."""
    made, visit = stage_of(stage, start, users, 60, 0, 0.3)
    return [dataclasses.replace(r, error="throttled", prompt_tokens=None) for r in made], visit


def test_a_level_at_which_every_call_failed_ends_the_rise(tmp_path):
    stages = [stage_of(1, 100, 1, 60, 0, 0.3), stage_of(2, 200, 2, 110, 0, 0.3), refused(3, 300, 4)]
    (knee,) = table(run_of(tmp_path, stages, targets=[P4D]), "knees").to_dict("records")
    assert (knee["users"], knee["state"]) == (2, "quota-limited")


def test_where_every_call_of_every_level_failed_there_is_no_knee(tmp_path):
    assert run_of(tmp_path, [refused(1, 100, 1), refused(2, 200, 2)], targets=[P4D]).knees == []
