"""Runs in parts: what is paid for, what is a stage, and whom lost records concern."""

import pytest

from analysis.advice.analyse import analyse
from analysis.report.text_tables import run_cost_table
from locustfiles.contract.manifest import Part, WorkerEntry
from tests.helpers.flat import steps, table
from tests.helpers.made_run import START, made_run, record, steady, window

PARTS = [Part("a", START, None, "broken off"), Part("b", START + 1000, START + 1100, "complete")]


def resumed(path, **keys):
    """Stage 1 whole; stage 2 cut short by a kill at 75 s; 1000 s later, as another part, stage 3 in its place."""
    records = [record(5, 1, phase="warmup", stage=0, users=None)]
    records += steady(1, 10, 40, 1, 0.5, lead=2) + steady(2, 60, 75, 2, 0.5)
    records += [record(1005, 1, phase="warmup", stage=0, users=None), *steady(3, 1020, 1050, 2, 0.5, lead=2)]
    stages = [window(1, 10, 40, whole=True), window(3, 1020, 1050, users=2, whole=True)]
    abandoned = [window(2, 60, None, users=2, ended_by=None)]
    values = {"scenario_keys": {"load": {"users": [1, 2], "measure_s": 30}}, "parts": PARTS, "abandoned": abandoned}
    return made_run(path, records, stages, **(values | keys)), records


def test_the_time_between_two_parts_is_not_paid_for(tmp_path):
    path, records = resumed(tmp_path / "r")
    (cost,) = table(analyse([path]), "run_cost").to_dict("records")
    ends = [r.started_at - START + r.latency_ms / 1000 for r in records]
    first, second = max(e for e in ends if e < 1000), max(ends)
    # from the first warm-up call to the last record before the kill, and from the second warm-up call to the end
    assert cost["duration_s"] == pytest.approx((first - 5) + (second - 1005), abs=1e-4)
    assert cost["duration_s"] < 130
    assert cost["usd"] == pytest.approx(cost["duration_s"] / 3600 * 37.688)
    assert "s × $37.688/h × 1" in run_cost_table(analyse([path]).run_cost)["Factors"][0]


def test_a_stage_that_was_measured_again_is_no_stage_but_the_run_paid_for_it(tmp_path):
    report = analyse([resumed(tmp_path / "r")[0]])
    assert steps(report)["stage"].tolist() == [1, 3]
    assert report.cut == [] and table(report, "repeats").empty
    assert any(n.startswith("Run r was measured in 2 parts") and "1 stages were cut short" in n for n in report.notes)
    # stage 2's records reach to 75 s: without them the first part would end at 41 s
    assert table(report, "run_cost")["duration_s"][0] > 100


def test_lost_records_concern_only_stages_that_are_not_whole(tmp_path):
    records = steady(1, 10, 40, 1, 0.5, lead=2) + steady(2, 60, 90, 1, 0.5, lead=2)
    workers = [WorkerEntry("local", "h", 0.0, None, len(records), None)]
    stages = [window(1, 10, 40, whole=True), window(2, 60, 90, whole=False)]
    report = analyse([made_run(tmp_path / "r", records, stages, workers=workers)])
    assert steps(report)["verdict"].tolist() == ["VALID", "INVALID"]
    assert "never handed in its last count" in steps(report)["reasons"][1]
    assert any("never handed in its last count" in n for n in report.notes)


def test_damage_in_the_file_concerns_every_stage(tmp_path):
    records = steady(1, 10, 40, 1, 0.5, lead=2)
    path = made_run(tmp_path / "r", records, [window(1, 10, 40, whole=True)])
    lines = (path / "requests.csv").read_text().splitlines(keepends=True)
    (path / "requests.csv").write_text("".join([*lines[:5], "x,y\n", *lines[6:]]))
    report = analyse([path])
    assert steps(report)["verdict"][0] == "INVALID" and "damaged" in steps(report)["reasons"][0]
