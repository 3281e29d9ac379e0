"""A run whose folder is in S3: the machine is killed with its disk, another goes on, S3 takes nothing for a while, and has all of it at last."""

import json
import shutil
import signal

import psutil

from tests.helpers import folders
from tests.helpers.locust_process import environment, one_locust
from tests.helpers.patience import until
from tests.helpers.s3_server import BUCKET, Front, client, joined, moto, objects, refused

LOAD = {"users": [1, 2], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 5}
PREFIX = "runs/a"
ADDRESS = f"s3://{BUCKET}/{PREFIX}"


def stages_in(url: str) -> list[dict]:
    return json.loads(objects(url, PREFIX).get("manifest.json", b'{"stages": []}'))["stages"]


def test_the_same_command_goes_on_where_a_killed_machine_left_s3(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD, prompts=200)
    disk = tmp_path / "disk"
    with moto() as url, Front(url) as front:
        env = environment(AWS_ENDPOINT_URL_S3=front.url, SWARMLEDGER_COPIES=str(disk), AWS_DEFAULT_REGION="us-east-1")
        with one_locust(scenario, ADDRESS, "--begin-or-resume", env=env) as process:
            process.until("Stage 2 of 2")
            until(lambda: [s["whole"] for s in stages_in(url)][:1] == [True], "its first stage is in S3")
            for each in [*psutil.Process(process.popen.pid).children(recursive=True), process.popen]:
                each.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(disk)
        client(url).delete_object(Bucket=BUCKET, Key=f"{PREFIX}/lease.json")  # else its end is waited for
        before = joined(url, PREFIX)
        assert before.count(b"\n") > 2

        with one_locust(scenario, ADDRESS, "--begin-or-resume", env=env, output=tmp_path / "second.log") as process:
            process.until("Stage 2 of 2")
            front.fault = lambda asked: refused(403, "AccessDenied")(asked) if asked.method == "PUT" else None
            assert process.wait() == 2, process.text
        assert process.text.count("WARNING/swarmledger: s3://load-tests/runs/a: s3:PutObject is not allowed") == 1
        run = disk / BUCKET / PREFIX
        assert process.errors == [
            f"error: {ADDRESS}: not all of the run is there: s3:PutObject is not allowed (AccessDenied); allow s3:PutObject on it "
            f"to this role. All of it is in {run}: python -m analysis upload {run} {ADDRESS}"
        ]
        front.fault = None
        client(url).delete_object(Bucket=BUCKET, Key=f"{PREFIX}/lease.json")

        sent = endpoint.stats()["requests"]
        with one_locust(scenario, ADDRESS, "--begin-or-resume", env=env, output=tmp_path / "third.log") as process:
            assert process.wait() == 0, process.text
        assert "the run is complete, nothing is left to measure" in process.text
        assert f"{ADDRESS}: all of the run is there" in process.text
        assert endpoint.stats()["requests"] == sent
        manifest = folders.manifest(run)
        assert (manifest["status"], [s["users"] for s in manifest["stages"]], len(manifest["parts"])) == (
            "complete",
            [1, 2],
            2,
        )
        assert objects(url, PREFIX)["manifest.json"] == (run / "manifest.json").read_bytes()
        assert joined(url, PREFIX) == (run / "requests.csv").read_bytes()
        assert (run / "requests.csv").read_bytes().startswith(before) and "locust_stats.csv" in objects(url, PREFIX)
