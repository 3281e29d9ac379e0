"""The live view as it is drawn: it fits every terminal, says what is known, and shows names of anybody's as text."""

import re

import pandas as pd
import pytest
from rich.cells import cell_len

from analysis.live.round import Round
from analysis.live.screen import Screen, height
from tests.helpers import live_document

EVIL = "[red]boo[/red]\x1b[31m\x1b]0;title\x07\n\u202eevil"
CODE = re.compile(r"\x1b\[[0-9;]*m")


def drawn(columns: int, rows: int, name: str = "llama2", screen: Screen | None = None, **changes) -> list[str]:
    """Its lines without colours. changes: of the load; `figures` of the figures."""
    figures = live_document.figures(name) | changes.pop("figures", {})
    load = live_document.load(name, f"runs/{name}") | changes
    text = (screen or Screen())(Round(load, figures, pd.DataFrame(), [columns, rows]))
    return CODE.sub("", text).split("\n")


@pytest.fixture(autouse=True)
def colours(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize("name", ["llama2", EVIL, "模型" * 90])
@pytest.mark.parametrize(("columns", "rows"), [(20, 7), (40, 10), (80, 24), (149, 30), (150, 50), (200, 50), (400, 90)])
def test_it_fits_the_terminal_whatever_the_names_are(columns, rows, name):
    stages = [live_document.figures(name)["stages"][0] | {"stage": n} for n in range(1, 60)]
    lines = drawn(columns, rows, name, figures={"stages": stages})
    # six rows are left to the log, and thirty are enough
    assert len(lines) <= height(rows) == min(30, rows - 6)
    assert [line for line in lines if cell_len(line) > columns] == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", "".join(lines))


def test_it_says_what_is_known_of_the_stage_and_the_run():
    lines = drawn(80, 24)
    assert lines[0] == "stage 2 of 2  llama2  llama2, llama2, 2.5 requests/s  measure"
    # 80 columns, of which the words take 45: a quarter of 35 is 9
    assert lines[1] == "━" * 9 + "─" * 26 + "  25 %  stage 30 s left · run 1 min 00 s left"
    assert lines[2] == "load      8 of 8 users · – in flight · 100 requests/s · – output tokens/s"
    assert lines[3] == "TTFT      p50 83.1 ms                       p95 –"
    assert lines[4] == "TPOT      p50 –                             p95 –"
    assert lines[5] == "latency   p50 1.23 s (1.20 s – 1.30 s)      p95 2.00 s (1.90 s – wide)"
    assert lines[6] == "errors    0 of 1,234 · 0 % · throttled < 0.01 % · llama2 3"
    assert lines[7] == "tokens    212 in · 24.0 out a request · – of prompts from cache"
    assert lines[8] == "cost      $0.0123 so far · $0.9877 left of $1.00 · per 10k: llama2"
    assert lines[9:11] == ["verdict   SUSPECT so far by its 1,234 requests · limits undecided", "          llama2"]
    assert lines[11] == "worker    llama2 · CPU 91 % · lag 1.24 ms · 4 users"
    assert lines[12].split() == ["ended", "load", "errors", "req/s", "p95", "$", "per", "10k", "verdict", "limits"]
    assert lines[14].split() == [
        "1",
        "llama2,",
        "llama2",
        "1",
        "user",
        "5",
        "%",
        "–",
        "–",
        "$4.22",
        "INVALID",
        "missed",
    ]
    assert len(lines) == 15


def test_a_wide_terminal_has_the_finished_stages_beside_the_figures():
    lines = drawn(200, 50)
    assert "requests/s" in lines[2] and "1 llama2, llama2" in lines[2]
    assert len(lines) == 11 and max(map(len, lines)) > 190


def test_the_last_stages_are_shown_where_there_is_no_room_for_all():
    stages = [live_document.figures("a")["stages"][0] | {"stage": n} for n in range(1, 31)]
    lines = drawn(80, 24, figures={"stages": stages})
    assert len(lines) == 18 and [line.split()[0] for line in lines[14:]] == ["27", "28", "29", "30"]


def test_several_workers_are_one_line_on_a_small_terminal():
    one = live_document.load("a", "")["workers"][0]
    workers = [
        one | {"cpu": 0.2},
        one | {"worker": "b", "lag_ms": 7.0},
        one | {"worker": "c", "cpu": None, "heard_s_ago": 9.0},
    ]
    assert (
        drawn(80, 24, workers=workers)[11]
        == "workers   3 workers · CPU 20 % to 91 % · lag 7.00 ms at most (b) · silent: c"
    )


def test_before_anything_is_measured_nothing_is_made_up():
    lines = drawn(80, 24, state="checking", stage=None, workers=[], figures={"stage": None, "stages": []})
    assert (
        lines[0] == "llama2  checking the endpoints"
        and lines[2] == "load      8 of 8 users · – in flight · – requests/s · – output tokens/s"
    )
    assert len(lines) == 5 and " 0 " not in "".join(lines)


def test_a_stop_is_counted_down():
    screen, at, ending = Screen(), live_document.AT, {"now": True, "at_most_s": 62.0}
    assert "may take up to 1 min 02 s" in drawn(120, 24, screen=screen, ending=ending)[2]
    assert "may take up to 52 s" in drawn(120, 24, screen=screen, ending=ending, at=at + 10)[2]
    late = drawn(120, 24, screen=screen, ending=ending, at=at + 70)
    assert "may take up to 0 s" in late[2] and "left of" in late[9] and "s left" not in late[1]


def test_colours_go_with_no_color(monkeypatch):
    document = Round(live_document.load("a", "b"), live_document.figures("a"), pd.DataFrame(), [80, 24])
    coloured = Screen()(document)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Screen()(document)
    codes = lambda text: set(re.findall(r"\x1b\[([0-9;]*)m", text))  # noqa: E731
    assert "33" in codes(coloured) and codes(plain) <= {"0", "1", "2", "1;2"}
    assert CODE.sub("", coloured) == CODE.sub("", plain)
