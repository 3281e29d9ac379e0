"""A mix that was cut short, is watched, or is skipped: all its parts are one."""

import signal

import pytest

from analysis.advice.analyse import analyse
from tests.helpers import folders
from tests.helpers.locust_process import one_locust
from tests.helpers.patience import until
from tests.helpers.stage_buttons import await_phase, document, press, started
from tests.runs.test_mix import MIX, TARGETS

LOAD = {"users": [2, 4, 6], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 600}


@pytest.fixture(scope="module")
def cut(endpoint, tmp_path_factory):
    """(run folder, what was shown in the first window, what after): the first level is skipped in its window, the second is killed
    in its own, and a third run measures the rest."""
    folder = tmp_path_factory.mktemp("cut")
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LOAD, mix=MIX)
    with started(scenario, folder / "run") as (process, url):
        await_phase(url, 1, "measure")
        folders.await_requests(endpoint, endpoint.stats()["requests"] + 40)
        shown = until(
            lambda: (d := document(url)) and measured(d) > 5 and d["figures"]["stage"]["parts"] and d,
            "figures of the stage under way",
        )
        assert press(url, "skip")[0] == 200
        await_phase(url, 4, "measure")
        process.send(signal.SIGKILL)
        process.wait()
    before = folders.manifest(folder / "run")
    return scenario, folder / "run", shown, before


def measured(shown: dict) -> int:
    """Requests of the stage under way."""
    return ((shown.get("figures") or {}).get("stage") or {}).get("requests") or 0


def test_what_is_shown_of_a_mix_under_way_is_of_all_its_parts(cut):
    _, _, shown, _ = cut
    stage = shown["load"]["stage"]
    assert (stage["stage"], stage["target"], stage["users"]) == (1, "on-quick + by-quick-model + by-slow-model", 2)
    figures = shown["figures"]["stage"]
    assert figures["stage"] == 1 and figures["requests"] > 5 and figures["failures"] == 0
    assert [(p["target"], p["share"]) for p in figures["parts"]] == [
        ("on-quick", 0.625),
        ("by-quick-model", 0.25),
        ("by-slow-model", 0.125),
    ]
    assert sum(p["requests"] for p in figures["parts"]) == int(figures["judged"].split()[1])


def test_a_mix_that_is_skipped_is_so_in_all_its_parts(cut):
    _, _, _, before = cut
    first, second = before["stages"][:3], before["stages"][3:]
    assert {(s["ended_by"], s["whole"], s["measure_until"]) for s in first} == {
        ("skip", True, first[0]["measure_until"])
    }
    assert [s["stage"] for s in second] == [4, 5, 6] and {s["ended_by"] for s in second} == {None}


def test_resuming_measures_all_parts_of_what_is_missing(cut, endpoint):
    scenario, run, _, before = cut
    with one_locust(scenario, run, "--resume", output=run.parent / "resumed.log") as process:
        process.until("Stage 4 to 6 of 9")
        folders.await_requests(endpoint, endpoint.stats()["requests"] + 30)
        process.send(signal.SIGINT)
        assert process.wait() == 4, process.text
    after = folders.manifest(run)
    assert [s["stage"] for s in after["stages"]] == [1, 2, 3, 7, 8, 9]
    assert [s["stage"] for s in after["abandoned"]] == [4, 5, 6]
    assert after["stages"][3]["mix"] == [7, 8, 9] and {s["ended_by"] for s in after["stages"][3:]} == {"stop"}
    report = analyse([run])
    assert len(report.mixes) == 2
    assert any("the mix at 6 users" in text for text in report.cut), report.cut
