"""A ramp: the rate goes from one to another in the window, and its figures are told by slices of time."""

import itertools

import pytest

from analysis.advice.analyse import analyse
from locustfiles.common.planning.arrivals import ramp_arrivals
from locustfiles.contract.scenario.loads import Load
from tests.helpers import folders
from tests.helpers.locust_process import cluster

RAMP = {"ramp": {"begin": 4.0, "end": 28.0}, "arrivals": "constant", "measure_s": 8.0}


def due(**changes) -> list[float]:
    return [a.at_s for a in ramp_arrivals(Load.model_validate(RAMP | changes), "seed")]


def test_arrivals_of_a_ramp_are_as_dense_as_its_rate_is():
    """4 to 28 a second in 8 s: 128 in all. In the first half 4 x 4 + 3 x 4^2 / 2 = 40, in the second 88."""
    times = due()
    assert len(times) == pytest.approx(128, abs=1) and times[0] == 0 and times[-1] <= 8
    assert sum(t < 4 for t in times) == pytest.approx(40, abs=1)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert gaps == sorted(gaps, reverse=True)
    falling = due(ramp={"begin": 28.0, "end": 4.0})
    assert len(falling) == pytest.approx(128, abs=1) and sum(t < 4 for t in falling) == pytest.approx(88, abs=1)


def test_random_arrivals_of_a_ramp_are_as_many_on_average():
    """A Poisson process of 12,800 on average: its deviation is 113."""
    long = [a.at_s for a in ramp_arrivals(Load(ramp={"begin": 4.0, "end": 28.0}, measure_s=800.0), "7")]
    assert len(long) == pytest.approx(12_800, abs=4 * 113)
    assert sum(t < 400 for t in long) == pytest.approx(4_000, abs=4 * 63)


@pytest.fixture(scope="module")
def run(endpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ramp")
    scenario = folders.make_scenario(folder, endpoint.url, [folders.bedrock("quick-model")], RAMP)
    with cluster(scenario, folder / "run", workers=2) as crew:
        assert crew.wait() == (0, [0, 0]), crew.text()
    return folder / "run"


def test_every_arrival_is_sent_and_measured(run):
    (stage,) = folders.manifest(run)["stages"]
    assert (stage["ramp"], stage["rate"], stage["users"], stage["whole"]) == ([4.0, 28.0], 16.0, None, True)
    found = [r for r in folders.rows(run) if r.stage]
    assert len(found) == len(due()) and {r.phase for r in found} == {"measure"} and not any(r.error for r in found)


def test_its_figures_are_told_by_slices_and_of_no_one_rate(run):
    report = analyse([run])
    (result,), (ramp,) = report.results, report.ramps
    assert result.figures.identity.ramp == "4 to 28" and "ramp" in {c.kind for c in result.cautions}
    assert result.figures.trust.verdict == "SUSPECT" and report.candidates == []
    assert report.recommendation.facts[0] == "Nothing is recommended for `prompts`: it was measured in ramps alone."
    assert len(ramp.slices) == 10 and sum(one.requests for one in ramp.slices) == result.figures.outcome.requests
    # constant arrivals: 0.8 s of each rate, to the request
    assert all(abs(one.sent_per_s - one.planned_per_s) <= 1.3 / 0.8 for one in ramp.slices)
    assert all(0.02 <= one.ttft_p50_s <= one.latency_p50_s <= one.latency_p95_s for one in ramp.slices)
