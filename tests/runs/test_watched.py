"""A run against the local endpoint, watched from before its folder is there until after its end."""

import collections
import contextlib

import pytest

from analysis.advice.analyse import analyse
from analysis.live.observer import Observer
from analysis.live.stage_rows import row
from tests.helpers import folders
from tests.helpers.locust_process import one_locust
from tests.helpers.patience import until

pytestmark = pytest.mark.alone  # people wait for what it looks at: it is timed by the program's own rhythm

TARGETS = [folders.sagemaker("throttled"), folders.bedrock("quick-model")]
LOAD = {"users": [2, 4], "settle_s": 0.5, "measure_s": 3}
NEEDED_S = 2.0  # what ended so long ago is counted


@pytest.fixture(scope="module")
def watched(endpoint, tmp_path_factory):
    """The run's folder, and what was known of it from before it was there until after its end. In this process: the command
    gives way to everything else, and here everything else is many tests."""
    folder = tmp_path_factory.mktemp("watched")
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LOAD)
    observer, said = Observer(str(folder / "run")), []
    with one_locust(scenario, folder / "run") as process, contextlib.closing(observer):
        until(lambda: said.append(observer.figures({})) or said[-1]["ended"], process.text, every_s=0.1)
        assert process.wait() == 0, process.text
    return folder / "run", said


def test_a_finished_stage_has_the_reports_figures_while_the_run_goes_on(watched):
    folder, said = watched
    of_report = {r.figures.identity.stage: row(r) for r in analyse([folder]).results}
    assert len(of_report) == 4
    told = {each["stage"]: each for figures in said if not figures["ended"] for each in figures["stages"]}
    assert set(told) >= {1, 2}  # the last ones' may come with the end
    # requests of the last one's hold end with the run, and it is told anew then, as below: sums over more terms round otherwise
    if last := told.pop(4, None):
        about = {k: pytest.approx(v, rel=1e-12) if isinstance(v, float) else v for k, v in of_report[4].items()}
        assert last == about
    assert {stage: told[stage] for stage in told} == {stage: of_report[stage] for stage in told}


def test_a_run_that_has_ended_is_told_with_the_reports_headline(watched):
    folder, said = watched
    report = analyse([folder])
    assert said[-1]["ended"] == {"headline": report.recommendation.facts[0], "report": None}
    assert said[-1]["stages"] == [row(r) for r in report.results]
    assert said[-1]["stage"] is None
    assert not any(figures["ended"] for figures in said[:-1])


def test_stages_are_told_of_while_they_are_under_way_and_grow(watched):
    folder, said = watched
    measured = [r for r in folders.rows(folder) if r.phase == "measure"]
    told = [f["stage"] for f in said if f["stage"] and f["stage"]["requests"]]
    assert len({each["stage"] for each in told}) >= 2  # on a busy machine one may be over before it is looked at
    for stage in {each["stage"] for each in told}:
        mine, found = [r for r in measured if r.stage == stage], [each for each in told if each["stage"] == stage]
        counts = [each["requests"] for each in found]
        assert counts == sorted(counts) and counts[-1] <= len(mine)
        errors = collections.Counter(r.error for r in mine if r.error)
        assert all(n <= errors[kind] for kind, n in found[-1]["errors"])


@pytest.mark.timed
def test_what_is_told_is_at_most_two_seconds_old(watched):
    folder, said = watched
    measured = [r for r in folders.rows(folder) if r.phase == "measure"]
    for figures in said:
        if so_far := figures["stage"]:
            mine = [r for r in measured if r.stage == so_far["stage"]]
            old = sum(r.started_at + r.latency_ms / 1000 < figures["at"] - NEEDED_S for r in mine)
            assert so_far["requests"] >= old
