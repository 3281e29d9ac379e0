"""The observer's side in the load process: whatever its process does, the loop goes on and nothing of it is left."""

import json
import logging
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import gevent
import psutil
import pytest

from locustfiles.common.watching import observer as watching
from locustfiles.common.watching.observer import Observer
from tests.helpers.emulator_process import ROOT
from tests.helpers.patience import until

IDLE = {"at": 1.0, "run": None}


@pytest.fixture
def observe(monkeypatch, tmp_path):
    """observe(script): an observer whose process runs that Python program instead of the analysis'; all are ended."""
    made: list[Observer] = []

    def observing(script: str | None = None, load: dict = IDLE) -> Observer:
        if script is not None:
            program = tmp_path / "program"
            program.write_text(f"#!{sys.executable}\nimport os, sys, time\n{script}\n")
            program.chmod(0o755)
            monkeypatch.setattr(sys, "executable", str(program))
        made.append(Observer(lambda: load))
        return made[-1]

    monkeypatch.setattr(watching, "AGAIN_S", 0.1)
    yield observing
    for one in made:
        one.stop()


def children() -> list[int]:
    """This process's, those too that have ended and were not asked for."""
    return [child.pid for child in psutil.Process().children()]


def waited(fact, what: str) -> None:
    """As `until`, in a loop that goes on."""
    over = time.monotonic() + 300
    while not fact():
        assert time.monotonic() < over, f"never: {what}"
        gevent.sleep(0.02)


def test_nothing_is_begun_before_somebody_looks_and_its_end_ends_it(observe):
    before, one = children(), observe()
    assert children() == before
    assert json.loads(one.document()) == {"version": 1, "seq": 0, "load": IDLE, "figures": None, "trouble": None}
    waited(lambda: one.seq, "an answer")
    told = json.loads(one.document(one.seq))
    assert told["figures"]["stages"] == [] and told["load"] == IDLE
    assert len(children()) == len(before) + 1
    one.stop()
    assert children() == before


def test_who_waits_for_a_newer_answer_gets_it_when_it_comes(observe):
    one = observe("for n, line in enumerate(sys.stdin): print('figures {\"n\": %d}\\ndone' % n, flush=True)")
    one.document()
    waited(lambda: one.seq >= 2, "two answers")
    seq, began = one.seq, time.monotonic()
    told = json.loads(one.document(seq, wait_s=60))  # the next one is due within a second
    assert time.monotonic() - began < 50
    assert told["seq"] > seq and told["figures"]["n"] == told["seq"] - 1


def test_a_folder_named_analysis_where_it_was_begun_is_not_taken_for_ours(observe, monkeypatch, tmp_path):
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis/__init__.py").touch()
    (tmp_path / "analysis/__main__.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    one = observe()
    one.document()
    waited(lambda: one.seq or one._greenlet.dead, "an answer")
    assert json.loads(one.document())["figures"]["stages"] == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("sys.exit('Traceback\\n  File\\nKeyError: 7')", "KeyError: 7"),
        ("print('hello', flush=True); time.sleep(600)", "it says what is no answer: 'hello'"),
        ("print('figures {\"a\": 1', flush=True); time.sleep(600)", "it says what is no answer"),
        ("print('money {}', flush=True); time.sleep(600)", "it says what is no answer: 'money {}'"),
        ("sys.stdin.readline()", "it said nothing more"),
        ("os.close(0); os.close(1); time.sleep(600)", "Broken pipe|it said nothing more"),
    ],
)
def test_what_is_no_answer_ends_its_process_and_is_not_begun_for_ever(observe, caplog, capfd, script, said):
    before, one = children(), observe(script)
    with caplog.at_level(logging.WARNING, "swarmledger"):
        one.want(figures=True)
        waited(lambda: one._greenlet.dead, "given up")
    assert one.latest == {} and children() == before
    told = json.loads(one.document())
    assert told["figures"] is None
    first, last = [r.getMessage() for r in caplog.records]
    assert re.search(said, first), first
    assert last == "figures are not shown any more: their process ends again and again, see above"
    assert told["trouble"] == last
    assert capfd.readouterr() == ("", "")  # nothing of it is on the terminal


