"""Taking up a run that was cut short: what it has stays, what is missing follows, and the parts are one run."""

import os
import pathlib
import shutil
import signal

import pytest
import yaml

from analysis.advice.analyse import analyse
from tests.helpers import folders
from tests.helpers.flat import steps
from tests.helpers.locust_process import cluster, one_locust

LOAD = {"users": [1, 2, 3], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 2.5}


def rewrite(path: pathlib.Path, **changes: object) -> None:
    data = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(data | changes, sort_keys=False))


def files_of(run: pathlib.Path, *patterns: str) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for pattern in patterns for p in sorted(run.glob(pattern))}


def stages_of(manifest: dict, name: str = "stages") -> list[tuple]:
    return [(s["stage"], s["users"]) for s in manifest[name]]


@pytest.fixture(scope="module")
def killed(endpoint, tmp_path_factory):
    """A sweep whose process is killed in the middle of its second stage, and whose last line is torn."""
    folder = tmp_path_factory.mktemp("killed")
    scenario = folders.make_scenario(folder, endpoint.url, [folders.bedrock("quick-model")], LOAD, prompts=400)
    with one_locust(scenario, folder / "run") as process:
        process.until("Stage 2 of 3")
        before = endpoint.stats()["requests"]
        folders.await_requests(endpoint, before + 15)  # 2 users make 30 a second: in mid-stage
        process.send(signal.SIGKILL)
        process.wait()
    with open(folder / "run" / "requests.csv", "ab") as file:
        file.write(b"1713177600.123456,local,2,by-quick-mo")
    return scenario, folder / "run"


@pytest.fixture(scope="module")
def resumed(killed, endpoint):
    """(run folder, manifest before, Locust's files before, requests received by the endpoint meanwhile, what was said)"""
    scenario, run = killed
    manifest, csv, before = folders.manifest(run), files_of(run, "locust_*.csv"), endpoint.stats()["requests"]
    with one_locust(scenario, run, "--resume", output=run.parent / "resumed.log") as process:
        assert process.wait() == 0, process.text
    return run, manifest, csv, endpoint.stats()["requests"] - before, process.text


def test_only_the_missing_stages_are_measured_and_the_cut_one_is_listed_as_abandoned(resumed):
    run, before, _, sent, text = resumed
    after = folders.manifest(run)
    assert (before["status"], stages_of(before)) == ("running", [(1, 1), (2, 2)])
    assert stages_of(after) == [(1, 1), (3, 2), (4, 3)]
    assert stages_of(after, "abandoned") == [(2, 2)]
    assert after["stages"][0] == before["stages"][0]
    assert (after["status"], after["problems"]) == ("complete", [])
    assert [p["status"] for p in after["parts"]] == ["broken off", "complete"]
    assert after["parts"][0]["run_id"] == before["run_id"] == after["run_id"] != after["parts"][1]["run_id"]
    assert after["started_at"] == before["started_at"] and after["ended_at"] > after["parts"][1]["started_at"]
    second = [r for r in folders.rows(run) if r.started_at > after["parts"][1]["started_at"]]
    assert {r.stage for r in second} == {0, 3, 4} and len(second) == sent


def test_the_torn_line_is_gone_and_call_numbers_never_meet(resumed):
    run = resumed[0]
    found = folders.rows(run)  # every line is whole
    assert len({(r.worker, r.call, r.attempt) for r in found}) == len(found)
    assert len({r.request_id for r in found}) == len(found)


def test_locusts_own_files_of_the_first_part_stay_and_the_second_has_its_own(resumed):
    run, _, before, sent, _ = resumed
    assert {name: (run / name).read_bytes() for name in before} == before
    second = {p.name for p in run.glob("locust-2_*.csv")}
    assert second == {name.replace("locust_", "locust-2_") for name in before}
    totals = next(
        line for line in (run / "locust-2_stats.csv").read_text().splitlines() if line.startswith(",Aggregated")
    )
    assert int(totals.split(",")[2]) == sent


def test_the_analysis_takes_the_parts_as_one_run(resumed):
    run = resumed[0]
    report = analyse([str(run)], None, None)
    found = steps(report)
    assert sorted(found["users"]) == [1, 2, 3]
    assert set(found["verdict"]) <= {"VALID", "SUSPECT"}
    reasons = " ".join(str(reason) for reason in found["reasons"])
    for word in ("never", "lost", "closed", "damaged", "more than once"):
        assert word not in reasons


