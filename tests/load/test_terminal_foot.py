"""The foot of a terminal, as a terminal's emulator shows it: nothing that is printed tears the frame, and nothing of it stays."""

import sys

import pytest

from tests.helpers.patience import until
from tests.helpers.terminal import terminal

#: a program with a frame of three lines at the foot of its terminal
BEGIN = """
import logging, os, select, subprocess, sys
logging.basicConfig(level="INFO", format="%(message)s")
from locustfiles.common.watching import screen as module
screen = module.Screen()
screen.begin()
screen.show(["== head " + "=" * 200, "frame 1", "frame 2"])
def typed():
    while not select.select([0], [], [], 0.01)[0]:
        screen.refresh()
    return input()
"""
FRAME = ["frame 1", "frame 2"]


def program(text: str):
    return [sys.executable, "-c", f"{BEGIN}{text}"]


def of_frame(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("frame", "== head"))]


def test_lines_pass_above_the_frame_which_stays_whole():
    lines = "for n in range(60): logging.info('logged %d', n); print(f'out {n}'); print(f'err {n}', file=sys.stderr)\n"
    with terminal(program(f"{lines}screen.show(['== head', 'frame 1', 'done'])\ntyped()"), 40, 12) as t:
        shown = t.until("done")
        assert shown[-4:] == ["", "== head", "frame 1", "done"]
        said = [line for line in t.all()[:-4] if line]
        assert said == [f"{where} {n}" for n in range(60) for where in ("logged", "out", "err")]
        t.type("\n")
        assert t.end() == 0 and of_frame(t.all()) == []


def test_a_line_of_another_process_tears_nothing():
    """As of a worker that shares the terminal; and what somebody types is echoed there, too."""
    other = "os.write(2, b'from outside\\n')\nscreen.show(['== head', 'frame 1', 'drawn again'])\ntyped()"
    with terminal(program(other), 40, 12) as t:
        assert t.until("drawn again")[:5] == ["from outside", "", "== head", "frame 1", "drawn again"]
        t.type("typed\n")
        assert t.end() == 0 and [line for line in t.all() if line] == ["from outside", "typed"]


def test_a_worker_takes_the_frame_away_for_its_own_lines():
    worker = "import logging; logging.basicConfig(level='INFO'); from locustfiles.common.watching import screen; "
    worker += "screen.speak_above(); logging.info('a\\nb\\nc')"
    text = f"subprocess.run([sys.executable, '-c', {worker!r}])\nscreen.show(['== head', 'frame 1', 'drawn again'])\ntyped()"
    with terminal(program(text), 40, 12) as t:
        assert t.until("drawn again")[:7] == ["INFO:root:a", "b", "c", "", "== head", "frame 1", "drawn again"]


def test_a_line_begun_is_written_when_it_ends_or_the_frame_goes():
    text = (
        "print('a be', end='')\nscreen.show(['frame 1'])\nprint('ginning')\nprint('and an end', end='')\nscreen.close()"
    )
    with terminal(program(text), 40, 12) as t:
        assert t.end() == 0 and [line for line in t.all() if line] == ["a beginning", "and an end"]


@pytest.mark.parametrize(("columns", "rows"), [(30, 10), (100, 30), (30, 30), (100, 6), (40, 4)])
def test_a_window_may_change_its_size(columns, rows):
    text = "for n in range(9): logging.info('logged %d', n)\n"
    text += (
        "while (answer := typed()) != 'end': screen.show(['== head ' + '=' * 200, 'frame 1', answer])\nscreen.close()"
    )
    with terminal(program(text), 40, 12) as t:
        t.until("frame 2")
        t.resize(columns, rows)
        t.type("again\n")
        last = ["again"] if rows > 4 else []  # of four rows two are left to it

        def whole(lines: list[str]) -> bool:
            """Once, below all else, and with nothing of the earlier one."""
            below = "\n".join(lines).rstrip("\n").split("\n")
            found = [line[:7] for line in below[-2 - len(last) :]]
            return found == ["== head", "frame 1", *last] and len(of_frame(lines)) == 2 and below.count("") <= 2

        t.until_so(whole, "a whole frame")
        t.type("end\n")
        assert t.end() == 0 and of_frame(t.lines()) == []


@pytest.mark.parametrize(
    ("ending", "code", "last"),
    [
        ("pass", 0, "logged"),
        ("raise ValueError('told')", 1, "ValueError: told"),
        ("sys.exit('no more')", 1, "no more"),
        ("module.close_all(); os._exit(3)", 3, "logged"),
        ("os.kill(os.getpid(), 2)", -2, "KeyboardInterrupt"),
    ],
)
def test_the_terminal_is_as_it_was_on_any_way_out(ending, code, last):
    with terminal(program(f"logging.info('logged')\n{ending}"), 80, 12) as t:
        assert t.end() == code
        assert of_frame(t.all()) == [] and [line for line in t.all() if line][-1] == last
        assert (t.screen.cursor.x, t.screen.cursor.hidden) == (0, False)
        assert (
            not t.raw.rpartition(b"\x1b[?7l")[2] or b"\x1b[?7h" in t.raw.rpartition(b"\x1b[?7l")[2]
        )  # lines wrap again


def test_texts_of_others_move_no_cursor():
    text = "logging.info('red \\x1b[31mred\\x1b[0m up \\x1b[5A bell \\x07 back \\r end\\r')\nscreen.show(['== head', 'drawn'])\ntyped()"
    with terminal(program(text), 60, 12) as t:
        assert t.until("drawn")[:4] == [
            r"red red up \x1b[5A bell \x07 back \x0d end".replace("x0d", "r"),
            "",
            "== head",
            "drawn",
        ]
        assert t.screen.buffer[0][4].fg == "red"


def test_while_it_is_away_the_terminal_belongs_to_who_asks():
    text = "logging.info('a question?')\nscreen.away(True)\nscreen.show(['frame 1', 'news'])\nlogging.info(typed())\n"
    text += "screen.away(False)\ntyped()"
    with terminal(program(text), 40, 12) as t:
        t.until("a question?")
        t.until("frame", away=True)
        t.type("yes\n")
        assert t.until("news")[:6] == ["a question?", "yes", "yes", "", "frame 1", "news"]


def test_a_terminal_that_takes_nothing_holds_up_nothing(tmp_path):
    """Nobody reads: 100 lines and pictures, 100 kB and more, are far more than a terminal takes."""
    text = "for n in range(100): screen.show(['x' * 75] * 20); logging.info('line %d %s', n, 'y' * 1000)\n"
    text += f"open({str(tmp_path / 'done')!r}, 'w').close()\nmodule.CLOSE_S = 60"
    with terminal(program(text), 80, 24) as t:
        until((tmp_path / "done").exists, "done without a reader")
        assert t.end() == 0
        assert [line for line in t.all() if line.startswith("line ")] != []
        assert sum(line.startswith("line ") for line in t.all()) == 100
