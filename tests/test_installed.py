"""The product from outside its folder: its locustfiles, its command, its version, and the lock of what it stands on."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from locustfiles.common.planning.inputs import load_inputs
from locustfiles.contract import version
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import environment, locust

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENTS = (
    "requirements.txt",
    "analysis/requirements.txt",
    "scripts/emulator/requirements.txt",
    "tests/requirements.txt",
)
PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z0-9,]+\])?==(\S+)(?: ; .*)?")


def pins(file: str) -> dict[str, set[str]]:
    """Normalised name -> versions; a lock has several where they differ by Python."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / file).read_text().splitlines():
        if text := line.split("#")[0].strip():
            name, pinned = PIN.fullmatch(text).groups()
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(pinned)
    return found


@pytest.mark.parametrize("name", ["bedrock", "sagemaker_runtime", "openai_compatible", "sweep"])
def test_a_locustfile_runs_from_any_folder(tmp_path, name):
    """Not installed and nothing on PYTHONPATH: its imports work, and it asks for the scenario."""
    env = environment(PYTHONPATH=None)
    arguments = ("-f", ROOT / f"locustfiles/{name}.py", "--headless", "--scenario", "none.yaml")
    with locust(*arguments, output=tmp_path / "log", env=env, cwd=tmp_path) as process:
        assert process.wait() == 1, process.text
    assert process.errors == ["error: none.yaml: cannot be read (No such file or directory); check the path"]
    assert "Traceback" not in process.text


def test_a_scenario_of_the_repository_finds_its_files_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inputs = load_inputs(str(ROOT / "configs/demo.yaml"), ("bedrock", "sagemaker", "openai"))
    assert len(inputs.payloads["payload_en_demo"]) == 200 and set(inputs.prices) == {
        target.name for target in inputs.scenario.targets
    }


def test_the_version_is_that_of_pyproject_wherever_it_is_asked():
    said = f"swarmledger {PROJECT['project']['version']}"
    for module in ("analysis", "scripts.emulator"):
        done = subprocess.run(
            [sys.executable, "-m", module, "--version"], cwd=ROOT, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0 and re.fullmatch(rf"{re.escape(said)}( \(revision \w+(-dirty)?\))?\n", done.stdout)


def test_without_a_checkout_the_version_is_that_of_what_was_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(version, "ROOT", tmp_path)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"installed {name}")
    assert version.product_version.__wrapped__() == "installed swarmledger"


@pytest.mark.parametrize("project", [None, "[project]\n", "no toml ["])
def test_folders_that_were_copied_alone_have_no_version_and_run_all_the_same(tmp_path, monkeypatch, project):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project)
    monkeypatch.setattr(version, "ROOT", tmp_path)
    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert version.product_version.__wrapped__() == "unknown"


def test_the_revision_is_the_checkouts_own_and_says_when_it_was_changed(tmp_path, monkeypatch):
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    def revision(of) -> str | None:
        monkeypatch.setattr(version, "ROOT", of)
        return version.git_revision.__wrapped__()

    assert revision(tmp_path) is None
    git("init", "-q")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-qm", "x")
    commit = git("rev-parse", "HEAD").strip()
    assert revision(tmp_path) == commit
    (tmp_path / "file").write_text("b")
    assert revision(tmp_path) == f"{commit}-dirty"
    (tmp_path / "inside").mkdir()  # as site-packages in somebody else's repository
    assert revision(tmp_path / "inside") is None


@pytest.mark.parametrize("named", ["3f9a2c1", "ab" * 20, f"{'ab' * 20}-dirty", "ab" * 32])
def test_without_a_checkout_the_revision_is_that_of_the_environment(tmp_path, monkeypatch, named):
    monkeypatch.setenv(version.REVISION, named)
    assert version.git_revision.__wrapped__() != named  # this is a checkout, of which git itself tells
    monkeypatch.setattr(version, "ROOT", tmp_path)
    assert version.git_revision.__wrapped__() == named
    monkeypatch.setenv(version.REVISION, "")  # an image that was built without
    assert version.git_revision.__wrapped__() is None


def test_a_copy_without_a_checkout_tells_its_revision_and_refuses_what_is_none(tmp_path):
    """As the image's build asks it."""
    shutil.copytree(ROOT / "locustfiles", tmp_path / "locustfiles", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def told(revision: str) -> tuple[int, str]:
        command = [sys.executable, "-P", "-m", "locustfiles.common.deployed", "--version"]
        env = environment(PYTHONPATH=str(tmp_path), SWARMLEDGER_REVISION=revision)
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr

    named = f"swarmledger {PROJECT['project']['version']}"
    assert told("") == (0, f"{named}\n")
    assert told(f"{'ab' * 20}-dirty") == (0, f"{named} (revision {'ab' * 20}-dirty)\n")
    for none, shown in (
        ("main", "main"),
        ("3f9a", "3f9a"),
        ("3f9a2c1\nb", "3f9a2c1 b"),
        ("\x1b[31m3f9a2c1", "\\x1b[31m3f9a2c1"),
    ):
        said = (
            f"error: {version.REVISION}: `{shown}` is no commit; give what git rev-parse HEAD says, or leave it out\n"
        )
        assert told(none) == (1, said)


def test_the_versions_are_of_all_that_touches_a_request():
    found = version.versions()
    assert {"swarmledger", "python", "openssl", *version.DISTRIBUTIONS} == set(found)
    assert {"locust", "boto3", "botocore", "httptools", "gevent", "greenlet"} <= set(found)
    assert found["botocore"] == importlib.metadata.version("botocore") and found["openssl"][0].isdigit()
    json.dumps(found)


def test_the_command_is_the_analysis():
    module, name = PROJECT["project"]["scripts"]["swarmledger"].split(":")
    assert (module, name) == ("analysis.__main__", "main")
    code = f"import sys; sys.argv = ['/usr/bin/swarmledger', 'report', '--help']\nfrom {module} import {name}; {name}()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith("usage: swarmledger report ") and "  swarmledger report runs/study\n" in done.stdout
    assert "python -m" not in done.stdout


def test_an_installed_copy_has_every_file_that_the_code_reads():
    """setuptools takes *.py of packages by itself; what else lies in them must be named, or nothing reads it there."""
    packages = {p.parent for top in ("analysis", "locustfiles", "scripts") for p in (ROOT / top).rglob("__init__.py")}
    assert {p.parent for top in ("analysis", "locustfiles") for p in (ROOT / top).rglob("*.py")} <= packages
    taken = set()
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            matched = set(ROOT.joinpath(*package.split(".")).glob(pattern))
            assert matched, f"{package}: {pattern} matches nothing"
            taken |= matched
    kinds = (".j2", ".css", ".js", ".yaml", ".png")
    data = {p for top in ("analysis", "locustfiles", "scripts") for p in (ROOT / top).rglob("*") if p.suffix in kinds}
    assert data <= taken


def test_the_lock_holds_every_pin_and_what_the_pinned_bring_along():
    lock = pins("constraints.txt")
    for file in REQUIREMENTS:
        for name, pinned in pins(file).items():
            assert lock.get(name) == pinned, f"{file}: {name}; run scripts/lock.sh"
    for name in ("botocore", "s3transfer", *version.DISTRIBUTIONS):  # brought along by boto3 and locust
        assert name in lock


def test_the_lock_names_its_command_and_no_place_to_load_from():
    text = (ROOT / "constraints.txt").read_text()
    assert "#    scripts/lock.sh\n" in text[:200]
    assert not re.search(r"://|^-|@ |/\w+/", text.replace("scripts/lock.sh", ""), re.MULTILINE)