def test_what_the_manifest_calls_whole_is_on_the_disk_when_the_process_is_killed_right_after(endpoint, tmp_path):
    """At the window's end each of two users has a measured request in flight: the stage waits for it, and so must the file."""
    load = {"users": [2, 3], "settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 1}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    with one_locust(scenario, tmp_path / "run") as process:
        process.until("Stage 2 of 2")
        process.send(signal.SIGKILL)
        process.wait()
    first = folders.manifest(tmp_path / "run")["stages"][0]
    assert first["whole"]
    measured = [r for r in folders.rows(tmp_path / "run") if r.stage == 1 and r.phase == "measure"]
    last = [r for r in measured if r.started_at + r.latency_ms / 1000 >= first["measure_until"]]
    assert {r.user for r in last} == {1, 2}


def refused(scenario, run, endpoint, *options: str) -> str:
    """The one line; nothing was sent, and the run's files are as they were."""
    before, files = endpoint.stats()["requests"], files_of(pathlib.Path(run), "*") if run else {}
    with one_locust(scenario, run, "--resume", *options, output=scenario.parent / "refused.log") as process:
        assert process.wait() == 1, process.text
    assert len(process.errors) == 1 and "Traceback" not in process.text
    assert endpoint.stats()["requests"] == before
    assert not run or files_of(pathlib.Path(run), "*") == files
    return process.errors[0]


def test_what_cannot_be_resumed_is_one_line_and_sends_nothing(resumed, killed, endpoint, tmp_path):
    """The same run, with its manifest as if it had not ended, against inputs that have changed."""
    scenario, complete = killed
    line = refused(scenario, complete, endpoint)
    assert (
        line
        == "error: --resume: run tried is complete, nothing is left to measure; choose another --run-dir for a new run"
    )
    assert (
        refused(scenario, complete, endpoint, "--overwrite")
        == refused(scenario, None, endpoint)
        == ("error: --resume: needs the run to go on with; give its --run-dir, and no --overwrite")
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(scenario, empty, endpoint) == (
        f"error: {empty}: no run folder, it has no manifest.json; give the folder named by --run-dir"
    )
    stopped = tmp_path / "run"
    shutil.copytree(complete, stopped)
    text = (stopped / "manifest.json").read_text()
    (stopped / "manifest.json").write_text(text.replace('"status": "complete"', '"status": "stopped"'))
    book, prompts = scenario.parent / "book.yaml", scenario.parent / "prompts.jsonl"
    for path, change, name in (
        (scenario, lambda: rewrite(scenario, seed=8), "scenario"),
        (book, lambda: rewrite(book, models={"quick-model": {"input": 0.001, "output": 0.003}}), "price"),
        (prompts, lambda: prompts.write_text(prompts.read_text().replace("number 3:", "number three:")), "payload"),
    ):
        kept = path.read_text()
        try:
            change()
            if path == book:
                book.write_text(book.read_text().replace("'2024-04-15'", "2024-04-15"))
            line = refused(scenario, stopped, endpoint)
        finally:
            path.write_text(kept)
        assert line == f"error: --resume: the run was begun with another {name}; restore it, or begin a new run"


def test_a_run_that_its_budget_ended_goes_on_and_is_completed(endpoint, tmp_path):
    """$0.001 a second, and a budget of 0.5 cents for each part: stages of 2 s and more, three of them, need two parts or three."""
    load = {"users": [1, 2, 3], "settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 1.5}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load, budget_usd=0.005)
    run, codes = tmp_path / "run", []
    for part in range(4):
        with one_locust(scenario, run, *(["--resume"] if part else []), output=tmp_path / f"{part}.log") as process:
            codes.append(process.wait())
        if codes[-1] == 0:
            break
    assert codes[0] == 3 and codes[-1] == 0 and set(codes[:-1]) == {3}
    manifest = folders.manifest(run)
    assert [s["users"] for s in manifest["stages"]] == [1, 2, 3] and all(s["whole"] for s in manifest["stages"])
    assert manifest["status"] == "complete" and manifest["problems"] == []
    assert {s["ended_by"] for s in manifest["abandoned"]} <= {"budget"}
    numbers = [s["stage"] for s in (*manifest["stages"], *manifest["abandoned"])]
    assert len(set(numbers)) == len(numbers)
    assert len(folders.rows(run)) == len({(r.worker, r.call) for r in folders.rows(run)})
    assert not analyse([str(run)], None, None).invalid


def test_a_run_whose_master_was_killed_goes_on_with_new_workers(endpoint, tmp_path):
    load = {"users": [2, 3], "settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 2}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load, prompts=300)
    run = tmp_path / "run"
    with cluster(scenario, run) as crew:
        crew.master.until("Stage 2 of 2")
        os.killpg(crew.master.popen.pid, signal.SIGKILL)
        crew.master.wait()
    with cluster(scenario, run, "--resume") as crew:
        assert crew.wait() == (0, [0, 0]), crew.text()
    manifest, found = folders.manifest(run), folders.rows(run)
    assert stages_of(manifest) == [(1, 2), (3, 3)] and stages_of(manifest, "abandoned") == [(2, 3)]
    assert (manifest["status"], manifest["problems"]) == ("complete", [])
    assert len({(r.worker, r.call) for r in found}) == len(found)
    assert len({r.worker for r in found if r.stage == 1}) == len({r.worker for r in found if r.stage == 3}) == 2
    assert not {r.worker for r in found if r.stage == 1} & {r.worker for r in found if r.stage == 3}
    report = analyse([str(run)], None, None)
    assert sorted(steps(report)["users"]) == [2, 3] and not report.invalid
