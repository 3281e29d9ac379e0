"""A master with two workers: nothing is lost, nothing comes twice, and who does not fit is refused."""

import collections
import pathlib
import signal

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import cluster, environment
from tests.helpers.patience import until

TARGETS = [folders.sagemaker("quick"), folders.bedrock("quick-model")]


@pytest.fixture(scope="module")
def run(endpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("distributed")
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, {"users": [1, 3], "settle_s": 0.5, "measure_s": 2})
    with cluster(scenario, folder / "run") as crew:
        codes = crew.wait()
        text = crew.text()
    return folder / "run", codes, endpoint.stats()["requests"] - before, text


def test_the_records_at_the_master_are_the_requests_at_the_endpoint(run, endpoint):
    folder, codes, sent, text = run
    found, manifest = folders.rows(folder), folders.manifest(folder)
    assert codes == (0, [0, 0]), text
    assert len(found) == sent > 50
    assert folders.each_once(found)
    assert len(folders.truth_of(endpoint, {r.request_id for r in found})) == sent
    assert int(folders.total(folder)["Request Count"]) == sent
    assert not any(r.error for r in found)
    assert (manifest["status"], manifest["problems"]) == ("complete", [])
    counts = collections.Counter(r.worker for r in found)
    assert {w["id"]: (w["produced"], w["received"], w["lost"]) for w in manifest["workers"]} == {
        w: (n, n, 0) for w, n in counts.items()
    }
    assert len(counts) == 2
    # one machine, one clock; a ping that a busy machine holds up is no offset of seconds (test_namespaces is strict)
    assert all(abs(w["clock_offset_ms"]) < 250 for w in manifest["workers"])
    assert "Traceback" not in text


def test_the_planned_users_are_exact_in_sum(run):
    folder = run[0]
    for stage in folders.manifest(folder)["stages"]:
        measured = [r for r in folders.rows(folder) if r.stage == stage["stage"] and r.phase == "measure"]
        assert len({(r.worker, r.user) for r in measured}) == stage["users"]
        a, b = stage["measure_from"], stage["measure_until"]
        slack = 0.25 + 2 * folders.lag_s(folders.rows(folder))  # the master's word takes a while to its workers
        assert all(a - slack <= r.started_at < b + slack for r in measured)
        assert max(r.started_at + r.latency_ms / 1000 for r in measured) <= stage["hold_until"] + slack


def test_no_two_users_draw_the_same_and_each_draws_the_same_for_both_targets(run):
    sent = collections.defaultdict(list)
    for row in sorted((r for r in folders.rows(run[0]) if r.stage), key=lambda r: r.started_at):
        sent[row.target, row.worker, row.user].append(row.prompt_id)
    first, second = ({k[1:]: v for k, v in sent.items() if k[0] == t["name"]} for t in TARGETS)
    assert len(first) == len(second) == 3
    assert len({tuple(v[:8]) for v in first.values()}) == len({tuple(v[:8]) for v in second.values()}) == 3
    both = set(first) & set(second)  # of three users on two workers, Locust may give the odd one to the other worker
    assert len(both) >= 2
    for user in both:
        n = min(len(first[user]), len(second[user]))
        assert n >= 8 and first[user][:n] == second[user][:n]


def test_a_worker_with_another_scenario_is_refused_before_anything_is_sent(endpoint, tmp_path):
    load, before = {"users": [2], "settle_s": 0, "measure_s": 1}, endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, load)
    other = folders.make_scenario(tmp_path / "other", endpoint.url, TARGETS, load, seed=8)
    with cluster(scenario, tmp_path / "run", worker_scenarios={1: other}) as crew:
        code, workers = crew.wait()
    assert (code, workers) == (1, [1, 1]), crew.text()
    for process in (crew.master, *crew.workers):
        (line,) = process.errors
        assert ": another scenario or other payload files than the master's; copy the master's to it" in line
    assert endpoint.stats()["requests"] == before
    assert not (tmp_path / "run").exists()


def test_a_worker_with_another_payload_file_is_refused(endpoint, tmp_path):
    """The file has the same name in the scenario; what is in it differs."""
    load, before = {"users": [1], "settle_s": 0, "measure_s": 1}, endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, load, payloads=["prompts.jsonl"])
    other = folders.make_scenario(
        tmp_path / "other", endpoint.url, TARGETS, load, payloads=["prompts.jsonl"], prompts=39
    )
    other.write_text(scenario.read_text())
    with cluster(scenario, tmp_path / "run", workers=1, worker_scenarios={0: other}) as crew:
        code, workers = crew.wait()
    assert (code, workers) == (1, [1]), crew.text()
    assert "other payload files" in crew.master.errors[0]
    assert endpoint.stats()["requests"] == before


