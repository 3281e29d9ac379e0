"""The script that tries public clients: what it says of one that works, of one that fails and of one that cannot be had."""

import re
import subprocess
import sys

import pytest

from scripts.clients.__main__ import main, table
from scripts.clients.catalog import CLIENTS, COLUMNS, Client
from scripts.clients.environments import CHECKS, Absent, endpoint, tried
from tests.helpers import documents

FAILING = """
from scripts.clients.reporting import check, is_text
check("plain", lambda: is_text("How far is it?"))
check("stream", lambda: is_text("One | two"))
"""


def test_a_client_is_tried_with_its_own_interpreter_against_a_real_endpoint(tmp_path):
    """boto3 is in this environment, too."""
    with endpoint(tmp_path) as url:
        outcomes = tried([sys.executable, str(CHECKS / "boto3_client.py")], url, tmp_path)
    assert outcomes == dict.fromkeys(("plain", "stream", "tools", "SageMaker", "embeddings"), "works")


def test_what_fails_is_a_cell_and_what_says_nothing_is_absent(tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    outcomes = tried([sys.executable, str(tmp_path / "failing.py")], "http://127.0.0.1:1", tmp_path)
    assert outcomes == {"plain": "works", "stream": "AssertionError: text is 'One | two'"}
    (tmp_path / "silent.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(Absent, match="No module named 'nothing_of_this_name'"):
        tried([sys.executable, str(tmp_path / "silent.py")], "http://127.0.0.1:1", tmp_path)


def test_a_client_that_cannot_be_had_is_a_row_that_says_why(tmp_path, capsys):
    lines = table([Client("no-such-program", "curl_client.py")], tmp_path)
    assert lines[2] == f"| no-such-program | not tried: not installed on this machine |{' |' * len(COLUMNS)}"
    assert lines[2] in capsys.readouterr().err


def test_an_unknown_client_is_refused_with_those_there_are(capsys):
    assert main(["--only", "boto4"]) == 1
    assert capsys.readouterr().err.startswith("error: --only boto4: boto4 is no client here; choose from boto3, ")


def test_every_script_checks_columns_that_the_table_has():
    for client in CLIENTS:
        text = (CHECKS / client.script).read_text(encoding="utf-8")
        checked = re.findall(r'check\("(\w+)"', text)
        assert checked and set(checked) <= set(COLUMNS), client.name
    assert len({client.name for client in CLIENTS}) == len(CLIENTS) >= 20


def test_the_readme_has_a_row_for_every_client():
    rows = documents.table(documents.ROOT / "scripts/emulator/README.md", "Clients", "client")
    assert [row[0] for row in rows] == [client.shown or client.name for client in CLIENTS]


def test_its_help_works_as_everywhere():
    done = subprocess.run([sys.executable, "-m", "scripts.clients", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "example:" in done.stdout
