"""A command that begins a run, goes on with it, or finds it complete: the same line, however often it is started."""

import signal

import pytest

from tests.helpers import folders
from tests.helpers.locust_process import one_locust

LOAD = {"users": [1, 2], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 2}


def test_the_same_command_begins_goes_on_and_finds_nothing_left(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD, prompts=200)
    run = tmp_path / "run"
    with one_locust(scenario, run, "--begin-or-resume") as process:
        process.until("Stage 2 of 2")
        process.send(signal.SIGKILL)
        process.wait()
    assert [s["users"] for s in folders.manifest(run)["stages"] if s["whole"]] == [1]
    with one_locust(scenario, run, "--begin-or-resume", output=tmp_path / "second.log") as process:
        assert process.wait() == 0, process.text
    manifest = folders.manifest(run)
    assert (manifest["status"], [s["users"] for s in manifest["stages"]], len(manifest["parts"])) == (
        "complete",
        [1, 2],
        2,
    )
    before, sent = (run / "requests.csv").read_bytes(), endpoint.stats()["requests"]
    with one_locust(scenario, run, "--begin-or-resume", output=tmp_path / "third.log") as process:
        assert process.wait() == 0, process.text
        assert "the run is complete, nothing is left to measure" in process.text
    assert ((run / "requests.csv").read_bytes(), endpoint.stats()["requests"]) == (before, sent)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--begin-or-resume", "--overwrite"], "error: --begin-or-resume: needs the run's --run-dir, and neither"),
        (["--begin-or-resume", "--resume"], "error: --begin-or-resume: needs the run's --run-dir, and neither"),
        (
            ["--run-dir", "gs://bucket/runs/a"],
            "error: --run-dir gs://bucket/runs/a: an address of another kind; give s3://BUCKET/PREFIX, or a folder's",
        ),
        (["--run-dir", "s3://bucket"], "error: --run-dir s3://bucket: needs a place in the bucket; add one"),
        (["--run-encryption", "AES256"], "error: --run-encryption: is for a run in S3; give its --run-dir s3://"),
    ],
)
def test_what_cannot_be_begun_is_refused_in_one_line(endpoint, tmp_path, options, said):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD)
    with one_locust(scenario, tmp_path / "run", *options) as process:
        assert process.wait() == 1
        assert said in process.text and "Traceback" not in process.text
    assert not [*tmp_path.glob("?[s3]:*"), *tmp_path.glob("s3*")]
