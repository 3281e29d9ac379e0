"""Workers that are stopped for a while (SIGSTOP): what they miss is charged to the stages that it touched, by its time."""

import signal
import time

import pytest

from analysis.advice.analyse import analyse
from locustfiles.common.swarm.attendance import touched
from locustfiles.contract.manifest import StageWindow
from tests.helpers import folders
from tests.helpers.flat import steps
from tests.helpers.locust_process import cluster, environment, one_locust

LIVENESS_S = 5  # a silence that is longer counts
FROZEN_S = 7


def window(stage: int, a: float | None, held: float | None) -> StageWindow:
    return StageWindow(stage, 1, "t", "p", 1, None, started_at=0.0, measure_from=a, hold_until=held)


@pytest.mark.parametrize(
    ("since", "until", "stages"),
    [
        (0, 9.9, []),  # while the first settles
        (0, 10.1, [1]),
        (19, 20.5, [1]),  # in the hold, too, calls of the window are under way
        (21.1, 29.9, []),  # between the two
        (15, 35, [1, 2]),
        (20, 100, [1, 2, 3]),  # the third is under way
    ],
)
def test_an_absence_touches_the_stages_whose_measured_calls_were_under_way(since, until, stages):
    # measured from 10, held until 21; from 30 to 41; from 50 on; the last one settles
    windows = [window(1, 10, 21), window(2, 30, 41), window(3, 50, None), window(4, None, None)]
    assert touched(windows, since, until) == stages


def freeze(process) -> tuple[float, float]:
    """Unix seconds of its begin and its end."""
    since = time.time()
    process.send(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    until = time.time()
    process.send(signal.SIGCONT)
    return since, until


def await_measured(run, stage: int, process) -> float:
    """When the first of its measured calls was sent."""
    seen = lambda: [r.started_at for r in folders.rows_so_far(run) if (r.stage, r.phase) == (stage, "measure")]  # noqa: E731
    process._until(seen, f"measured stage {stage}")
    return min(seen())


@pytest.fixture(scope="module")
def frozen(endpoint, tmp_path_factory):
    """A run of two workers; one is stopped at the end of the first window, and again while the second stage settles.
    (its folder, what the processes said, the code of the master, both times)"""
    folder = tmp_path_factory.mktemp("frozen")
    loads = {"first": (0.3, 6), "second": (FROZEN_S + 6, 2)}
    targets = [
        folders.sagemaker("quick", name=name, load={"users": [4], "settle_s": s, "measure_s": m, "think_s": 0.1})
        for name, (s, m) in loads.items()
    ]
    load = {"users": [1], "measure_s": 1}
    scenario = folders.make_scenario(folder, endpoint.url, targets, load, request_timeout_s=20)
    with cluster(scenario, folder / "run", env=environment(TEST_LIVENESS_S=str(LIVENESS_S))) as crew:
        began = await_measured(folder / "run", 1, crew.master)
        time.sleep(max(0.0, began + 4 - time.time()))
        times = [freeze(crew.workers[1])]
        crew.master.until("Stage 2 of 2")
        crew.master.until("stood still for 7")
        times.append(freeze(crew.workers[1]))
        code, _ = crew.wait()
    return folder / "run", crew.text(), code, times


def test_a_worker_stopped_at_a_windows_end_makes_that_stage_invalid_and_not_the_next(frozen):
    run, said, code, times = frozen
    manifest = folders.manifest(run)
    stages = [StageWindow(**s) for s in manifest["stages"]]
    concerned = [touched(stages, *absence) for absence in times]
    assert concerned == [[1], []], said[-6000:]
    assert code == 2
    (problem,) = manifest["problems"]
    assert "stood still for 7" in problem["text"] and problem["stages"] == [1]
    assert [s.whole for s in stages] == [False, True]
    assert "nothing was being measured" in said  # the second time
    verdicts = steps(analyse([run]))["verdict"].tolist()
    assert verdicts[0] == "INVALID" and verdicts[1] != "INVALID"


def test_records_of_a_stopped_worker_are_all_there(frozen):
    run, said, _, _ = frozen
    assert folders.each_once(folders.rows(run))
    workers = folders.manifest(run)["workers"]
    assert [w["produced"] == w["received"] > 0 for w in workers] == [True, True], said[-3000:]


def test_a_single_process_that_was_stopped_in_a_window_says_so(endpoint, tmp_path):
    load = {"users": [2], "settle_s": 0.2, "measure_s": 3, "think_s": 0.1}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    env = environment(TEST_LIVENESS_S="3")
    with one_locust(scenario, tmp_path / "run", env=env) as process:
        await_measured(tmp_path / "run", 1, process)
        process.send(signal.SIGSTOP)
        time.sleep(4)
        process.send(signal.SIGCONT)
        assert process.wait() == 2, process.text
    (problem,) = folders.manifest(tmp_path / "run")["problems"]
    assert problem["text"].startswith("this process stood still for 4") and problem["stages"] == [1]
