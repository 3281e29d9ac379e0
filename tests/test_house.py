"""The rules of the house: sizes of files and functions, a sentence in every folder and test file, and floors whose checks can fail."""

import ast
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
OURS = sorted(path for name in ("locustfiles", "analysis", "scripts") for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
MOST_LINES, MOST_TEST_LINES, MOST_OF_A_FUNCTION = 250, 300, 40


def name(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(path: pathlib.Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(path: pathlib.Path) -> dict[str, int]:
    """file function -> its lines, the signature's included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {f"{name(path)} {node.name}": node.end_lineno - node.lineno + 1 for node in found}


def docstring(path: pathlib.Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def test_no_file_is_longer_than_250_lines():
    found = {name(path): lines(path) for path in OURS}
    assert len(found) > 200
    assert {path: n for path, n in found.items() if n > MOST_LINES} == {}


def test_no_function_is_longer_than_40_lines():
    found = {key: n for path in OURS for key, n in functions(path).items()}
    assert len(found) > 1500
    assert {key: n for key, n in found.items() if n > MOST_OF_A_FUNCTION} == {}


def test_no_test_file_is_longer_than_300_lines():
    assert {name(path): lines(path) for path in TESTS if lines(path) > MOST_TEST_LINES} == {}


def test_every_folder_says_in_a_sentence_what_lives_there():
    folders = {path.parent for path in (*OURS, *TESTS)}
    silent = [name(folder) for folder in folders if not docstring(folder / "__init__.py").endswith(".")]
    assert sorted(silent) == []


def test_every_file_of_ours_says_what_it_is_about():
    assert [name(path) for path in OURS if not docstring(path)] == []


def test_every_test_file_says_in_its_first_line_what_it_is_about():
    firsts = {name(path): (docstring(path) + "\n\n").split("\n")[:2] for path in TESTS}
    assert [path for path, (first, second) in firsts.items() if not re.search(r"[.:]$", first) or second] == []


def test_nothing_is_left_for_later():
    left = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [name(path) for path in OURS if left.search(path.read_text(encoding="utf-8"))] == []


def test_every_shell_script_stops_at_its_first_failure_and_can_be_started():
    for path in (*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci/run"):
        assert "\nset -euo pipefail\n" in path.read_text(encoding="utf-8"), name(path)
        assert path.stat().st_mode & stat.S_IXUSR, name(path)
        assert subprocess.run(["bash", "-n", path], check=False).returncode == 0, name(path)


def test_the_changelog_knows_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\n## [{version}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# --- the check ---

#: contract -> files that break it, each with what it would import
BREACHES = [
    ("floors of the load side", "locustfiles/common/calls/clock.py", "locustfiles.sweep"),
    ("floors of the load side", "locustfiles/contract/record.py", "locustfiles.common.prompts.payloads"),
    ("floors of the load side's common code", "locustfiles/common/dialects/titan.py", "locustfiles.common.recording.spend"),
    ("floors of the load side's common code", "locustfiles/common/calls/clock.py", "locustfiles.common.planning.plan"),
    ("floors of the load side's common code", "locustfiles/common/wizards/__init__.py", "json"),  # a folder without a floor
    ("floors of the contract", "locustfiles/contract/record.py", "locustfiles.contract.scenario.slo"),
    ("floors of the analysis", "analysis/metrics/percentiles.py", "analysis.report.html"),
    ("floors of the analysis", "analysis/locust_csv/reader.py", "analysis.runs.stage"),
    ("floors of the analysis", "analysis/wizards/__init__.py", "json"),
    ("the load side knows nothing of the analysis", "locustfiles/common/planning/plan.py", "analysis.words.format"),
    ("the analysis shares only the contract with the load side", "analysis/runs/stage.py", "locustfiles.common.calls.clock"),
    ("nothing that is delivered needs the scripts", "analysis/words/format.py", "scripts.bench.table"),
    ("the local endpoint knows nothing of those who measure it", "scripts/emulator/text.py", "locustfiles.common.calls.clock"),
    ("no circles, in no folder", "locustfiles/common/dialects/parsed.py", "locustfiles.common.dialects.titan"),
]  # fmt: skip
CONTRACTS = [
    c["name"] for c in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources, to be spoilt."""
    folder = tmp_path_factory.mktemp("tree")
    for each in ("locustfiles", "analysis", "scripts"):
        shutil.copytree(ROOT / each, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def floors(folder: pathlib.Path) -> dict[str, str]:
    """contract -> KEPT or BROKEN."""
    command = [pathlib.Path(sys.executable).parent / "lint-imports", "--no-logo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    found = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", done.stdout, re.MULTILINE))
    assert (done.returncode == 0) == (set(found.values()) == {"KEPT"}), done.stdout + done.stderr
    return found


def test_all_floors_hold(tree):
    assert floors(tree) == dict.fromkeys(CONTRACTS, "KEPT")


@pytest.mark.parametrize(("contract", "path", "imported"), BREACHES)
def test_an_import_against_a_floor_is_found(tree, contract, path, imported):
    file = tree / path
    before = file.read_text(encoding="utf-8") if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{before or ''}\nimport {imported}\n", encoding="utf-8")
    try:
        assert floors(tree)[contract] == "BROKEN"
    finally:
        if before is None:
            shutil.rmtree(file.parent)
        else:
            file.write_text(before, encoding="utf-8")


def test_every_contract_has_been_seen_to_fail():
    assert {contract for contract, _, _ in BREACHES} == set(CONTRACTS)


@pytest.fixture
def desk(tmp_path):
    """scripts/check.sh with tools that only note that they were called, and fail where a file of their name says so."""
    shutil.copytree(ROOT / "scripts/lib", tmp_path / "scripts/lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "scripts/check.sh", tmp_path / "scripts")
    for folder in ("tests", "analysis"):
        (tmp_path / folder).mkdir()
    for file in ("requirements.txt", "constraints.txt", "analysis/requirements.txt", "tests/requirements.txt"):
        (tmp_path / file).touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for tool in ("ruff", "python", "lint-imports"):
        path = tmp_path / ".venv/bin" / tool
        path.write_text(f'#!/bin/sh\necho "{tool} $*" >>asked\necho "{tool} says so"\n[ ! -e "{tool}-fails" ]\n')
        path.chmod(0o755)
    return tmp_path


def checked(desk: pathlib.Path, *arguments: str) -> tuple[int, str, list[str]]:
    """Exit code, what was shown, and the tools that were called for more than their installation."""
    done = subprocess.run(
        ["bash", "scripts/check.sh", *arguments], cwd=desk, capture_output=True, text=True, timeout=30, check=False
    )
    asked = (desk / "asked").read_text().splitlines()
    return done.returncode, done.stdout + done.stderr, [line for line in asked if "pip install" not in line]


CALLS = [
    "ruff format --check --diff .",
    "ruff check --output-format concise .",
    "python -m mypy --no-error-summary",
    "lint-imports --no-logo",
]


def test_a_clean_tree_is_told_in_a_line_a_check(desk):
    code, said, asked = checked(desk)
    assert (code, asked) == (0, CALLS)
    assert said.splitlines()[-4:] == ["format: fine", "rules: fine", "types: fine", "floors: fine"]


@pytest.mark.parametrize(
    ("tool", "failed"), [("ruff", "format rules"), ("python", "types"), ("lint-imports", "floors")]
)
def test_every_check_is_made_and_shown_whichever_fails(desk, tool, failed):
    checked(desk)  # so that the installation is over, which python would fail, too
    (desk / f"{tool}-fails").touch()
    code, said, asked = checked(desk)
    assert (code, asked) == (1, [*CALLS, *CALLS])
    assert f"{tool} says so" in said
    assert said.splitlines()[-1].startswith(f"error: {failed}: not fine;")


def test_fix_puts_right_before_it_checks(desk):
    assert checked(desk, "--fix")[2] == ["ruff check --quiet --fix-only .", "ruff format --quiet .", *CALLS]
