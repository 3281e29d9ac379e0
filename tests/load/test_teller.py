"""What a run says where the analysis cannot be begun, and what its options ask for."""

import argparse
import logging
import os
import signal
import sys

import psutil
import pytest

from analysis.live.text import level_now
from locustfiles.common.watching import options
from locustfiles.common.watching.plain import frame, last_line, line, stopping
from locustfiles.contract.bad_input import BadInput
from tests.helpers import live_document
from tests.helpers.patience import until
from tests.helpers.terminal import terminal

#: a run whose observer ends at once
WITHOUT_ANALYSIS = """
from gevent import monkey
monkey.patch_all()
import argparse, logging, select, sys
import gevent
logging.basicConfig(level="INFO", format="%(message)s")
from locustfiles.common.watching.observer import Observer
from locustfiles.common.watching.teller import Teller
from tests.helpers import live_document
load = live_document.load("llama2", "runs/x")
observer = Observer(lambda: load, ["--no-such-option"])
options = argparse.Namespace(headless=True, quiet="quiet" in sys.argv, live_every=0.5)
teller = Teller(options, observer, lambda: load)
teller.begin()
def typed():
    while not select.select([0], [], [], 0)[0]:
        gevent.sleep(0.05)
    input()
typed() if len(sys.argv) < 2 else gevent.sleep(float(sys.argv[1]))
load["ending"], load["state"] = {"now": True, "at_most_s": 62}, "stopping"
typed() if len(sys.argv) < 2 else gevent.sleep(1)
load["state"], load["ending"] = "ended", None
teller.end(4)
"""


def told(*of: str):
    return terminal([sys.executable, "-c", WITHOUT_ANALYSIS, *of], 120, 24)


def test_without_the_analysis_a_line_and_a_bar_remain():
    with told() as t:
        t.until("figures are not shown: --no-such-option: unknown option; see python -m analysis watch --help")
        shown = t.until("stage 2 of 2")
        at = shown.index("stage 2 of 2: llama2, llama2, 2.5 requests/s, measure")
        # a quarter of thirty is 7.5, and rounds to the even one
        assert shown[at + 1] == "[########----------------------]  25 %  1,234 requests, 0 failed, about 60 s left"
        t.type("\x1a")
        t.until("stage 2 of 2", away=True)
        until(lambda: psutil.Process(t.process.pid).status() == psutil.STATUS_STOPPED, "stopped")
        os.kill(t.process.pid, signal.SIGCONT)
        t.until("stage 2 of 2")
        t.type("\n")
        t.until("Stopping: requests in flight may take up to 62 s; then records are collected")
        t.type("\n")
        assert t.end() == 0
        assert [line for line in t.all() if line][-1].startswith(
            "runs/x: running, exit code 4; 1 stage, 1,234 requests, 0 failed, "
        )


def test_without_a_terminal_and_the_analysis_lines_remain(tmp_path):
    text = WITHOUT_ANALYSIS.replace('"', "'")
    with terminal(["sh", "-c", f'{sys.executable} -c "{text}" 2.5 2> {tmp_path}/err']) as t:
        assert t.end() == 0
    lines = (tmp_path / "err").read_text().splitlines()
    live = "live: stage 2 of 2: llama2, llama2, 2.5 requests/s, measure; requests=1234 failed=0"
    assert 2 <= lines.count(live) <= 5 and "live:" not in "".join(lines[:1])
    assert lines[-1].startswith(
        "runs/x: running, exit code 4; 1 stage, 1,234 requests, 0 failed, at most $0.0123; next: python -m "
    )


def test_a_bar_is_cut_to_the_terminal_and_names_are_text():
    load = live_document.load("x\x1b[31m" * 20, "f")
    assert [len(line) for line in frame(load, 60)] == [60, 60] and "\x1b" not in "".join(frame(load, 400))
    assert last_line(load | {"spend": None}, 0).count("\\x1b") == 0 and "at most" not in last_line(
        load | {"spend": None}, 0
    )


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ({"due": "conversations"}, "2.5 conversations/s"),
        ({"due": "conversations", "rate": 1.0}, "1 conversation/s"),
        ({"rate": 1.0}, "1 request/s"),
        ({"rate": None, "due": None, "users": 1}, "1 user"),
        ({"rate": None, "due": None, "users": 5}, "5 users"),
    ],
)
def test_a_stage_is_told_by_what_is_due_at_its_rate_as_the_other_views_have_it(stage, words):
    load = live_document.load("n", "f")
    load["stage"] |= stage
    assert frame(load, 200)[0] == f"stage 2 of 2: n, n, {words}, measure"
    assert line(load) == f"live: stage 2 of 2: n, n, {words}, measure; requests=1234 failed=0"
    assert level_now(load["stage"], None) == words


def test_a_stop_says_how_many_requests_it_waits_for():
    assert stopping(1, 62.0) == "Stopping: 1 request in flight may take up to 62 s; then records are collected"
    assert stopping(None, None) == "Stopping: requests in flight; then records are collected"


def given(**changes) -> argparse.Namespace:
    usual = {
        "live_every": 10.0,
        "quiet": False,
        "json_lines": False,
        "worker": False,
        "headless": True,
        "logfile": None,
        "otlp": "",
        "metrics_port": 0,
    }
    return argparse.Namespace(**usual | {"print_stats": False, "only_summary": False, "processes": None} | changes)


@pytest.mark.parametrize(
    ("seconds", "fine"), [(0, True), (0.5, True), (3600, True), (0.4, False), (-1, False), (float("nan"), False)]
)
def test_a_rhythm_nobody_can_keep_is_refused(seconds, fine):
    if fine:
        options.prepare(given(live_every=seconds, headless=False))
    else:
        with pytest.raises(BadInput, match=r"--live-every .*: neither 0 nor between 0.5 and 3600 s; give seconds"):
            options.prepare(given(live_every=seconds))


@pytest.mark.parametrize(
    ("asked", "at_a_rhythm", "at_the_end"),
    [
        ({}, False, True),
        ({"only_summary": True}, False, True),
        ({"print_stats": True}, True, True),
        ({"quiet": True, "print_stats": True}, False, False),
    ],
)
def test_locusts_tables_come_where_they_are_asked_for(asked, at_a_rhythm, at_the_end, monkeypatch):
    """Without a terminal."""
    tables, levels = (
        logging.getLogger("locust.stats_logger"),
        [logging.getLogger(name) for name in ("", "locust", "swarmledger")],
    )
    monkeypatch.setattr(tables, "filters", [])
    for one in levels:
        monkeypatch.setattr(one, "level", one.level)
    options.prepare(found := given(**asked))
    assert (not found.only_summary, tables.filters == []) == (at_a_rhythm, at_the_end)
    assert {one.level for one in levels} == {logging.WARNING} or not asked.get("quiet")