def test_a_killed_worker_makes_the_run_untrustworthy_and_what_arrived_is_kept(endpoint, tmp_path):
    load, before = {"users": [4], "settle_s": 0, "measure_s": 6}, endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    with cluster(scenario, tmp_path / "run", env=environment(TEST_LIVENESS_S="3")) as crew:
        folders.await_requests(endpoint, before + 100)
        crew.workers[1].send(signal.SIGKILL)
        code = crew.master.wait()
        assert crew.workers[0].wait() == 0, crew.text()
    assert code == 2, crew.text()
    found, manifest = folders.rows(tmp_path / "run"), folders.manifest(tmp_path / "run")
    assert manifest["status"] == "complete"
    (problem,) = manifest["problems"]
    assert "never handed in" in problem["text"] and problem["stages"] == [1]
    assert not manifest["stages"][0]["whole"]
    assert folders.each_once(found)
    entries = {w["id"]: w for w in manifest["workers"]}
    counts = collections.Counter(r.worker for r in found)
    (dead,) = [w for w in entries.values() if w["produced"] is None]
    (whole,) = [w for w in entries.values() if w["produced"] is not None]
    assert dead["received"] == counts[dead["id"]] > 0 and dead["lost"] is None
    assert whole["received"] == whole["produced"] == counts[whole["id"]]
    # each of its two users had a request under way and reports go out once a second: 1 s of 2 users at 65 ms is 31 requests
    sent = endpoint.stats()["requests"] - before
    assert 0 <= sent - len(found) <= 2 + 2 * (1.3 + 2 * folders.lag_s(found)) / 0.065


@pytest.fixture(scope="module")
def changing(endpoint, tmp_path_factory):
    """A run of 6 users that two workers begin; one more comes, and one that does not fit; later two leave, and then it is stopped.
    (its records, the moment before they left, the moment before the stop)"""
    folder = tmp_path_factory.mktemp("changing")
    load, before = {"users": [6], "settle_s": 0, "measure_s": 600}, endpoint.stats()["requests"]
    scenario = folders.make_scenario(folder, endpoint.url, [folders.sagemaker("quick")], load)
    other = folders.make_scenario(folder / "other", endpoint.url, [folders.sagemaker("quick")], load, seed=8)
    with cluster(scenario, folder / "run", workers=2) as crew:
        folders.await_requests(endpoint, before + 30)
        for theirs in (scenario, other):
            crew.join(theirs)
        stayed, *leavers, unfit = crew.workers
        assert unfit.wait() == 1
        assert ": another scenario" in unfit.errors[0]
        for leaver in leavers:
            leaver.until_it_catches(signal.SIGTERM)
        shared = await_at_work(folder / "run", (6, 3))
        for leaver in leavers:
            leaver.send(signal.SIGTERM)
        assert [leaver.wait() for leaver in leavers] == [0, 0], crew.text()
        end = await_at_work(folder / "run", (6, 1))
        crew.master.send(signal.SIGTERM)
        assert (crew.master.wait(), stayed.wait()) == (4, 0), crew.text()
    found, manifest = folders.rows(folder / "run"), folders.manifest(folder / "run")
    assert (manifest["status"], manifest["problems"], len(manifest["workers"])) == ("stopped", [], 3)
    return found, shared, end, endpoint.stats()["requests"] - before


def at_work(found: list, end: float | None = None) -> tuple[int, int]:
    """Users and workers that began a request in the second before; None: in the last one."""
    end = end or max(r.started_at for r in found) + 0.01
    users = {(r.worker, r.user) for r in found if end - 1 < r.started_at < end}
    return len(users), len({worker for worker, _ in users})


def await_at_work(run: pathlib.Path, users_and_workers: tuple[int, int]) -> float:
    """The end of a second in which it was so many."""
    until(lambda: at_work(folders.rows_so_far(run)) == users_and_workers, f"{users_and_workers} users and workers")
    return max(r.started_at for r in folders.rows_so_far(run)) + 0.01


def test_a_worker_that_comes_late_takes_its_share_and_one_that_does_not_fit_is_sent_away(changing):
    found, shared, _, _ = changing
    assert at_work(found, shared)[1] == 3  # records that came in later add users of that second, and take none away


def test_workers_that_are_asked_to_leave_hand_in_all_their_records(changing):
    found, _, _, sent = changing
    assert len(found) == sent
    assert folders.each_once(found) and not any(r.error for r in found)


def test_users_come_back_after_workers_have_come_and_gone(changing):
    found, _, end, _ = changing
    assert at_work(found, end) == (6, 1)  # all at the one that stayed


def test_more_users_than_start_in_a_few_seconds_are_all_measured_and_a_stop_meanwhile_ends_the_run(tmp_path):
    """A hundred a second start. After three seconds Locust was once asked for those that were not there yet, and gave up."""
    timed = {"kind": "timed", "ttft_ms": 1500, "tokens_per_second": 1000}
    config = {"engines": {"slow": timed}, "models": {"slow-model": {"engine": "slow", "family": "llama"}}}
    load = {"users": [450], "settle_s": 0.5, "settle_at_most_s": 4, "measure_s": 5}
    with running_emulator(config) as endpoint:
        scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("slow-model")], load)
        with cluster(scenario, tmp_path / "run") as crew:
            code, _ = crew.wait()
        (stage,) = folders.manifest(tmp_path / "run")["stages"]
        assert (code, stage["whole"], stage["users"]) == (0, True, 450), crew.text()
        measured = {(r.worker, r.user) for r in folders.rows(tmp_path / "run") if r.phase == "measure"}
        assert len(measured) == 450
        with cluster(scenario, tmp_path / "stopped") as crew:
            until((tmp_path / "stopped/requests.csv").exists, crew.text)
            until(lambda: len(folders.rows(tmp_path / "stopped")) > 3, crew.text)  # a hundred or two are there
            crew.interrupt()
            assert crew.wait()[0] == 4, crew.text()
    assert "Traceback" not in crew.text()
