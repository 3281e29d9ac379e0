"""A cluster that the entry point starts, as containers are: its health, and processes that end within their grace period."""

import collections
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import time

from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import LocustProcess, environment, free_port
from tests.helpers.patience import until

GRACE_S = 8.0
ENTRY = [sys.executable, "-m", "locustfiles.common.deployed"]


class Cluster:
    """A master and two workers, each with a working folder of its own, as containers have."""

    def __init__(self, stack: contextlib.ExitStack, folder: pathlib.Path, scenario: pathlib.Path) -> None:
        (folder / "token").write_text("a-secret-of-this-test\n")
        self.stack, self.folder, self.scenario, self.port = stack, folder, scenario, str(free_port())

    def start(self, name: str, *options: str) -> LocustProcess:
        own = self.folder / name
        own.mkdir()
        with open(own / "log", "wb") as file:
            popen = subprocess.Popen(
                [*ENTRY, *options], cwd=own, env=self.variables(name), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )  # fmt: skip
        self.stack.callback(lambda: popen.poll() is None and popen.kill())
        return LocustProcess(popen, own / "log")

    def variables(self, name: str) -> dict[str, str]:
        return environment(
            PYTHONPATH=str(ROOT),
            SWARMLEDGER_SCENARIO=str(self.scenario),
            SWARMLEDGER_TOKEN_FILE=str(self.folder / "token"),
            SWARMLEDGER_HEALTH_FILE=str(self.folder / name / "health.json"),
            SWARMLEDGER_GRACE_S=f"{GRACE_S:g}",
            LOCUST_MASTER_BIND_HOST="127.0.0.1",
            LOCUST_MASTER_BIND_PORT=self.port,
            LOCUST_MASTER_NODE_PORT=self.port,
        )

    def health(self, name: str, *options: str) -> tuple[int, str]:
        done = subprocess.run(
            [*ENTRY, "health", *options], env=self.variables(name), cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout


def test_processes_end_within_their_grace_period_and_lose_no_record(endpoint, tmp_path):
    # the first line, which is the first call's too, takes 1.55 + 9 / 20 = 2 s, the others 1.55 + 399 / 20 = 21.5 s
    before = endpoint.stats()["requests"]
    load = {"users": [4], "settle_s": 0.1, "settle_at_most_s": 0.2, "measure_s": 60}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("slow")], load, request_timeout_s=60)
    lines = [{"prompt": f"Number {n:02}", "parameters": {"max_tokens": 400 if n else 10}} for n in range(40)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with contextlib.ExitStack() as stack:
        crew = Cluster(stack, tmp_path, scenario)
        first = crew.start("first", "worker")
        until((tmp_path / "first/health.json").exists, lambda: first.text)
        assert crew.health("first")[1].startswith("not healthy: worker: starting, for ")
        assert crew.health("first", "--alive")[0] == 0
        master = crew.start("master", "master", "--run-dir", str(tmp_path / "run"), "--expect-workers", "2")
        second = crew.start("second", "worker")
        master.until("Stage 1 of 1")
        folders.await_requests(endpoint, before + 5)
        assert [crew.health(name)[0] for name in ("master", "first", "second")] == [0, 0, 0]
        for process in (master, first):
            process.until("give 70 s there and on the platform")  # 60 + 2 + 8
        second.send(signal.SIGTERM)
        assert second.wait() == 4, second.text  # its job starts it again
        asked_at = time.time()
        master.send(signal.SIGTERM)
        assert (master.wait(), first.wait()) == (4, 4), master.text + first.text
        text = "".join(process.text for process in (master, first, second))
    found, manifest = folders.rows(tmp_path / "run"), folders.manifest(tmp_path / "run")
    assert "Traceback" not in text and "a-secret-of-this-test" not in text
    assert (manifest["status"], len(manifest["workers"])) == ("stopped", 2)
    assert manifest["ended_at"] - asked_at < GRACE_S  # all is on disk; the exit itself is the machine's
    assert len(found) == endpoint.stats()["requests"] - before and folders.each_once(found)
    counts = collections.Counter(r.error for r in found)
    assert counts.keys() == {None, "cancelled"} and counts["cancelled"] >= 4
    assert not list(tmp_path.rglob("swarmledger-spool-*"))
