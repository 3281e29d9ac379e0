"""A real calibration, short: the script as a user runs it."""

import json
import pathlib
import subprocess

import pytest
import yaml

from analysis.__main__ import main as analysis
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK
from locustfiles.contract.scenario.scenario import load_scenario
from scripts.lib.calibrate_scenario import main as make_scenario

ROOT = pathlib.Path(__file__).parent.parent
pytestmark = pytest.mark.timed


def calibrate(*arguments):
    command = [ROOT / "scripts/calibrate.sh", *map(str, arguments)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=300, check=False)


def test_the_script_measures_the_error_of_this_machine_and_counts_every_request(tmp_path, capsys):
    done = calibrate("--users", 8, "--measure-s", 4, "--run-dir", tmp_path / "run", "--bound-ms", 1000)
    assert done.returncode == OK, done.stdout + done.stderr
    data = json.loads((tmp_path / "run/report/calibration.json").read_text())
    counts = data["requests"]
    # 2 stages * 8 users, each at least 2 s / 0.59 s = 3 requests in the measured window alone
    assert counts["recorded"] == counts["endpoint"] == counts["matched"] >= 48
    assert data["tokens_compared"] == counts["recorded"]
    # as AWS is asked, and so the report of such a run has nothing to add
    assert data["conditions"] == {"transport": "fast", "stamps": "loop", "schemes": ["https"], "in_flight": 8}
    assert [(row["users"], row["target"]) for row in data["errors_ms"] if row["figure"] == "ttft"] == [
        (8, "exact-bedrock"), (8, "exact-sagemaker"), (None, "all"),
    ]  # fmt: skip
    for row in data["errors_ms"]:  # what a client reads can only come after it was sent
        assert 0 < row["p50"] <= row["p99"] <= row["max"]
    assert "| exact-bedrock | payload_en_1-500 | 8 users | TTFT |" in done.stdout
    assert done.stderr == ""
    again = [
        "--truth",
        str(tmp_path / "run/report/truth.jsonl"),
        "--bound-ms",
        "0.001",
        "--out",
        str(tmp_path / "strict"),
    ]
    assert analysis(["calibrate", str(tmp_path / "run"), *again]) == NOT_TRUSTED  # nothing can keep such a bound
    assert "above the bound of 0.001 ms" in capsys.readouterr().out


def test_the_level_is_the_largest_of_the_scenario_that_is_named(tmp_path):
    out = tmp_path / "scenario.yaml"
    assert make_scenario(["--scenario", str(ROOT / "configs/demo.yaml"), "--measure-s", "6", "--out", str(out)]) == OK
    levels = yaml.safe_load((ROOT / "configs/demo.yaml").read_text())["load"]["users"]
    made = load_scenario(out)
    assert (made.load.users, made.load.measure_s) == ([max(levels)], 3)  # 6 s over two targets


BEDROCK = {"name": "a", "service": "bedrock", "model_id": "amazon.nova-lite-v1:0", "stream": True}
LOCAL = BEDROCK | {"endpoint_url": "http://127.0.0.1:8800"}
SERVER = {
    "name": "b",
    "service": "openai",
    "base_url": "http://10.0.0.5:8000/v1",
    "model_id": "m",
    "instance_type": "x",
}


@pytest.mark.parametrize(
    ("targets", "keys", "options", "tls"),
    [
        ([BEDROCK], {}, [], True),  # AWS's own endpoints are HTTPS
        ([BEDROCK], {"transport": "boto3"}, [], True),
        ([BEDROCK], {"stamps": "kernel"}, ["--tls", "no"], False),
        ([LOCAL], {}, [], False),
        ([LOCAL], {}, ["--tls", "yes"], True),
        ([BEDROCK], {"endpoint_url": "http://127.0.0.1:8800"}, [], False),
        ([SERVER], {}, [], False),
        ([LOCAL, SERVER | {"base_url": "https://vllm.example/v1"}], {}, [], True),  # one of them
    ],
)
def test_it_is_sent_as_the_scenario_that_is_named_is(tmp_path, targets, keys, options, tls):
    scenario = {"name": "mine", "targets": targets, "region": "us-east-1", "payloads": ["p.jsonl"], "pricing": "p.yaml"}
    scenario |= {"load": {"users": [2, 3], "measure_s": 5}} | keys
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(scenario))
    (tmp_path / "out").mkdir()
    assert (
        make_scenario(
            ["--scenario", str(tmp_path / "mine.yaml"), *options, "--out", str(tmp_path / "out/scenario.yaml")]
        )
        == OK
    )
    made = load_scenario(tmp_path / "out/scenario.yaml")
    assert (made.load.users, made.transport, made.stamps) == (
        [3],
        keys.get("transport", "fast"),
        keys.get("stamps", "loop"),
    )
    assert {f.name for f in (tmp_path / "out").iterdir()} == {
        "scenario.yaml",
        *(["certificate.pem", "key.pem"] if tls else []),
    }


def test_a_mistake_gets_one_line_and_exit_code_1(tmp_path, capsys):
    for options, said in (
        (["--users", "none"], "--users none: not a whole number; give 1 or more"),
        (["--measure-s", "-1"], "--measure-s -1: not a number of seconds; give more than 0"),
        (["--scenario", str(tmp_path / "missing.yaml")], "missing.yaml"),
    ):
        assert make_scenario([*options, "--out", str(tmp_path / "out.yaml")]) == BAD_INPUT
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    done = calibrate("--users", "3", "--scenario", "x.yaml")
    assert (done.returncode, done.stderr) == (BAD_INPUT, "error: --users 3: excludes --scenario; give one\n")


def test_help_has_an_example():
    done = calibrate("--help")
    assert done.returncode == OK
    assert "example: scripts/calibrate.sh" in done.stdout
