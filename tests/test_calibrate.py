"""A real calibration, short: the script as a user runs it."""

import json
import pathlib
import subprocess

import yaml

from analysis.__main__ import main as analysis
from locustfiles.common.exit_codes import BAD_INPUT, NOT_TRUSTED, OK
from locustfiles.common.scenario import load_scenario
from scripts.calibrate_scenario import main as make_scenario

ROOT = pathlib.Path(__file__).parent.parent


def calibrate(*arguments):
    command = [ROOT / "scripts/calibrate.sh", *map(str, arguments)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=90, check=False)


def test_the_script_measures_the_error_of_this_machine_and_counts_every_request(tmp_path, capsys):
    done = calibrate("--users", 8, "--measure-s", 4, "--run-dir", tmp_path / "run", "--bound-ms", 100)
    assert done.returncode == OK, done.stdout + done.stderr
    data = json.loads((tmp_path / "run/report/calibration.json").read_text())
    counts = data["requests"]
    # 2 stages * 8 users, each at least 2 s / 0.59 s = 3 requests in the measured window alone
    assert counts["recorded"] == counts["endpoint"] == counts["matched"] >= 48
    assert data["tokens_compared"] == counts["recorded"]
    assert [(row["users"], row["target"]) for row in data["errors_ms"] if row["figure"] == "ttft"] == [
        (8, "exact-bedrock"), (8, "exact-sagemaker"), (None, "all"),
    ]  # fmt: skip
    for row in data["errors_ms"]:  # what a client reads can only come after it was sent
        assert 0 < row["p50"] <= row["p99"] <= row["max"]
    assert "| exact-bedrock | payload_en_1-500 | 8 users | TTFT |" in done.stdout
    assert done.stderr == ""
    again = ["--truth", str(tmp_path / "run/report/truth.jsonl"), "--bound-ms", "0.001", "--out", str(tmp_path / "strict")]
    assert analysis(["calibrate", str(tmp_path / "run"), *again]) == NOT_TRUSTED  # nothing can keep such a bound
    assert "above the bound of 0.001 ms" in capsys.readouterr().out


def test_the_level_is_the_largest_of_the_scenario_that_is_named(tmp_path):
    out = tmp_path / "scenario.yaml"
    assert make_scenario(["--scenario", str(ROOT / "configs/demo.yaml"), "--measure-s", "6", "--out", str(out)]) == OK
    levels = yaml.safe_load((ROOT / "configs/demo.yaml").read_text())["load"]["users"]
    made = load_scenario(out)
    assert (made.load.users, made.load.measure_s) == ([max(levels)], 3)  # 6 s over two targets


def test_a_mistake_gets_one_line_and_exit_code_1(tmp_path, capsys):
    for options, said in (
        (["--users", "none"], "--users none: not a whole number of at least 1"),
        (["--measure-s", "-1"], "--measure-s -1: not a number of seconds above 0"),
        (["--scenario", str(tmp_path / "missing.yaml")], "missing.yaml"),
    ):
        assert make_scenario([*options, "--out", str(tmp_path / "out.yaml")]) == BAD_INPUT
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    done = calibrate("--users", "3", "--scenario", "x.yaml")
    assert (done.returncode, done.stderr) == (BAD_INPUT, "error: --users and --scenario exclude each other; give one\n")


def test_help_has_an_example():
    done = calibrate("--help")
    assert done.returncode == OK
    assert "example: scripts/calibrate.sh" in done.stdout
