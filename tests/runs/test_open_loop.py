"""The open loop: requests go out when they are due, whatever became of those before, from one process and from workers."""

import itertools
import json
import statistics

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import cluster, one_locust
from tests.helpers.patience import repeated, timer

RATE = 20.0
SECONDS = 3
LOAD = {"rate": [RATE], "max_users": 30, "settle_s": 0.5, "settle_at_most_s": 0.5, "measure_s": SECONDS}


def swept(endpoint, folder, target: dict, load: dict, workers: int = 0, prompts: list[dict] | None = None):
    """(rows of the stages, manifest, the endpoint's log in the order of arrival); the run ended well."""
    scenario = folders.make_scenario(folder, endpoint.url, [target], load)
    if prompts:
        (folder / "prompts.jsonl").write_text("".join(json.dumps(p) + "\n" for p in prompts))
    if workers:
        with cluster(scenario, folder / "run", workers=workers) as crew:
            assert crew.wait() == (0, [0] * workers), crew.text()
    else:
        with one_locust(scenario, folder / "run") as process:
            assert process.wait() == 0, process.text
    found, manifest = [r for r in folders.rows(folder / "run") if r.stage], folders.manifest(folder / "run")
    assert manifest["status"] == "complete" and manifest["problems"] == []
    truth = folders.truth_of(endpoint, {r.request_id for r in found})
    return found, manifest, sorted((truth[r.request_id] for r in found), key=lambda t: t["arrival"])


def on_plan(found: list[folders.Row], truth: list[dict]) -> list[float]:
    """When each request would have reached the endpoint, by the endpoint's clock, had it been sent when it was due: what a
    busy machine made late is in the record's own delay. In their order."""
    delay = {r.request_id: r.schedule_delay_ms / 1000 for r in found}
    return sorted(t["arrival"] - delay[t["request_id"]] for t in truth)


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in itertools.pairwise(times)]


