"""The ready jobs of configs/ci: as their services' schemas want them, and their own shell lines run against the local endpoint."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import junitparser
import pytest
import yaml

from locustfiles.contract.exit_codes import GATE_MISSED, NOT_TRUSTED, OK
from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import environment

CI = ROOT / "configs/ci"
LOAD = {"users": [2], "settle_s": 0.2, "settle_at_most_s": 2, "measure_s": 1.5}
#: what the endpoint keeps (65 ms), and what it cannot
KEPT, TOO_STRICT = {"latency_s": {"mean": 5}, "error_rate": 0}, {"latency_s": {"mean": 0.001}}
#: GitHub's command line, as far as the job asks it: the last green run and its artifact
GH = """#!/bin/sh
case "$1 $2" in
    "run list") [ ! -d "$GREEN" ] || echo 42 ;;
    "run download") [ "$3 $4 $5 $6" = "42 --name load-test --dir" ] && mkdir -p "$7" && cp -r "$GREEN/." "$7" ;;
esac
"""


class Runner:
    """A checkout in a folder of its own, with what a service sets for its jobs."""

    def __init__(self, folder: pathlib.Path, url: str, limits: dict) -> None:
        self.folder = folder / "checkout"
        self.folder.mkdir(parents=True)
        for name in ("locustfiles", "analysis", "payloads", "configs"):
            (self.folder / name).symlink_to(ROOT / name)
        scenario = folders.make_scenario(folder / "asked", url, [folders.sagemaker("quick")], LOAD)
        (folder / "slo.yaml").write_text(yaml.safe_dump({"slo": limits}))
        (folder / "bin").mkdir()
        (folder / "bin/gh").write_text(GH)
        (folder / "bin/gh").chmod(0o755)
        self.page = folder / "page.md"
        path = f"{folder / 'bin'}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = environment(PATH=path, GITHUB_STEP_SUMMARY=str(self.page), GREEN=str(folder / "green"))
        self.env |= {"GITHUB_WORKFLOW": "load test", "GITHUB_REF_NAME": "main", "CI_PROJECT_DIR": str(self.folder)}
        self.own = {"SCENARIO": str(scenario), "SLO": str(folder / "slo.yaml")}

    def sh(self, lines: str, variables: dict) -> subprocess.CompletedProcess:
        """As both services run them: bash, ended by the first command that fails."""
        env = self.env | {name: str(value) for name, value in variables.items()} | self.own
        command = ["bash", "-e", "-c", lines]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=300)

    @property
    def judged(self) -> tuple[dict, junitparser.JUnitXml]:
        data = json.loads((self.folder / "gate/gate.json").read_text())
        return data, junitparser.JUnitXml.fromfile(str(self.folder / "gate/junit.xml"))


def github(runner: Runner) -> dict[str, subprocess.CompletedProcess]:
    """The steps of the job that are shell, but for the installation and the report."""
    workflow = yaml.safe_load((CI / "github-actions.yml").read_text())
    steps = [s for s in workflow["jobs"]["load-test"]["steps"] if "run" in s and s["name"] not in ("Install", "Report")]
    return {step["name"]: runner.sh(step["run"], workflow["env"]) for step in steps}


def gitlab(runner: Runner, measured: pathlib.Path | None = None) -> subprocess.CompletedProcess:
    """The job's script, but for the report; measured: a run folder in place of a measurement."""
    job = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["load-test"]
    left_out = ("analysis report", "locust -f") if measured else ("analysis report",)
    if measured:
        shutil.copytree(measured, runner.folder / "runs/nightly")
    lines = [line for line in job["script"] if not any(words in line for words in left_out)]
    return runner.sh("\n".join(lines), job["variables"])


def counted(data: dict, read: junitparser.JUnitXml) -> None:
    """What JUnit's readers count is what was judged."""
    states = [case["state"] for case in data["cases"]]
    assert (read.tests, read.failures, read.errors) == (len(states), states.count("missed"), states.count("undecided"))


def test_githubs_job_measures_judges_and_compares_with_the_last_green_run(endpoint, tmp_path):
    first = Runner(tmp_path / "first", endpoint.url, KEPT)
    steps = github(first)
    assert "::warning::no green run to compare with" in steps["Baseline"].stdout
    assert {name: step.returncode for name, step in steps.items()} == {"Baseline": 0, "Measure": 0, "Gate": OK}, steps[
        "Gate"
    ]
    data, read = first.judged
    counted(data, read)
    assert data["baseline"] is None and read.tests == 2
    assert first.page.read_text().startswith("### ✅ Gate of nightly: met")
    # the artifact of that run, in the folders that it was uploaded from
    second = Runner(tmp_path / "second", endpoint.url, TOO_STRICT)
    for name in ("runs", "gate"):
        shutil.copytree(first.folder / name, tmp_path / "second/green" / name)
    steps = github(second)
    data, read = second.judged
    counted(data, read)
    assert steps["Baseline"].stdout == "" and data["baseline"].endswith("baseline/runs/nightly")
    assert {case["group"] for case in data["cases"]} == {"limits", "baseline"}
    # so few answers leave a comparison undecided, which goes before the limit that is missed
    assert steps["Gate"].returncode == {"missed": GATE_MISSED, "undecided": NOT_TRUSTED}[data["outcome"]]
    assert [c["state"] for c in data["cases"] if c["group"] == "limits"] == ["missed"]


def test_gitlabs_job_leaves_a_baseline_only_where_it_is_green(endpoint, tmp_path):
    runner = Runner(tmp_path, endpoint.url, KEPT)
    done = gitlab(runner)
    assert done.returncode == OK, done.stdout + done.stderr
    assert "no green run to compare with" in done.stdout
    assert (runner.folder / "baseline/manifest.json").is_file()
    counted(*runner.judged)
    red = Runner(tmp_path / "red", endpoint.url, TOO_STRICT)
    done = gitlab(red, runner.folder / "runs/nightly")
    assert done.returncode == GATE_MISSED and not (red.folder / "baseline").exists()
    counted(*red.judged)


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("github-actions.yml", ["--builtin-schema", "vendor.github-workflows"]),
        ("gitlab-ci.yml", ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
)
def test_a_job_is_what_its_services_schema_wants(file, schema, tmp_path):
    def check(path):
        command = [sys.executable, "-m", "check_jsonschema", *schema, str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    done = check(CI / file)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = tmp_path / file  # the control
    broken.write_text(
        (CI / file)
        .read_text()
        .replace("load-test:\n", "load-test:\n  stepz: 1\n  timeout: {a: 1}\n", 1)
        .replace("    steps:", "    stepz:")
    )
    assert check(broken).returncode == 1
