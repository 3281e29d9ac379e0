"""The entry point of an image: its mistakes in a line, and its help."""

import contextlib
import os

import pytest

from locustfiles.common.deployed.__main__ import main


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "error: swarmledger-load: no role; give master, worker, local or health (see swarmledger-load --help)\n"),
        (["wroker"], "error: wroker: no such role; did you mean worker? Else see swarmledger-load --help\n"),
        (["health", "--live"], "error: --live: unknown option; did you mean --alive? Else see swarmledger-load health --help\n"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(capsys, argv, said):
    with contextlib.suppress(SystemExit):
        assert main(argv) == 1
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["master", "--help"]])
def test_help_tells_what_is_set(capsys, argv):
    assert main(argv) == 0
    assert capsys.readouterr().out.startswith("usage: swarmledger-load ROLE [OPTIONS]\n")


@pytest.mark.parametrize(("name", "value"), [("SWARMLEDGER_GRACE_S", "soon"), ("SWARMLEDGER_HEALTH_FILE", "/none/h")])
def test_what_cannot_be_heeded_is_refused_before_locust_is_loaded(monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    for other in ("LOCUST_LOCUSTFILE", "LOCUST_HEADLESS", "SWARMLEDGER_HEALTH_FILE", "SWARMLEDGER_GRACE_S"):
        if other != name:
            monkeypatch.setenv(other, os.devnull if other == "SWARMLEDGER_HEALTH_FILE" else "20")
    assert main(["local"]) == 1
    assert capsys.readouterr().err.startswith(f"error: {name} {value}: ")