@pytest.fixture(scope="module", params=[0, 2], ids=["one process", "two workers"])
def constant(request, endpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("constant")
    return (
        *swept(endpoint, folder, folders.sagemaker("quick"), LOAD | {"arrivals": "constant"}, request.param),
        folder / "run",
        request.param,
    )


def test_constant_arrivals_reach_the_endpoint_evenly_whoever_sends_them(constant):
    """A gap is 50 ms. Two workers that ran 20 ms ahead of each other would make gaps of 30 and 70 ms in turn."""
    found, manifest, truth, _, workers = constant
    between = gaps(on_plan(found, truth))
    assert statistics.median(between) == pytest.approx(1 / RATE, abs=0.004)
    even, odd = statistics.median(between[0::2]), statistics.median(between[1::2])
    assert abs(even - odd) < 0.01
    near = sum(abs(gap - 1 / RATE) < 0.015 for gap in between)
    assert near > 0.4 * len(between)  # 0.85 and more on a machine that is idle; of gaps of 30 and 70 ms in turn none
    if workers:
        share = sum(r.worker == found[0].worker for r in found)
        assert abs(share - len(found) / 2) <= 1 + len(found) * 0.05  # dealt in turn


def test_the_achieved_rate_is_the_planned_one(constant):
    found, manifest, truth, _, _ = constant
    (stage,) = manifest["stages"]
    measured = [r for r in found if r.phase == "measure"]
    seconds = stage["measure_until"] - stage["measure_from"]
    late = 2 * folders.lag_s(found)
    assert SECONDS <= seconds < SECONDS + 0.5 + late
    assert len(measured) == pytest.approx(RATE * seconds, abs=2 + RATE * late)
    assert stage["ended_by"] == "time" and stage["whole"]


def test_records_of_the_open_loop_have_a_rate_and_a_delay_and_no_users(constant):
    found, manifest, truth, run, _ = constant
    assert {(r.users, r.rate) for r in found} == {(None, RATE)}
    assert (manifest["stages"][0]["users"], manifest["stages"][0]["rate"]) == (None, RATE)
    assert min(r.schedule_delay_ms for r in found) >= 0
    assert folders.each_once(folders.rows(run))


@pytest.mark.alone
@repeated
def test_requests_leave_when_they_are_due(endpoint, tmp_path_factory):
    """Within some milliseconds; on a busy machine as many more as ten times those of a bare timer beside it."""
    with timer(1 / RATE) as late:
        load = LOAD | {"arrivals": "constant"}
        found, _, _ = swept(endpoint, tmp_path_factory.mktemp("due"), folders.sagemaker("quick"), load)
    delays, late = sorted(r.schedule_delay_ms / 1000 for r in found), sorted(late)
    assert statistics.median(delays) < 0.005 + 10 * statistics.median(late)
    assert delays[int(0.95 * len(delays))] < 0.050 + 10 * late[int(0.95 * len(late))]


def test_locusts_names_and_counts_are_those_of_the_rate(constant):
    found, _, _, run, _ = constant
    names = {
        row["Name"]: int(row["Request Count"]) for row in folders.table(run, "stats") if row["Name"] != "Aggregated"
    }
    assert names == {"on-quick prompts warmup": 1, "on-quick prompts @20/s": len(found)}
    assert int(folders.total(run)["Request Count"]) == len(found) + 1
    assert {row["Name"] for row in folders.table(run, "stats_history")} == {*names, "Aggregated"}


def test_poisson_arrivals_of_two_workers_scatter_as_one_such_process_does(endpoint, tmp_path):
    """Gaps of a Poisson process have a standard deviation as long as their mean (CV 1). With n = 150 its estimate has a standard
    error of about 1/sqrt(150) = 0.08; constant arrivals have 0, two workers in step 1.4 and more. The count over 5 s at 30/s is
    150 with a standard deviation of 12."""
    load = LOAD | {"rate": [30.0], "measure_s": 5, "settle_s": 0, "settle_at_most_s": 0}
    found, _, truth = swept(endpoint, tmp_path, folders.sagemaker("quick"), load, 2)
    measured = sum(r.phase == "measure" for r in found)
    assert abs(measured - 150) < 4 * 12.3 + 10
    between = gaps(on_plan(found, truth))
    assert 0.7 < statistics.stdev(between) / statistics.fmean(between) < 1.35
    short = sum(gap < 1 / 60 for gap in between) / len(between)  # 1 - exp(-1/2) = 0.39 of them are below half the mean
    assert 0.27 < short < 0.52


@pytest.fixture(scope="module")
def stalling(tmp_path_factory):
    """An endpoint that holds every answer's third token for 1.2 s."""
    config = {
        "engines": {"quick": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 200}},
        "endpoints": {"stalling": {"engine": "quick", "dialect": "tgi", "faults": {"stall": 1.0}, "stall_ms": 1200}},
    }
    with running_emulator(config, truth=tmp_path_factory.mktemp("stalling") / "truth.jsonl") as e:
        yield e


def test_a_stalled_endpoint_gets_all_its_arrivals_where_closed_loop_users_wait_for_it(stalling, tmp_path):
    """Answers take 1.27 s. At 20/s that is 25 in flight: the open loop goes on sending, 20 each second; four users of the closed
    loop hold back and send 4 / 1.27 = 3.1 a second, as if the load had been so low (coordinated omission)."""
    opened, _, truth = swept(
        stalling, tmp_path / "open", folders.sagemaker("stalling"), LOAD | {"arrivals": "constant", "max_users": 60}
    )
    measured = [r for r in opened if r.phase == "measure"]
    late = folders.lag_s(opened)
    assert len(measured) == pytest.approx(RATE * SECONDS, abs=3 + 2 * RATE * late)
    assert statistics.median(r.latency_ms for r in measured) == pytest.approx(1270, abs=150 + 1000 * late)
    assert statistics.median(gaps(on_plan(opened, truth))) == pytest.approx(1 / RATE, abs=0.004)
    assert (
        statistics.median(r.schedule_delay_ms for r in measured) < 100
    )  # where users wait for answers it grows by seconds
    assert max(t["in_flight"] for t in truth) >= 20
    closed_load = {"users": [4], "settle_s": 0.5, "settle_at_most_s": 0.5, "measure_s": SECONDS}
    closed, _, _ = swept(stalling, tmp_path / "closed", folders.sagemaker("stalling"), closed_load)
    assert sum(r.phase == "measure" for r in closed) <= 4 * (SECONDS + 0.5) / 1.27 + 4
    assert all(r.schedule_delay_ms is None and r.rate is None and r.users == 4 for r in closed)


