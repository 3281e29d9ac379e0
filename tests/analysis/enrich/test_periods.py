"""Which minutes are a stage's: whole ones in its window, else those in which it was alone; none is lent to a neighbour."""

import dataclasses

import pytest

from analysis.enrich.periods import length_at, periods_of
from analysis.enrich.whose import whose
from analysis.runs.run_reader import load_run
from tests.helpers.enriching import HAIKU, MINUTE, requests, run_of, shifted
from tests.helpers.made_run import P4D, START


def of(run, stage: int, length: int = 60):
    """Basis, begins in minutes after MINUTE, and why there are none."""
    same = {t.name: whose(run, t) for t in run.scenario.targets}
    visit = next(s for s in run.manifest.stages if s.stage == stage)
    found = periods_of(run, visit, same, length)
    return found.basis, [(b - START - MINUTE) / length for b in found.begins], found.why_none


def test_whole_minutes_in_the_window_are_taken(tmp_path):
    """[30, 270) has the minutes 1, 2 and 3."""
    run = load_run(run_of(tmp_path / "r", requests(1, 30, 270, 1, 5.0), [shifted(1, 30, 270)]))
    assert of(run, 1) == ("inside", [1, 2, 3], "")


def test_a_short_stage_has_the_minute_in_which_it_was_alone(tmp_path):
    """Stage 1 is measured from 5 to 45 and ends before 55, stage 2 from 62 to 92, stage 3 from 100 to 130: 2 and 3 share minute 1."""
    records = requests(1, 5, 45, 1, 4.0) + requests(2, 62, 92, 1, 3.0) + requests(3, 100, 130, 1, 3.0)
    run = load_run(run_of(tmp_path / "r", records, [shifted(1, 5, 45), shifted(2, 62, 92), shifted(3, 100, 130)]))
    assert of(run, 1) == ("alone", [0], "")
    assert of(run, 2)[:2] == of(run, 3)[:2] == ("", [])
    assert of(run, 2)[2] == (
        "its window of 30 s holds no whole period of 60 s in which it sent alone; `measure_s: 120` always holds one"
    )


def test_a_neighbour_of_another_model_shares_nothing(tmp_path):
    """The same two stages of minute 1, the second of another model."""
    other = HAIKU | {"name": "other", "model_id": "amazon.nova-lite-v1:0"}
    records = requests(2, 61, 95, 1, 3.0) + requests(3, 98, 119, 1, 1.0, target="other")
    stages = [shifted(2, 61, 95), shifted(3, 98, 119, target="other")]
    run = load_run(run_of(tmp_path / "r", records, stages, [HAIKU, other]))
    assert of(run, 2)[:2] == ("alone", [1])
    twin = HAIKU | {"name": "other"}  # the same model once more
    run = load_run(run_of(tmp_path / "s", records, stages, [HAIKU, twin]))
    assert of(run, 2)[:2] == ("", [])


def test_parts_of_a_mix_that_ask_one_model_have_no_figures_of_their_own(tmp_path):
    twin = HAIKU | {"name": "other"}
    records = requests(1, 0, 120, 1, 3.0) + requests(2, 0, 120, 1, 3.0, target="other")
    stages = [shifted(1, 0, 120, mix=[1, 2]), shifted(2, 0, 120, target="other", mix=[1, 2])]
    run = load_run(run_of(tmp_path / "r", records, stages, [HAIKU, twin]))
    assert of(run, 1) == (
        "",
        [],
        "CloudWatch has one figure of all parts of a mix that are sent to the same endpoint or model",
    )


@pytest.mark.parametrize(("days", "length"), [(1, 60), (16, 300), (70, 3600)])
def test_older_figures_are_kept_in_longer_periods(days, length):
    assert length_at(1e9, 1e9 + days * 86400) == length


def test_a_target_without_a_variant_is_a_neighbour_of_one_that_names_it(tmp_path):
    """Both send to blue in minute 1: it is of neither."""
    blue, any_of_them = (P4D | {"name": name} | more for name, more in (("blue", {"variant": "blue"}), ("any", {})))
    records = requests(1, 61, 95, 1, 3.0, target="blue") + requests(2, 98, 119, 1, 1.0, target="any", variant="blue")
    stages = [shifted(1, 61, 95, target="blue"), shifted(2, 98, 119, target="any")]
    run = load_run(run_of(tmp_path / "r", records, stages, [blue, any_of_them]))
    assert of(run, 1)[:2] == of(run, 2)[:2] == ("", [])


def test_a_router_is_a_neighbour_of_whom_it_sent_to(tmp_path):
    """Stage 1 by a router to blue and green, stage 2 to blue itself, in the same minute 1: it is of neither. One to red has its own."""
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/"
    router = P4D | {"name": "routed", "endpoint": None, "inference_router": "r", "routing_target": "t", "stream": False}
    for endpoint, shared in (("blue", True), ("red", False)):
        own = P4D | {"name": "own", "endpoint": endpoint}
        records = requests(1, 61, 95, 1, 3.0, target="routed", routed_to=f"{arn}green", variant="v")
        records[0] = dataclasses.replace(records[0], routed_to=f"{arn}blue")
        records += requests(2, 98, 119, 1, 1.0, target="own", variant="v")
        stages = [shifted(1, 61, 95, target="routed"), shifted(2, 98, 119, target="own")]
        run = load_run(run_of(tmp_path / endpoint, records, stages, [router, own]))
        assert of(run, 1)[:2] == (("", []) if shared else ("alone", [1]))
