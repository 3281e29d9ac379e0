"""The observer as the load test has it: a process of its own behind two pipes, whatever becomes of the folder."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

from analysis.advice.analyse import analyse
from analysis.live.figures import NOTHING
from analysis.live.schema import FILE, text
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.emulator_process import ROOT
from tests.helpers.made_run import made_run, steady, window
from tests.helpers.patience import until
from tests.helpers.watching import rewritten, under_way


class Process:
    """`python -m analysis watch -`."""

    def __init__(self, errors: pathlib.Path) -> None:
        self.errors = errors
        command = [sys.executable, "-m", "analysis", "watch", "-"]
        with open(errors, "wb") as file:
            self.popen = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file)

    def end(self) -> int:
        self.popen.stdin.close()
        code = self.popen.wait(timeout=300)
        self.popen.stdout.close()
        return code


class Asked:
    """It is asked of one folder."""

    def __init__(self, process: Process, folder: pathlib.Path) -> None:
        self.process, self.folder = process, folder
        self._said = process.errors.stat().st_size

    @property
    def complaints(self) -> str:
        """Of this folder."""
        return self.process.errors.read_bytes()[self._said :].decode()

    def load(self, **run):
        told = {"folder": str(self.folder), "id": self.folder.name, "status": "running"} | run
        return {
            "at": time.time(),
            "state": "running" if told["status"] == "running" else "ended",
            "run": told,
            "stage": None,
            "workers": [],
        }

    def ask(self, load=None, **want):
        """kind -> its answer."""
        want, popen = want or {"figures": True}, self.process.popen
        popen.stdin.write(json.dumps({"load": self.load() if load is None else load, "want": want}).encode() + b"\n")
        popen.stdin.flush()
        found = {}
        while (line := popen.stdout.readline()) != b"done\n":
            kind, _, answer = line.partition(b" ")
            found[kind.decode()] = json.loads(answer)
        return found

    def until(self, fact, load=None):
        """The first figures of which it is true."""
        said = []

        def asked():
            said[:] = [self.ask(load)["figures"]]
            return fact(said[0])

        until(asked, lambda: f"{said[0]['stage']} {said[0]['stages']} {self.complaints}")
        return said[0]


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    made = Process(tmp_path_factory.mktemp("observer") / "errors")
    yield made
    assert made.end() == 0
    assert b"Traceback" not in made.errors.read_bytes()


@pytest.fixture
def asked(process, tmp_path):
    folder = tmp_path / "r"
    records = steady(1, 5, 15, 2, 0.5, lead=2) + steady(2, 25, 40, 2, 0.5, lead=2)
    made_run(folder, records, [window(1, 5, 15, users=2), window(2, 25, None, users=2)])
    under_way(folder, 2)
    return Asked(process, folder)


def both(figures):
    """Everything of the made run is there."""
    return figures["stage"] and [each["stage"] for each in figures["stages"]] == [1]


def test_what_is_answered_keeps_the_published_schema(asked):
    assert FILE.read_text(encoding="utf-8") == text(), "python -m analysis.live.schema writes it anew"
    schema = jsonschema.Draft202012Validator(json.loads(text()))
    jsonschema.Draft202012Validator.check_schema(schema.schema)
    seen = [asked.ask({})["figures"], asked.until(both)]
    seen.append(asked.until(lambda f: f["ended"], asked.load(status="complete") | {"state": "ended"}))
    assert [[e.message for e in schema.iter_errors(each)] for each in seen] == [[], [], []]
    assert seen[0] == NOTHING
    assert seen[2]["ended"]["headline"] == analyse([asked.folder]).recommendation.facts[0]
    assert len(list(schema.iter_errors(seen[1] | {"stage": {}}))) > 0  # it refuses what it should
    assert asked.complaints == ""


def test_only_what_is_wanted_is_answered(asked):
    assert asked.ask(asked.load(), metrics=False) == {}
    assert set(asked.ask()) == {"figures"}


def test_it_gives_way_to_everything_else(asked):
    asked.ask()
    assert os.getpriority(os.PRIO_PROCESS, asked.process.popen.pid) == 10
    command = [sys.executable, "-m", "analysis", "watch", str(asked.folder), "--once"]
    wrong = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"SWARMLEDGER_WATCH_NICE": "-5"}, capture_output=True, text=True
    )
    assert wrong.returncode == 1 and wrong.stderr.startswith(
        "error: SWARMLEDGER_WATCH_NICE=-5: no number from 0 to 19; "
    )


def test_a_run_that_is_not_the_loads_is_not_told(asked):
    assert asked.ask(asked.load(id="another"))["figures"] == NOTHING
    assert asked.until(both)["run"] == "r"


def test_a_folder_that_is_not_there_yet_is_waited_for(asked, tmp_path):
    shutil.move(asked.folder, tmp_path / "away")
    assert asked.ask()["figures"] == NOTHING
    shutil.move(tmp_path / "away", asked.folder)
    assert both(asked.until(both))
    assert asked.complaints == ""


def test_a_file_that_is_cut_replaced_or_removed_is_read_anew(asked, tmp_path):
    whole = asked.until(both)
    file = asked.folder / "requests.csv"
    text = file.read_bytes()
    lines = text.splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-20]))
    asked.until(lambda f: f["stage"] and f["stage"]["requests"] < whole["stage"]["requests"])
    (tmp_path / "new").write_bytes(text)
    (tmp_path / "new").replace(file)
    asked.until(lambda f: both(f) and f["stage"]["requests"] == whole["stage"]["requests"])
    file.unlink()
    assert asked.until(lambda f: f["stages"] == [] and f["series"] is None)
    file.write_bytes(text)
    again = asked.until(lambda f: both(f) and f["stage"]["requests"] == whole["stage"]["requests"])
    assert again["stages"] == whole["stages"]
    assert asked.complaints == ""


def test_a_run_that_overwrites_another_begins_from_nothing(asked):
    asked.until(both)
    RunFolder(asked.folder).create(overwrite=True)
    made_run(asked.folder.parent / "new", steady(1, 5, 8, 1, 0.5), [window(1, 5, None)])
    under_way(asked.folder.parent / "new", 1)
    for name in ("requests.csv", "manifest.json"):
        (asked.folder.parent / "new" / name).replace(asked.folder / name)
    found = asked.until(lambda f: f["run"] == "new" and f["stage"]["requests"], asked.load(id="new"))
    assert found["stages"] == []
    # steady(): one user, 0.5 s each from 5 s on; those that began before 8 s: 6
    assert (found["stage"]["stage"], found["stage"]["requests"]) == (1, 6)


def test_a_manifest_that_stays_unreadable_is_said_once_and_nothing_is_known(asked):
    asked.until(both)
    whole = (asked.folder / "manifest.json").read_bytes()
    (asked.folder / "manifest.json").write_bytes(whole[:200])
    assert asked.ask()["figures"]["run"] == "r"  # it may be being written
    asked.until(lambda f: f == NOTHING)
    asked.ask()
    (asked.folder / "manifest.json").write_bytes(whole)
    assert both(asked.until(both))
    (line,) = asked.complaints.splitlines()
    assert line.startswith(f"error: {asked.folder}/manifest.json: cannot be read")


def test_records_of_a_target_that_is_not_the_runs_are_said_and_nothing_is_known(asked):
    with open(asked.folder / "requests.csv", "ab") as file:
        file.write((asked.folder / "requests.csv").read_bytes().splitlines(keepends=True)[-1].replace(b"p4d", b"else"))
    asked.until(lambda f: f == NOTHING)
    assert "names target `else`" in asked.complaints


def test_a_resumed_run_goes_on_where_it_was(asked):
    asked.until(both)
    before = RunFolder(asked.folder).read_manifest()

    def change(manifest):
        manifest.abandoned, manifest.stages = [manifest.stages[1]], [manifest.stages[0]]

    rewritten(asked.folder, change)
    found = asked.until(lambda f: f["stage"] is None)
    assert [each["stage"] for each in found["stages"]] == [1]
    assert before.stages[1].stage == 2


def test_it_ends_when_its_parent_is_killed(tmp_path):
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([{sys.executable!r}, '-m', 'analysis', 'watch', '-'], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(
        lambda: (
            not pathlib.Path(f"/proc/{child}/cmdline").exists()
            or not pathlib.Path(f"/proc/{child}/cmdline").read_bytes()
        ),
        lambda: "it lives",
    )