def test_too_few_users_show_as_a_growing_delay(stalling, tmp_path):
    """Five users at 1.27 s a call make 3.9 requests/s of the planned 20: after t seconds the next one to go was due at 0.2 t."""
    load = LOAD | {"arrivals": "constant", "max_users": 5, "settle_s": 0, "settle_at_most_s": 0}
    found, _, truth = swept(stalling, tmp_path, folders.sagemaker("stalling"), load)
    found.sort(key=lambda r: r.started_at)
    delays = [r.schedule_delay_ms for r in found]
    late_ms = 1000 * folders.lag_s(found)
    assert max(delays[:5]) < 300 + late_ms
    assert delays[-1] > 2000 and delays[-1] > max(delays) - 50 - late_ms
    assert max(r.in_flight for r in found) == 5
    rate = sum(r.phase == "measure" for r in found) / SECONDS
    assert rate < 6


TRACE = [(0.0, 20, 4), (0.05, 100, 8), (0.5, 60, 10), (0.5, 20, 3), (1.2, 100, 5), (1.25, 20, 6), (2.0, 60, 10)]


@repeated
def test_two_workers_replay_a_recorded_trace_at_its_times_with_its_lengths(endpoint, tmp_path_factory):
    """Prompts of 22, 58 and 97 tokens are the nearest to 20, 60 and 100. The rate is 6 gaps in 2 s: 3/s. An endpoint that waits
    for a core reads a request late, and its own clock begins there."""
    tmp_path = tmp_path_factory.mktemp("trace")
    lines = "".join(f"{1e6 + at:.3f},{prompt},{out}\n" for at, prompt, out in TRACE)
    (tmp_path / "trace.csv").write_text("timestamp,prompt_tokens,completion_tokens\n" + lines)
    prompts = [{"id": f"p{n}", "prompt": "word " * n, "prompt_tokens": n} for n in (22, 58, 97)]
    load = {"replay": str(tmp_path / "trace.csv"), "max_users": 8}
    found, manifest, truth = swept(endpoint, tmp_path, folders.sagemaker("quick"), load, 2, prompts)
    assert len(found) == len(TRACE)
    assert {(r.phase, r.users, r.rate) for r in found} == {("measure", None, 3.0)}
    planned = on_plan(found, truth)
    assert [at - planned[0] for at in planned] == pytest.approx([at for at, _, _ in TRACE], abs=0.03)
    by_id = {r.request_id: r for r in found}
    nearest = {20: "p22", 60: "p58", 100: "p97"}
    sent = [(by_id[t["request_id"]].prompt_id, t["completion_tokens"]) for t in truth]
    assert sorted(sent) == sorted((nearest[prompt], out) for _, prompt, out in TRACE)
    assert [s for s in sent if s[0] == "p97"] == [("p97", 8), ("p97", 5)]
    (stage,) = manifest["stages"]
    assert (
        stage["rate"] == 3.0
        and stage["whole"]
        and 2.0 < stage["measure_until"] - stage["measure_from"] < 3.0 + 2 * folders.lag_s(found)
    )
