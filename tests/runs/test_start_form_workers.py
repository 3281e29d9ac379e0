"""The start form of a master: workers load the scenario that is chosen, late ones too, and one whose file differs takes no part."""

import concurrent.futures
import contextlib
import pathlib
import shutil
import signal
import time

import pytest
import yaml

from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_page import await_idle, await_page, post, refused, sent
from tests.helpers.locust_process import PATIENT, free_port, locust
from tests.helpers.patience import until

LOAD = {"users": [2], "settle_s": 0, "measure_s": 0.5}
OTHER = ": another scenario or other payload files than the master's; copy the master's to it"


def make_configs(folder: pathlib.Path, url: str) -> None:
    """first.yaml on SageMaker, second.yaml on Bedrock and long.yaml, which goes on; they name their files by paths of the folder."""
    for name, target, load in (
        ("first", folders.sagemaker("quick"), LOAD),
        ("second", folders.bedrock("quick-model"), LOAD),
        ("long", folders.bedrock("quick-model"), LOAD | {"users": [6], "measure_s": 600}),
    ):
        made = folders.make_scenario(folder / "configs", url, [target], load)
        text = yaml.safe_load(made.read_text()) | {"name": name, "pricing": "book.yaml", "payloads": ["prompts.jsonl"]}
        (folder / f"configs/{name}.yaml").write_text(yaml.safe_dump(text))
        made.unlink()


class Swarm:
    """A master with a web UI and its workers, each in a folder of its own."""

    def __init__(self, folder: pathlib.Path, url: str, stack: contextlib.ExitStack) -> None:
        self.folder, self.endpoint, self.stack = folder, url, stack
        self.port, web = free_port(), free_port()
        self.url, self.workers = f"http://127.0.0.1:{web}", []
        bind = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", self.port]
        self.master = self._locust("master", *bind, "--web-host", "127.0.0.1", "--web-port", web)
        await_page(self.url)

    def _locust(self, name: str, *options: object, scenario: str | None = "configs/first.yaml"):
        make_configs(self.folder / name, self.endpoint)
        chosen = ["--scenario", scenario] if scenario else []
        command = ["-f", f"{PATIENT},{ROOT}/locustfiles/sweep.py", *chosen, *options]
        output = self.folder / f"{name}.log"
        return self.stack.enter_context(locust(*command, output=output, cwd=self.folder / name))

    def join(self, scenario: str | None = "configs/first.yaml") -> None:
        name = f"worker-{len(self.workers)}"
        options = ["--worker", "--master-host", "127.0.0.1", "--master-port", self.port]
        self.workers.append(self._locust(name, *options, scenario=scenario))
        self.master.until(f"{len(self.workers)} workers connected")

    @property
    def runs(self) -> pathlib.Path:
        return self.folder / "master/runs"

    def start(self, name: str, file: str) -> tuple[int, dict]:
        return sent(self.url, "/swarmledger/start", file=f"configs/{file}.yaml", name=name)

    def whole(self, name: str, file: str) -> list[folders.Row]:
        """A run of that name, from its start to its end; its records."""
        status, told = self.start(name, file)
        assert (status, told["error"]) == (200, None), self.text()
        ended = lambda: folders.manifest(self.runs / name)["status"] == "complete"  # noqa: E731
        until(ended, lambda: self.text()[-3000:])
        await_idle(self.url)
        assert folders.manifest(self.runs / name)["problems"] == []
        return folders.rows(self.runs / name)

    def text(self) -> str:
        return "\n".join(p.text for p in (self.master, *self.workers))


@pytest.fixture
def swarm(endpoint, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Swarm(tmp_path, endpoint.url, stack)


def test_workers_load_what_is_chosen_and_one_that_comes_later_with_the_old_scenario_does_too(swarm, endpoint):
    before = endpoint.stats()["requests"]
    swarm.join()
    swarm.join(scenario=None)  # of none of its own
    first = swarm.whole("one", "first")
    swarm.workers[0].send(signal.SIGSTOP)  # it hears of the choice later, and the start waits for it
    with concurrent.futures.ThreadPoolExecutor() as beside:
        started = beside.submit(swarm.whole, "two", "second")
        time.sleep(0.5)
        swarm.workers[0].send(signal.SIGCONT)
        second = started.result()
    assert {r.target for r in first} == {"on-quick"} and {r.target for r in second} == {"by-quick-model"}
    for found in (first, second):
        assert len({r.worker for r in found if r.stage}) == 2
    assert len(first) + len(second) == endpoint.stats()["requests"] - before
    assert swarm.start("three", "long")[0] == 200
    at_work = lambda: {r.worker for r in folders.rows_so_far(swarm.runs / "three") if r.phase == "measure"}  # noqa: E731
    until(lambda: len(at_work()) == 2, "two at work")
    swarm.join()  # in mid-run, of the first scenario
    until(lambda: len(at_work()) == 3, lambda: f"three at work: {swarm.text()[-3000:]}")
    assert swarm.start("four", "first") == (409, {"error": "a run is under way; stop it, and start when it has ended"})
    swarm.master.send(signal.SIGTERM)
    assert [swarm.master.wait(), *(w.wait() for w in swarm.workers)] == [4, 0, 0, 0], swarm.text()
    third = folders.rows(swarm.runs / "three")
    assert {r.target for r in third} == {"by-quick-model"} and folders.manifest(swarm.runs / "three")["problems"] == []
    assert sum(map(len, (first, second, third))) == endpoint.stats()["requests"] - before
    assert "Traceback" not in swarm.text()


def test_a_worker_whose_file_differs_stops_the_start_stays_and_takes_part_once_the_file_is_the_masters(swarm, endpoint):
    swarm.join()
    swarm.join()
    theirs, before = swarm.folder / "worker-1/configs", endpoint.stats()["requests"]
    (theirs / "second.yaml").write_text((theirs / "second.yaml").read_text().replace("seed: 7", "seed: 8"))
    (theirs / "long.yaml").unlink()
    for file, more in (("second", ""), ("long", " (configs/long.yaml: cannot be read (No such file or directory); ")):
        status, told = swarm.start("refused", file)
        assert status == 409 and f"{OTHER}{more}" in told["error"] and told["error"].startswith("worker "), told
    assert post(swarm.url, "/swarm", user_count=1, spawn_rate=1)[
        "success"
    ]  # Locust's own Start gives idle users to nobody either
    until(lambda: refused(swarm.url), "refused")
    assert OTHER in refused(swarm.url)
    await_idle(swarm.url)
    assert endpoint.stats()["requests"] == before and not swarm.runs.exists()
    assert len({r.worker for r in swarm.whole("one", "first") if r.stage}) == 2  # which it has
    shutil.copy(swarm.folder / "master/configs/second.yaml", theirs)
    assert len({r.worker for r in swarm.whole("two", "second") if r.stage}) == 2
    rows = [r for name in ("one", "two") for r in folders.rows(swarm.runs / name)]
    assert len(rows) == endpoint.stats()["requests"] - before
    swarm.master.send(signal.SIGTERM)
    assert [swarm.master.wait(), *(w.wait() for w in swarm.workers)] == [1, 0, 0], swarm.text()  # a start was refused
