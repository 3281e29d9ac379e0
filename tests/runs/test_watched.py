"""A run against the local endpoint, watched by another process from before its folder is there until after its end."""

import json
import subprocess
import sys

import pytest

from analysis.advice.analyse import analyse
from analysis.live.stage_rows import row
from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import one_locust

TARGETS = [folders.sagemaker("throttled"), folders.bedrock("quick-model")]
LOAD = {"users": [2, 4], "settle_s": 0.5, "measure_s": 3}
NEEDED_S = 2.0  # what ended so long ago is counted


@pytest.fixture(scope="module")
def watched(endpoint, tmp_path_factory):
    """The run's folder, and what its watcher said: a document a look."""
    folder = tmp_path_factory.mktemp("watched")
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LOAD)
    command = [sys.executable, "-m", "analysis", "watch", folder / "run", "--every", "0.2", "--json-lines"]
    with open(folder / "said", "wb") as said, open(folder / "complained", "wb") as complained:
        watcher = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=complained)
        try:
            with one_locust(scenario, folder / "run") as process:
                assert process.wait() == 0, process.text
            assert watcher.wait(timeout=60) == 0  # it ends with the run
        finally:
            watcher.kill()
    assert (folder / "complained").read_text() == ""
    return folder / "run", [json.loads(line)["figures"] for line in (folder / "said").read_text().splitlines()]


def test_a_finished_stage_has_the_reports_figures_while_the_run_goes_on(watched):
    folder, said = watched
    of_report = {r.figures.identity.stage: row(r) for r in analyse([folder]).results}
    assert len(of_report) == 4
    told = {each["stage"]: each for figures in said if not figures["ended"] for each in figures["stages"]}
    assert set(told) >= {1, 2, 3}  # the last one's may come with the end
    assert all(told[stage] == of_report[stage] for stage in told)


def test_a_run_that_has_ended_is_told_with_the_reports_headline(watched):
    folder, said = watched
    report = analyse([folder])
    assert said[-1]["ended"] == {"headline": report.recommendation.facts[0], "report": None}
    assert said[-1]["stages"] == [row(r) for r in report.results]
    assert said[-1]["stage"] is None
    assert not any(figures["ended"] for figures in said[:-1])


def test_every_stage_is_told_of_while_it_is_under_way_and_grows(watched):
    folder, said = watched
    for stage in (1, 2, 3, 4):
        counts = [f["stage"]["requests"] for f in said if f["stage"] and f["stage"]["stage"] == stage]
        measured = sum(r.stage == stage and r.phase == "measure" for r in folders.rows(folder))
        assert counts == sorted(counts) and 0 < counts[-1] <= measured
    errors = dict(next(f["stage"]["errors"] for f in reversed(said) if f["stage"] and f["stage"]["stage"] == 2))
    found = [r.error for r in folders.rows(folder) if r.stage == 2 and r.phase == "measure" and r.error]
    assert errors["throttled"] <= found.count("throttled")
    assert set(errors) == {"throttled", "stream_broken"}


@pytest.mark.timed
def test_what_is_told_is_at_most_two_seconds_old(watched):
    folder, said = watched
    measured = [r for r in folders.rows(folder) if r.phase == "measure"]
    for figures in said:
        if so_far := figures["stage"]:
            mine = [r for r in measured if r.stage == so_far["stage"]]
            old = sum(r.started_at + r.latency_ms / 1000 < figures["at"] - NEEDED_S for r in mine)
            assert so_far["requests"] >= old
