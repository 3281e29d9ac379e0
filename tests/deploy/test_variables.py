"""deploy/README.md names every variable that the code reads, and none that it does not; the files beside it use no other."""

import re

import pytest
from locust import argument_parser

from locustfiles.common.deployed import __main__ as entry
from tests.helpers.documents import ROOT, code, table, text_of

DEPLOY = ROOT / "deploy/README.md"
OURS = re.compile(r"SWARMLEDGER_[A-Z_]+")


def read_by_the_code() -> set[str]:
    files = [path for folder in ("locustfiles", "analysis") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in files for name in re.findall(r'"(SWARMLEDGER_[A-Z_]+)"', path.read_text(encoding="utf-8"))}


def known_to_locust() -> set[str]:
    return {action.env_var for action in argument_parser.get_parser()._actions if getattr(action, "env_var", None)}


def told() -> set[str]:
    return {code(row[0]) for row in table(DEPLOY, "Variables", "variable")}


def test_every_variable_of_ours_is_told_and_no_other():
    ours = read_by_the_code()
    assert len(ours) > 10
    assert {name for name in told() if OURS.fullmatch(name)} == ours


def test_every_variable_of_locusts_that_is_told_exists():
    of_locust = {name for name in told() if name.startswith("LOCUST_")}
    assert len(of_locust) > 5 and of_locust <= known_to_locust()
    assert of_locust | {name for name in told() if OURS.fullmatch(name)} == told()


@pytest.mark.parametrize("file", ["deploy/compose.yaml", "deploy/image/Dockerfile"])
def test_a_file_of_the_deployment_sets_no_variable_that_nobody_reads(file):
    text = text_of(ROOT / file)
    named = set(re.findall(r"(?:LOCUST|SWARMLEDGER)_[A-Z_]+", text)) - {"SWARMLEDGER_VERSION"}
    assert named <= read_by_the_code() | known_to_locust()


def test_what_the_entry_point_sets_is_what_its_help_says(monkeypatch):
    monkeypatch.delenv("SWARMLEDGER_RUN_DIR", raising=False)
    named = set(re.findall(r"^  ((?:LOCUST|SWARMLEDGER)_[A-Z_]+) ", entry.HELP, re.MULTILINE))
    assert named == {name for role in entry.ROLES for name in entry.defaults(role, ["--run-dir", "r"])}
    assert "SWARMLEDGER_BEGIN_OR_RESUME" not in entry.defaults("master", [])
    assert "SWARMLEDGER_BEGIN_OR_RESUME" not in entry.defaults("master", ["--run-dir=r", "--overwrite"])
    assert named <= told()
