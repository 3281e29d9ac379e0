"""How stages and runs end by themselves: enough requests, too many errors, the budget, a full disk; and that no secret is written."""

import contextlib
import csv
import pathlib
import signal
import subprocess
import tempfile

import pytest

from locustfiles.contract.record import FIELDS
from locustfiles.contract.run_folder import RunFolder
from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import cluster, environment, one_locust


def test_a_stage_ends_when_it_has_enough_requests_or_too_many_errors_and_the_sweep_goes_on(endpoint, tmp_path):
    targets = [
        folders.sagemaker(
            "busy",  # throttles alone are no reason to leave a target out
            load={
                "users": [2],
                "settle_s": 0,
                "measure_s": 30,
                "abort_stage": {"error_rate": 0.5, "after_requests": 10},
            },
        ),
        folders.sagemaker("quick"),
    ]
    load = {"users": [2], "settle_s": 0, "until": {"requests": 30, "at_most_s": 30}}
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, targets, load)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 0, process.text
    failing, enough = folders.manifest(tmp_path / "run")["stages"]
    found = folders.rows(tmp_path / "run")
    assert len(found) == endpoint.stats()["requests"] - before
    assert (failing["ended_by"], enough["ended_by"]) == ("abort", "requests")
    failed = [r for r in found if r.stage == 1 and r.phase == "measure"]
    assert len(failed) >= 10 and {r.error for r in failed} == {"throttled"}
    # records are looked at once a second: each ends long before its 30 s, on a busy machine too
    took = [stage["measure_until"] - stage["measure_from"] for stage in (failing, enough)]
    assert max(took) < 10
    assert len(failed) <= 2 * (took[0] / 0.1 + 1)  # a failing user pauses 0.1 s, and a good call takes 65 ms
    enough_rows = [r for r in found if r.stage == 2 and r.phase == "measure"]
    assert 30 <= len(enough_rows) <= 2 * (took[1] / 0.065 + 1)
    assert folders.manifest(tmp_path / "run")["status"] == "complete"


def test_a_run_stops_itself_before_it_spends_more_than_its_budget(endpoint, tmp_path):
    """$3.6 an hour is $0.001 a second: $0.003 are three seconds under load, of stages that would take 20."""
    before = endpoint.stats()["requests"]
    load = {"users": [1, 2], "settle_s": 0.5, "measure_s": 10}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load, budget_usd=0.003)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 3, process.text
    found, manifest = folders.rows(tmp_path / "run"), folders.manifest(tmp_path / "run")
    (stage,) = manifest["stages"]
    assert (manifest["status"], manifest["problems"], stage["ended_by"]) == ("stopped", [], "budget")
    assert stage["hold_until"] >= stage["measure_until"] > stage["measure_from"]
    sent = [r.started_at for r in found]
    assert 1.5 < max(sent) - min(sent) < 4.5 + 2 * folders.lag_s(found)
    assert len(found) == endpoint.stats()["requests"] - before
    assert not any(r.error for r in found)


def test_token_prices_count_towards_the_budget(endpoint, tmp_path):
    """Ten tokens out at $0.5 per 1,000 are half a cent a call, the prompt's some 9 at $0 nothing: 20 cents are 40 calls."""
    target = folders.bedrock("quick-model", price={"input": 0.0, "output": 0.5})
    load = {"users": [2], "settle_s": 0, "measure_s": 30}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], load, budget_usd=0.2)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 3, process.text
    calls = len(folders.rows(tmp_path / "run"))
    # never more; what is in flight or not yet reported counts as spent: some 1.2 s of two users, 37 calls, at the most
    assert 3 <= calls <= 40


def test_no_secret_is_written_anywhere(tmp_path):
    """Recognisable keys and a session token, at the loudest log level, through throttles, errors and a wrong signature."""
    key, secret, token = "AKIAFINDMEFINDMEFIND", "FindMeSecret/FindMeSecret+FindMeSecret00", "FindMeToken" + "T" * 60
    config = folders.EMULATOR | {"credentials": [{"access_key": key, "secret_key": secret, "session_token": token}]}
    env = environment(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret, AWS_SESSION_TOKEN=token)
    targets = [folders.sagemaker("throttled"), folders.bedrock("quick-model")]
    with running_emulator(config) as emulator:
        scenario = folders.make_scenario(tmp_path, emulator.url, targets, {"users": [2], "settle_s": 0, "measure_s": 1})
        with cluster(scenario, tmp_path / "run", "--loglevel", "DEBUG", env=env) as crew:
            assert crew.wait() == (0, [0, 0]), crew.text()
        wrong = env | {"AWS_SECRET_ACCESS_KEY": secret[:-1] + "x"}
        with one_locust(scenario, tmp_path / "refused", "--loglevel", "DEBUG", env=wrong) as process:
            assert process.wait() == 1, process.text
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert {"requests.csv", "manifest.json", "master.log", "worker-0.log", "locust.log", "locust_stats.csv"} <= {
        p.name for p in written
    }
    assert "DEBUG" in (tmp_path / "locust.log").read_text()
    for path in written:
        content = path.read_text(errors="replace")
        for word in (secret, secret[:-1], token, key):
            assert word not in content, (path, word)


