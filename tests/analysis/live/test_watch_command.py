"""`python -m analysis watch RUN`, as a person or a script has it."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

from analysis.commands.watch import VARIABLE
from analysis.live.text import NO_RUN, NO_STAGE, Lines, state
from tests.helpers.emulator_process import ROOT
from tests.helpers.made_run import made_run, record, steady, window
from tests.helpers.watching import seen, under_way


def watch(*arguments):
    """(exit code, lines, what it complained of)"""
    command = [sys.executable, "-m", "analysis", "watch", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr


def two_stages(path):
    records = steady(1, 5, 15, 2, 0.5, lead=2) + steady(2, 25, 40, 2, 0.5, lead=2)
    folder = made_run(path, records, [window(1, 5, 15, users=2), window(2, 25, None, users=2)])
    under_way(folder, 2)
    return folder


def test_a_run_that_has_ended_is_told_and_that_is_all(tmp_path):
    folder = made_run(tmp_path / "r", steady(1, 10, 40, 2, 0.5, lead=2), [window(1, 10, 40, users=2)])
    code, (stage, headline), complaints = watch(folder)
    assert (code, complaints) == (0, "")
    # 2 users / 0.5 s = 4 a second; 37.688 / 3600 / 4 x 10,000
    assert stage.startswith("stage 1: p4d, en, 2 users | 120 requests | errors 0 % | 4.00/s | ")
    assert "$26.17 per 10k | VALID" in stage
    assert headline.startswith("The run has ended. The best price-performance for `en` is `p4d`")


def test_json_lines_are_the_live_document_without_a_load(tmp_path):
    folder = made_run(tmp_path / "r", steady(1, 10, 40, 2, 0.5, lead=2), [window(1, 10, 40, users=2)])
    code, (line,), _ = watch(folder, "--once", "--json-lines")
    document = json.loads(line)
    assert code == 0
    assert (document["version"], document["load"]) == (1, None)
    assert document["figures"] | {"at": None} == seen(folder, {}) | {"at": None}


def test_what_cannot_be_watched_is_said_in_a_line(tmp_path):
    code, lines, complaints = watch(tmp_path / "none", "--once")
    assert (code, lines) == (1, [])
    assert complaints.startswith(f"error: {tmp_path}/none: no run folder") and complaints.count("\n") == 1
    code, _, complaints = watch(tmp_path, "--every", "0")
    assert (code, complaints.count("\n")) == (1, 1) and complaints.startswith("error: --every 0: not between")
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "watch", "-"], cwd=ROOT, input=b"hello\n", capture_output=True
    )
    assert done.returncode == 1 and done.stderr.startswith(b"error: -: a line is no JSON")


def test_a_stage_is_told_once_when_it_has_ended_and_the_one_under_way_when_it_has_changed(tmp_path):
    lines, figures = Lines(), seen(two_stages(tmp_path / "r"))
    first, second = lines.new(figures), lines.new(figures)
    assert [line.split(":")[0].split(" so far")[0] for line in first[:2]] == ["stage 1", "stage 2"]
    assert second == []
    later = figures | {"stage": figures["stage"] | {"requests": 99}}
    assert lines.new(later)[0].startswith("stage 2 so far: ")
    assert len(lines.new(later | {"ended": {"headline": "Take p4d.", "report": None}})) == len(first)


def test_before_there_is_anything_that_is_said(tmp_path):
    folder = made_run(tmp_path / "r", [], [], status="running", ended_at=None)
    assert state(seen(folder)) == [NO_STAGE]
    assert state(seen(tmp_path / "none")) == [NO_RUN]


def test_words_of_others_cannot_draw_on_the_terminal(tmp_path):
    figures = seen(two_stages(tmp_path / "r"))
    drawing = figures["stage"] | {"errors": [["\x1b[2J", 3]], "verdict": "SUSPECT", "reasons": ["\x1b[31m\nred"]}
    lines = state(figures | {"stage": drawing, "ended": {"headline": "\x1b]0;title\x07", "report": None}})
    assert not any(sign in line for sign in "\x1b\x07\n" for line in lines)


def test_figures_of_the_stage_under_way_are_lines_with_their_units(tmp_path):
    records = [*steady(1, 5, 15, 2, 0.5, lead=2), record(15, 0.2, error="throttled", http_status=429)]
    folder = made_run(tmp_path / "r", records, [window(1, 5, None, users=2)])
    under_way(folder, 1)
    first, *more = state(seen(folder, at=18))
    # requests at 5, 5.5, … 14.5 and at 5.25, …: 2 x 20, and the throttled one
    assert "41 requests" in first and "errors throttled 1" in first
    assert "latency p50 0.500 s, p95 0.500 s" in more[0]
    assert more[2].startswith("  VALID by its ")


def test_on_a_terminal_a_run_under_way_has_the_live_view_and_ctrl_c_ends_it(tmp_path):
    folder = two_stages(tmp_path / "r")
    process, terminal = on_terminal("watch", folder, "--every", "0.2")
    shown = b""
    while b"stage 2" not in shown or b"verdict" not in shown:
        shown += os.read(terminal, 1 << 16)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # it has closed its side
        while more := os.read(terminal, 1 << 16):
            shown += more
    assert process.wait() == 0
    os.close(terminal)
    assert b"Traceback" not in shown
    assert b"p4d, en, 2 users" in shown


def on_terminal(*arguments):
    """The command, and this side of its terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 130, 0, 0))
    command = [sys.executable, "-m", "analysis", *map(str, arguments)]
    env = os.environ | {VARIABLE: "0"}  # beside other tests who gives way would wait for a minute
    ends = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True, **ends)
    os.close(theirs)
    return process, ours
