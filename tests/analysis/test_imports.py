"""Who imports whom, and that the analysis starts without Locust, gevent and boto3."""

import ast
import pathlib
import subprocess
import sys

import pytest

from analysis.__main__ import COMMANDS

ROOT = pathlib.Path(__file__).parents[2]
#: commands that do the load side's work: they call a target, and put records into a run folder
LOAD_SIDE = {"check.py", "check_counts.py", "check_view.py", "merge.py"}
#: what takes seconds to load, or patches the process
HEAVY = {"gevent", "locust", "boto3", "botocore", "genai_prices"}
MODULES = sorted((ROOT / "analysis").rglob("*.py"))


def imported(path):
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_the_analysis_shares_only_the_contract_with_the_load_side():
    assert len(MODULES) > 10
    foreign = {
        (path.name, name)
        for path in MODULES
        if path.name not in LOAD_SIDE
        for name in imported(path)
        if name.split(".")[0] == "locustfiles" and not name.startswith("locustfiles.contract")
    }
    assert foreign == set()


def test_the_load_side_does_not_import_the_analysis():
    found = {
        (p.name, n) for p in (ROOT / "locustfiles").rglob("*.py") for n in imported(p) if n.split(".")[0] == "analysis"
    }
    assert found == set()


def packages(file: str) -> set[str]:
    """What a requirement file names, as it is imported."""
    lines = [line.partition("==")[0] for line in (ROOT / file).read_text().splitlines() if line and line[0] != "#"]
    return {{"PyYAML": "yaml", "genai-prices": "genai_prices"}.get(name, name.lower()) for name in lines}


def test_the_load_side_does_without_the_packages_of_the_analysis_and_the_other_way_round():
    """But for commands that do the load side's work, and prices and figures that AWS itself is asked for."""
    load, analysis = packages("requirements.txt"), packages("analysis/requirements.txt")
    assert {"pandas", "pyarrow", "matplotlib"} <= analysis - load and {"locust", "gevent", "boto3"} <= load - analysis
    sends = list((ROOT / "locustfiles").rglob("*.py"))
    found = {(p.name, n) for p in sends for n in imported(p) if n.split(".")[0] in analysis - load}
    assert found == set()
    contract = (ROOT / "locustfiles/contract").rglob("*.py")
    asks = [*contract, *(p for p in MODULES if p.name not in {*LOAD_SIDE, "ask_aws.py", "aws_client.py"})]
    found = {(p.name, n) for p in asks for n in imported(p) if n.split(".")[0] in load - analysis}
    assert found == set()


def test_importing_the_analysis_loads_neither_locust_nor_gevent_nor_boto3():
    names = [
        ".".join(p.relative_to(ROOT).with_suffix("").parts) for p in MODULES if p.stem not in ("__init__", "__main__")
    ]
    program = (
        f"import importlib, sys\nfor name in {['analysis', *names]!r}: importlib.import_module(name)\n"
        f"print(sorted({{m.split('.')[0] for m in sys.modules}} & {HEAVY}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_help_loads_locust_gevent_or_boto3(command):
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "analysis", *command.split(), "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "usage: " in run.stdout
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in run.stderr.splitlines() if "|" in line}
    assert "argparse" in loaded and loaded & HEAVY == set()


def test_check_loads_no_pandas():
    """It is the command that people wait for before every run, and pandas would be half of its start."""
    names = ", ".join(f"analysis.commands.{path.removesuffix('.py')}" for path in sorted(LOAD_SIDE - {"merge.py"}))
    program = f"import sys, {names}\nprint({{'pandas', 'pyarrow', 'matplotlib'}} & set(sys.modules) or 'none')"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "none"
