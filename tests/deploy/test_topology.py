"""The processes that the manifests describe, with their own arguments and environment: they find each other and make a run folder."""

import os
import pathlib
import subprocess
import sys

import yaml

from tests.helpers import folders
from tests.helpers.documents import ROOT
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import environment, free_port
from tests.helpers.patience import LONGEST_S

TOKEN = "0123456789abcdef-of-the-secret"
ENTRY = "locustfiles.common.deployed"  # what the image's swarmledger-load is
ENGINE = {"kind": "timed", "ttft_ms": 10, "tokens_per_second": 1000, "seed": 1}


def jobs() -> dict[str, dict]:
    texts = (ROOT / "deploy/kubernetes/swarmledger.yaml").read_text(encoding="utf-8")
    return {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(texts) if one and one["kind"] == "Job"}


class Cluster:
    """Starts containers of the manifests' jobs as processes; their folders are below `root`, in place of the image's."""

    def __init__(self, root: pathlib.Path, **more: str) -> None:
        self.root, self.more, self.jobs = root, more, jobs()

    def start(self, job: str, number: int = 0) -> subprocess.Popen:
        [container] = self.jobs[job]["template"]["spec"]["containers"]
        mounts = {one["mountPath"] for one in container["volumeMounts"]}
        given = {one["name"]: one["value"] for one in container["env"]}
        for name, value in given.items():
            if any(value.startswith(f"{mount}/") for mount in mounts):
                given[name] = f"{self.root}{value}"
        if "LOCUST_MASTER_NODE_HOST" in given:
            given["LOCUST_MASTER_NODE_HOST"] = "127.0.0.1"  # no DNS here
        work = self.root / f"{job}-{number}"
        work.mkdir()
        env = environment() | given | self.more | {"PYTHONPATH": str(ROOT), "TMPDIR": str(work)}
        env["SWARMLEDGER_HEALTH_FILE"] = str(work / "health.json")
        log = open(work / "log", "wb")
        command = [sys.executable, "-m", ENTRY, *container["args"]]
        return subprocess.Popen(command, cwd=work, env=env, stdout=log, stderr=subprocess.STDOUT)


def test_a_run_of_the_manifests_is_complete_and_shows_the_token_to_nobody(tmp_path):
    port = str(free_port())
    for name in ("runs", "token"):
        (tmp_path / name).mkdir()
    (tmp_path / "token/token").write_text(f"{TOKEN}\n")
    with running_emulator({"engines": {"e": ENGINE}, "endpoints": {"quick": {"engine": "e", "dialect": "tgi"}}}) as e:
        load = {"users": [4], "settle_s": 0.2, "measure_s": 1}
        folders.make_scenario(tmp_path / "scenario", e.url, [folders.sagemaker("quick")], load)
        cluster = Cluster(tmp_path, LOCUST_MASTER_BIND_PORT=port, LOCUST_MASTER_NODE_PORT=port)
        master = cluster.start("swarmledger-master")
        count = cluster.jobs["swarmledger-workers"]["parallelism"]
        workers = [cluster.start("swarmledger-workers", number) for number in range(count)]
        try:
            codes = [process.wait(LONGEST_S) for process in (master, *workers)]
        finally:
            for process in (master, *workers):
                process.kill()
    said = "\n".join(path.read_text(errors="replace") for path in sorted(tmp_path.glob("*/log")))
    assert codes == [0] * (1 + count), said
    manifest = folders.manifest(tmp_path / "runs/run")
    assert (manifest["status"], manifest["problems"], len(manifest["workers"])) == ("complete", [], count)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert [os.path.relpath(path, tmp_path) for path in files] == ["token/token"]