@contextlib.contextmanager
def small_disk(folder: pathlib.Path):
    """A file system of 300 kB, where mounting is allowed."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_the_run_and_what_was_written_can_be_read(endpoint):
    """Names are short: the manifest, which names what was kept and where, has to go into the block that it has."""
    with tempfile.TemporaryDirectory() as short:
        fill_the_disk(endpoint, pathlib.Path(short))


def fill_the_disk(endpoint, tmp_path: pathlib.Path) -> None:
    load = {"users": [20], "settle_s": 0, "measure_s": 200}
    scenario = folders.make_scenario(tmp_path / "made", endpoint.url, [folders.sagemaker("quick")], load)
    with small_disk(tmp_path / "disk") as disk:
        with one_locust(scenario, disk / "run", env=environment(TMPDIR=str(tmp_path / "made"))) as process:
            assert process.wait() == 2, process.text
        assert "cannot be written: No space left on device; the run stops, what it holds is kept" in process.text
        assert "Traceback" not in process.text
        text, torn = RunFolder(disk / "run").requests_text()
        whole = text.decode().splitlines()
        assert len(whole) > 500 and torn in (0, 1)
        assert all(len(line) == len(FIELDS) for line in csv.reader(whole))
        manifest = folders.manifest(disk / "run")
        kept = "the run stops, what it holds is kept; see to the disk, then --resume"
        said = f"{disk / 'run'} cannot be written: No space left on device; {kept}"
        assert (
            manifest["status"] == "stopped"
            and manifest["ended_at"] is not None
            and said in [p["text"] for p in manifest["problems"]]
        )
        (kept,) = (tmp_path / "made").glob("swarmledger-spool-*-local-kept.csv")
        assert str(kept) in process.text


def test_a_second_ctrl_c_does_not_lose_what_was_measured(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("slow")], {"users": [5], "settle_s": 0, "measure_s": 30}
    )
    with one_locust(scenario, tmp_path / "run") as process:
        folders.await_requests(endpoint, before + 8)
        process.send(signal.SIGINT)
        process.until("CTRL+C")
        process.send(signal.SIGINT)
        assert process.wait() == 4, process.text
    found, manifest = folders.rows(tmp_path / "run"), folders.manifest(tmp_path / "run")
    assert len(found) == endpoint.stats()["requests"] - before
    assert manifest["status"] == "stopped" and not any(r.error for r in found)
    assert "Traceback" not in process.text


def test_a_ctrl_c_while_the_master_waits_for_workers_ends_it_without_a_trace(tmp_path, endpoint):
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("quick")], {"users": [1], "settle_s": 0, "measure_s": 1}
    )
    with cluster(scenario, tmp_path / "run", "--expect-workers", 3) as crew:
        crew.master.until("2 workers connected")
        crew.interrupt()
        crew.wait()
    assert "Traceback" not in crew.text(), crew.text()
    assert not (tmp_path / "run").exists()


def test_an_endpoint_that_goes_away_in_mid_run_is_a_finding(tmp_path):
    """The endpoint goes away in mid-run: every call after that is a failure of class connect or a broken stream, none is lost."""
    with running_emulator(folders.EMULATOR) as emulator:
        scenario = folders.make_scenario(
            tmp_path,
            emulator.url,
            [folders.sagemaker("quick")],
            {"users": [2], "settle_s": 0, "measure_s": 5},
            error_pause_s=0.1,
        )
        with one_locust(scenario, tmp_path / "run") as process:
            folders.await_requests(emulator, 20)
            emulator.process.kill()
            emulator.process.wait()
            assert process.wait() == 0, process.text  # failed requests are a finding
    found = folders.rows(tmp_path / "run")
    classes = [r.error for r in sorted(found, key=lambda r: r.started_at)]
    assert set(classes) <= {None, "stream_broken", "connect"}
    assert classes[-1] == "connect" and classes[0] is None
    # the pause after a failure keeps 2 users below 2 / 0.1 s = 20 calls a second
    refused = [r.started_at for r in found if r.error == "connect"]
    assert 10 < len(refused) <= 2 * ((max(refused) - min(refused)) / 0.1 + 1)
    assert folders.each_once(found)
    assert {r.error_message for r in found if r.error == "connect"} == {"Connection refused"}