def test_a_package_that_is_missing_is_said_once_with_its_remedy(observe, caplog, monkeypatch, tmp_path):
    (tmp_path / "pandas.py").write_text("raise ModuleNotFoundError(\"No module named 'pandas'\", name='pandas')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(
        "locustfiles.common.watching.child._environment", lambda: os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    )
    one = observe()
    with caplog.at_level(logging.WARNING, "swarmledger"):
        one.want(figures=True)
        waited(lambda: one._greenlet.dead, "given up")
    (line,) = [r.getMessage() for r in caplog.records]
    assert line.startswith("figures are not shown: ") and "no package pandas" in line and "pip install" in line


def test_a_process_that_reads_nothing_blocks_nobody(observe):
    """2 MB do not fit into a pipe, which takes 64 KiB."""
    before, one = children(), observe("time.sleep(600)", IDLE | {"much": "x" * 2_000_000})
    one.want(figures=True)
    waited(lambda: len(children()) > len(before), "begun")
    turns, over = 0, time.monotonic() + 0.5
    while time.monotonic() < over:
        gevent.sleep(0.001)
        turns += 1
    assert turns > 20 and one.seq == 0
    one.stop()
    assert children() == before


def test_one_that_does_not_answer_is_given_up(observe, caplog, monkeypatch):
    monkeypatch.setattr(watching, "FIRST_S", 0.2)
    before, one = children(), observe("time.sleep(600)")
    with caplog.at_level(logging.WARNING, "swarmledger"):
        one.want(figures=True)
        waited(lambda: one._greenlet.dead, "given up")
    assert "no answer in 0.2 s" in caplog.records[0].getMessage() and children() == before


def test_its_complaints_are_lines_of_the_log_each_said_once(observe, caplog, capfd):
    script = """
for line in sys.stdin:
    print('done', flush=True)
    print('error: the disk \\x1b[2J', file=sys.stderr, flush=True)
    print('a warning of a library', file=sys.stderr, flush=True)
"""
    one = observe(script)
    with caplog.at_level(logging.WARNING, "swarmledger"):
        one.want(figures=True)
        waited(lambda: one.seq >= 3, "three answers")
    assert {r.getMessage() for r in caplog.records} == {"figures: the disk \\x1b[2J"} and len(caplog.records) == 1
    assert capfd.readouterr() == ("", "")


def test_an_answer_of_megabytes_comes_whole(observe):
    one = observe("for line in sys.stdin: print('figures {\"x\": \"' + 'y' * 3_000_000 + '\"}\\ndone', flush=True)")
    one.want(figures=True)
    waited(lambda: one.seq, "an answer")
    assert len(json.loads(one.latest["figures"])["x"]) == 3_000_000


def test_a_fault_of_our_own_is_a_line_and_ends_no_run(observe, caplog, capfd):
    one = observe("time.sleep(600)")
    one._status = lambda: {}["stage"]
    with caplog.at_level(logging.WARNING, "swarmledger"):
        one.want(figures=True)
        waited(lambda: one._greenlet.dead, "given up")
    assert one._greenlet.exception is None and "KeyError" in caplog.text and capfd.readouterr() == ("", "")


def test_when_the_load_test_is_killed_its_observer_ends(tmp_path):
    program = tmp_path / "load.py"
    program.write_text(
        "from gevent import monkey; monkey.patch_all()\nimport gevent, psutil\n"
        "from locustfiles.common.watching.observer import Observer\n"
        "one = Observer(lambda: {'at': 1.0, 'run': None}); one.want(figures=True)\n"
        "while not one.seq: gevent.sleep(0.02)\n"
        "print(*[c.pid for c in psutil.Process().children()], flush=True)\ngevent.sleep(600)\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True, env=env) as parent:
        try:
            (child,) = map(int, parent.stdout.readline().split())
            assert psutil.pid_exists(child)
        finally:
            parent.send_signal(signal.SIGKILL)
    until(lambda: not runs(child), f"{child} has ended")


def runs(pid: int) -> bool:
    """A zombie of nobody's is none."""
    status = pathlib.Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
