"""What a run tells before its stages: calls that failed, limits that cannot be decided; and a start that was refused is no run."""

import re
import signal

import pytest

from tests.helpers import folders
from tests.helpers.locust_process import environment, one_locust
from tests.runs.test_check import check

LOAD = {"users": [1], "settle_s": 0, "measure_s": 0.4}
#: a call takes 65 ms or, on a busy machine, longer: at most 6 answers in 0.4 s; 72 take 5 s or longer, with a tenth to spare
TOO_FEW = (
    r"target `on-quick` at 1 user: about [0-6] answers in measure_s 0\.4; p95 needs 72, all of them inside its limit: "
    r"set measure_s: \d+, or until: \{requests: 72, at_most_s: \d+\}"
)


def test_first_calls_that_were_throttled_and_limits_that_cannot_be_decided_are_warned_of(endpoint, tmp_path):
    targets = [folders.sagemaker("busy"), folders.sagemaker("quick")]
    scenario = folders.make_scenario(tmp_path, endpoint.url, targets, LOAD, slo={"latency_s": {"p95": 1.0}})
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 0, process.text  # failures are a finding
    # the book of these tests is dated 2024, which is said of each target, too
    warnings = re.findall(r"WARNING/swarmledger: (?!Price of target)(.*)", process.text)
    assert len(warnings) == 2, process.text
    assert re.fullmatch(
        r"target `on-busy`: all 5 first calls were throttled, it is measured all the same: ThrottlingException: .*; wait, or .*",
        warnings[0],
    )
    assert re.fullmatch(TOO_FEW, warnings[1])
    assert "; without on-busy, whose first call failed" in process.text  # what was refused in 2 ms says nothing of load
    assert "on-quick, prompts, 1 user (so far" in process.text


def test_check_tells_of_limits_that_cannot_be_decided(endpoint, tmp_path):
    slo = {"latency_s": {"p95": 1.0}}
    run = check(folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD, slo=slo))
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(rf"Too few answers: {TOO_FEW}\.", " ".join(run.stdout.split()))
    enough = LOAD | {"until": {"requests": 72, "at_most_s": 60}, "measure_s": None}
    scenario = folders.make_scenario(
        tmp_path,
        endpoint.url,
        [folders.sagemaker("quick")],
        {k: v for k, v in enough.items() if v is not None},
        slo=slo,
    )
    assert "Too few" not in check(scenario).stdout


def test_a_start_that_was_refused_does_not_block_its_folder(endpoint, tmp_path):
    """The corrected command is the same command: the folder has one first call in it, and no stage."""
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD)
    run = tmp_path / "run"
    with one_locust(scenario, run, env=environment(AWS_SECRET_ACCESS_KEY="x" * 40)) as process:
        assert process.wait() == 1, process.text
    assert folders.manifest(run)["stages"] == [] and folders.rows(run)
    before = endpoint.stats()["requests"]
    with one_locust(scenario, run) as process:
        assert process.wait() == 0, process.text
    assert folders.manifest(run)["status"] == "complete"
    assert len(folders.rows(run)) == endpoint.stats()["requests"] - before  # those of the refused start are gone


def test_a_run_that_has_no_stage_yet_is_not_replaced_while_it_goes_on(endpoint, tmp_path):
    # 400 tokens at 20 a second: the first call takes 20 s, and the second process is awaited in it; then it is cancelled
    target = folders.sagemaker("slow", parameters={"max_tokens": 400})
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], LOAD, request_timeout_s=60)
    before, run = endpoint.stats()["requests"], tmp_path / "run"
    with one_locust(scenario, run) as first:
        folders.await_requests(endpoint, before + 1)
        first_id = folders.manifest(run)["run_id"]
        assert folders.manifest(run)["stages"] == []
        with one_locust(scenario, run, output=tmp_path / "second.log") as second:
            assert second.wait() == 1, second.text
            assert second.errors == [
                f"error: {run}: being written by a run that still goes on; wait until it has ended"
            ]
            assert second.text.rstrip().splitlines()[-1] == second.errors[0]
        first.send(signal.SIGINT)
        assert first.wait() == 4, first.text
    assert folders.manifest(run)["run_id"] == first_id and folders.manifest(run)["status"] == "stopped"


@pytest.mark.parametrize("option", ["--rundir", "--rundir=x"])
def test_a_misspelt_option_is_told_its_right_name(tmp_path, endpoint, option):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    with one_locust(scenario, None, option) as process:
        assert process.wait() == 1, process.text
    assert process.errors == [
        f"error: {option.split('=')[0]}: unknown option; did you mean --run-dir? Else see locust --help; Swarmledger adds --scenario, --run-dir, --run-encryption, --resume, --begin-or-resume, "
        "--overwrite, --yes, --live-every, --quiet, --json-lines, --otlp, --metrics-port, --metrics-host, --web-users, --web-origin"
    ]
