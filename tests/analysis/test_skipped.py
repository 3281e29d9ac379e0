"""Stages that a person skipped: judged by what they measured, told where they measured nothing."""

import pytest

from analysis.advice.analyse import analyse
from tests.helpers.made_run import P4D, made_run, record, steady, window
from tests.helpers.verdicts import healthy, verdict

LOAD = {"users": [1, 2], "think_s": 0.0, "settle_s": 0.0, "measure_s": 300.0}
TOKENS = {"prompt_tokens": 5, "completion_tokens": 5}


def two_levels(tmp_path, second, status: str = "complete", **keys):
    """p4d at 1 user measured for 30 s, at 2 users as in `second`."""
    records = steady(1, 10, 40, 1, 0.5, lead=2, **TOKENS)
    if second.measure_from is not None:
        records += steady(2, 60, 70, 2, 0.5, lead=2, **TOKENS)
    else:
        records += [record(50 + i, 0.5, stage=2, users=2, phase="settle", **TOKENS) for i in range(3)]
    keys = {"status": status, "targets": [P4D], "scenario_keys": {"load": LOAD}} | keys
    return analyse([made_run(tmp_path / "r", records, [window(1, 10, 40), second], **keys)])


def test_a_window_that_a_person_ended_is_valid_where_it_holds_enough(tmp_path):
    assert verdict(tmp_path, healthy(), window(1, 10, 40, users=2, ended_by="skip")) == ("VALID", "")


def test_its_note_says_how_long_its_window_was(tmp_path):
    report = two_levels(tmp_path, window(2, 60, 70, users=2, ended_by="skip"))
    assert report.cut == []
    assert (
        "Stage 2 (`p4d`, `en`, 2 users) was skipped by a person 10.0 s after its window began: its figures are those of that shorter window."
        in report.notes
    )


def test_before_its_window_it_is_invalid_and_the_recommendation_says_what_it_lacks(tmp_path):
    report = two_levels(tmp_path, window(2, None, None, users=2, ended_by="skip"))
    trust = report.results[1].figures.trust
    assert (trust.verdict, report.results[0].figures.trust.verdict) == ("INVALID", "VALID")
    assert trust.reasons == "it was skipped while it settled: run the stage again (`--resume`)"
    assert report.cut == [
        "Run r was complete but for what was skipped while it settled. Of its 2 planned stages these were never measured: `p4d` on "
        "`en` at 2 users."
    ]
    assert (
        "Stage 2 (`p4d`, `en`, 2 users) was skipped by a person while it settled: it has no figures; `--resume` measures it."
        in report.notes
    )


def test_a_run_that_ended_after_its_stage_was_stopped_between_two(tmp_path):
    report = analyse([
        made_run(tmp_path / "r", steady(1, 10, 40, 1, 0.5, lead=2, **TOKENS), [window(1, 10, 40)], status="stopped",
                 targets=[P4D], scenario_keys={"load": LOAD})
    ])  # fmt: skip
    assert report.cut == [
        "Run r was stopped (Ctrl-C, a signal or the web UI) between two stages. Of its 2 planned stages these were never measured: "
        "`p4d` on `en` at 2 users."
    ]
    assert report.results[0].figures.trust.verdict == "VALID"


@pytest.mark.parametrize(("ended_by", "state"), [("time", "VALID"), ("skip", "SUSPECT")])
def test_a_replay_that_was_skipped_is_that_of_its_traces_begin(tmp_path, ended_by, state):
    # 2 requests/s of 0.5 s over 30 s, as the trace has them
    records = [record(8 + i / 2, 0.5, users=None, rate=2.0, schedule_delay_ms=1.0, prompt_id=f"p{i}", phase="measure" if i >= 4 else "settle",
                      **TOKENS) for i in range(64)]  # fmt: skip
    stage = window(1, 10, 40, users=None, rate=2.0, ended_by=ended_by)
    found, why = verdict(tmp_path, records, stage, scenario_keys={"load": {"replay": "t.csv"}})
    assert (found, why) == (state, (state == "SUSPECT") * "the replay was skipped after 30.0 s")
