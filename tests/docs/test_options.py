"""Commands of the documents have the options that they are shown with; the analysis' README has every one there is."""

import argparse
import functools
import importlib
import os
import re
import shlex
import subprocess
import sys

import pytest

from analysis.__main__ import COMMANDS
from scripts.endpoints.__main__ import COMMANDS as ENDPOINTS
from tests.helpers.documents import ROOT, code, commands, documents, inline_codes, sections, table

ANALYSIS = ROOT / "analysis/README.md"


def _options(command: str) -> set[str]:
    parser = argparse.ArgumentParser(add_help=False)
    importlib.import_module(COMMANDS[command][0]).add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_explained_and_no_other(command):
    told = {code(row[0]).split()[0] for row in table(ANALYSIS, command, "option")} if _options(command) else set()
    assert told == _options(command)


def test_every_command_has_its_row_and_its_example():
    rows = table(ANALYSIS, next(iter(sections(ANALYSIS))), "command")
    assert {re.sub(r"\W", "", row[0].split("]")[0]) for row in rows} == set(COMMANDS)
    shown = {line.split()[3] for line in commands(ANALYSIS) if line.startswith("python -m analysis ")}
    assert shown == set(COMMANDS)


#: the beginning of a command: what is asked for its options
PROGRAM = re.compile(
    rf"((?:python -m analysis|swarmledger)(?: (?:{'|'.join(COMMANDS)})\b)?|python -m scripts\.endpoints(?: (?:{'|'.join(ENDPOINTS)})\b)?"
    r"|python -m (?!analysis|scripts\.endpoints)[\w.]+(?: (?:from|trace|synthetic)\b)?|scripts/\w+\.sh|locust)(?= |$)"
)


def _shown() -> dict[str, set[str]]:
    """Program -> the options that documents show it with."""
    shown: dict[str, set[str]] = {}
    for document in documents():
        texts = [*commands(document), *inline_codes(document)]
        for text in (part for each in texts for part in each.split(" -- ")):  # a command that another one runs
            if found := PROGRAM.match(text):
                options = re.findall(r"(?<=\s)(--[a-z][a-z0-9-]*)", text)
                shown.setdefault(found.group(1), set()).update(options)
    return {program: options for program, options in shown.items() if options}


@functools.cache
def _known(program: str) -> set[str]:
    """What its help lists."""
    command = shlex.split(re.sub(r"^swarmledger", "python -m analysis", program))
    command[:1] = {"python": [sys.executable], "locust": [sys.executable, "-m", "locust"]}.get(
        command[0], ["bash", command[0]]
    )
    done = subprocess.run(
        [*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=300, env=os.environ | {"COLUMNS": "200"}
    )
    assert done.returncode == 0, f"{program} --help: {done.stdout}{done.stderr}"
    starts = (line.strip() for line in done.stdout.splitlines() if line.strip().startswith("-"))
    return {option for line in starts for option in re.findall(r"--[a-z][a-z0-9-]*", re.split(r"\s{2,}", line)[0])}


@pytest.mark.parametrize("program", sorted(_shown()))
def test_every_option_that_is_shown_exists(program):
    known = _known(program) | {"--help"}
    if program == "locust":  # whose help comes before it has read the locustfile
        known |= {code(row[0]).split()[0] for row in table(ROOT / "locustfiles/README.md", "Options", "option")}
    assert _shown()[program] <= known
