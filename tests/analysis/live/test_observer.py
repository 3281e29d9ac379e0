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


class Asked:
    """`python -m analysis watch -`, and what it says."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.errors = folder, folder.parent / "errors"
        self._errors = open(self.errors, "wb")
        command = [sys.executable, "-m", "analysis", "watch", "-"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        self.process = subprocess.Popen(command, cwd=ROOT, **pipes)

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
        want = want or {"figures": True}
        self.process.stdin.write(
            json.dumps({"load": self.load() if load is None else load, "want": want}).encode() + b"\n"
        )
        self.process.stdin.flush()
        found = {}
        while (line := self.process.stdout.readline()) != b"done\n":
            kind, _, answer = line.partition(b" ")
            found[kind.decode()] = json.loads(answer)
        return found

    def until(self, fact, load=None):
        """The first figures of which it is true."""
        said = []

        def asked():
            said[:] = [self.ask(load)["figures"]]
            return fact(said[0])

        until(asked, lambda: f"{said} {self.errors.read_text()}")
        return said[0]

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self._errors.close()
        return code


@pytest.fixture
def asked(tmp_path):
    folder = tmp_path / "r"
    records = steady(1, 5, 15, 2, 0.5, lead=2) + steady(2, 25, 40, 2, 0.5, lead=2)
    made_run(folder, records, [window(1, 5, 15, users=2), window(2, 25, None, users=2)])
    under_way(folder, 2)
    made = Asked(folder)
    yield made
    if made.process.poll() is None:
        made.end()


def both(figures):
    """Everything of the made run is there."""
    return figures["stage"] and [each["stage"] for each in figures["stages"]] == [1]


def test_what_is_answered_keeps_the_published_schema(asked):
    assert FILE.read_text(encoding="utf-8") == text(), "python -m analysis.live.schema writes it anew"
    schema = jsonschema.Draft202012Validator(json.loads(text()))
    jsonschema.Draft202012Validator.check_schema(schema.schema)
    seen = [asked.ask({})["figures"], asked.until(both)]
    seen.append(asked.until(lambda f: f["ended"], asked.load(status="complete")))
    assert [[e.message for e in schema.iter_errors(each)] for each in seen] == [[], [], []]
    assert seen[0] == NOTHING
    assert seen[2]["ended"]["headline"] == analyse([asked.folder]).recommendation.facts[0]
    assert len(list(schema.iter_errors(seen[1] | {"stage": {}}))) > 0  # it refuses what it should
    assert asked.end() == 0
    assert asked.errors.read_text() == ""


def test_only_what_is_wanted_is_answered(asked):
    assert asked.ask(asked.load(), metrics=False) == {}
    assert set(asked.ask()) == {"figures"}


def test_it_gives_way_to_everything_else(asked):
    asked.ask()
    assert os.getpriority(os.PRIO_PROCESS, asked.process.pid) == 19


def test_a_run_that_is_not_the_loads_is_not_told(asked):
    assert asked.ask(asked.load(id="another"))["figures"] == NOTHING
    assert asked.until(both)["run"] == "r"


def test_a_folder_that_is_not_there_yet_is_waited_for(asked, tmp_path):
    shutil.move(asked.folder, tmp_path / "away")
    assert asked.ask()["figures"] == NOTHING
    shutil.move(tmp_path / "away", asked.folder)
    assert both(asked.until(both))
    assert asked.end() == 0
    assert asked.errors.read_text() == ""


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
    assert asked.end() == 0
    assert asked.errors.read_text() == ""


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
    assert asked.end() == 0
    (line,) = asked.errors.read_text().splitlines()
    assert line.startswith(f"error: {asked.folder}/manifest.json: cannot be read")


def test_records_of_a_target_that_is_not_the_runs_are_said_and_nothing_is_known(asked):
    with open(asked.folder / "requests.csv", "ab") as file:
        file.write((asked.folder / "requests.csv").read_bytes().splitlines(keepends=True)[-1].replace(b"p4d", b"else"))
    asked.until(lambda f: f == NOTHING)
    assert "names target `else`" in asked.errors.read_text()
    assert "Traceback" not in asked.errors.read_text()


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
