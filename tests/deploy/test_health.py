"""The health check: what it says of a process by the file that the process writes."""

import dataclasses
import os
import subprocess
import sys
import time

import pytest

from locustfiles.common.deployed import beat
from locustfiles.common.deployed.beat import Beat
from locustfiles.common.deployed.health import judged, run

#: healthy, healthy as it is asked with --alive, what is said
NOW = Beat("worker", os.getpid(), 0.0, "running, heard m:5557 1 s ago", joined=True)
CASES = [
    (NOW, 0, True, True, "worker: running, heard m:5557 1 s ago"),
    (dataclasses.replace(NOW, joined=False), 0, False, True, "alive, but not with its master"),
    (dataclasses.replace(NOW, role="master", joined=False), 5, True, True, "master: running"),
    (NOW, beat.STALE_S + 1, False, False, "its event loop has stood still for 31 s"),
    (dataclasses.replace(NOW, began=False), 100, False, True, "worker: starting, for 100 s"),
    (dataclasses.replace(NOW, began=False), beat.STARTING_S + 1, False, False, "worker: starting, for 601 s"),
]


@pytest.mark.parametrize(("last", "ago_s", "healthy", "alive", "said"), CASES)
def test_a_process_is_as_healthy_as_its_last_word(tmp_path, last, ago_s, healthy, alive, said):
    path = tmp_path / "health.json"
    beat.write(path, dataclasses.replace(last, at=time.monotonic() - ago_s))
    assert judged(path, alive=False)[0] is healthy and judged(path, alive=True)[0] is alive
    assert said in judged(path, alive=False)[1]
    assert [p.name for p in tmp_path.iterdir()] == ["health.json"]  # no draft is left


def test_a_process_that_has_ended_is_not_healthy(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    beat.write(tmp_path / "h", dataclasses.replace(NOW, pid=ended.pid, at=time.monotonic()))
    assert judged(tmp_path / "h", alive=True) == (False, f"worker: its process {ended.pid} has ended")


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"role": 1}', "null", '"text"'])
def test_a_file_that_says_nothing_is_not_healthy_in_one_line(tmp_path, monkeypatch, capsys, text):
    monkeypatch.setenv(beat.VARIABLE, str(tmp_path / "h"))
    if text is not None:
        (tmp_path / "h").write_text(text)
    assert run(["--alive"]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"not healthy: {tmp_path / 'h'}: ") and said.count("\n") == 1
