"""The first run as a newcomer meets it."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable

import pandas as pd
import yaml

from tests.helpers.emulator_process import running_emulator
from tests.helpers.patience import LONGEST_S, OWN, Machine, until

ROOT = pathlib.Path(__file__).parent.parent
DEMO = ROOT / "scripts/demo.sh"


def clean_env() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOCUST_"))}


def alive(of: Callable[[pathlib.Path], bool]) -> list[str]:
    """Command lines of the processes whose folder of /proc is `of` the ones asked for. They have a moment to end; zombies have."""
    over = time.monotonic() + 60
    while True:
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if state(process)[0] != "Z" and of(process):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
        if not found or time.monotonic() > over:
            return found
        time.sleep(0.1)


def state(process: pathlib.Path) -> list[str]:
    """State, parent, process group, …"""
    return (process / "stat").read_text().rpartition(")")[2].split()


def test_the_simulated_demo_ends_in_ninety_seconds_with_a_report_that_says_what_it_is(tmp_path):
    """Ninety where the machine is its own: beside others its start and its report take longer, its sweep as long as was planned."""
    machine, began = Machine(), time.monotonic()
    run_dir = tmp_path / "demo"
    done = subprocess.run(
        [DEMO, "--engine", "simulated", "--run-dir", run_dir],
        env=clean_env(),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < (90 if machine.others() < OWN else LONGEST_S)
    manifest = json.loads((run_dir / "manifest.json").read_text())
    assert manifest["ended_at"] - manifest["started_at"] < 80
    assert "Stage 12 of 12" in done.stdout  # progress
    assert "best price-performance" in done.stdout
    assert "prices only illustrate" in done.stdout
    assert str(run_dir / "report/report.html") in done.stdout
    steps = pd.read_csv(run_dir / "report/steps.csv")
    assert sorted(steps.users.unique()) == [1, 2, 5, 8, 12, 20]
    assert set(steps.target) == {"smollm2-sagemaker", "smollm2-bedrock"}
    assert (steps.failures == 0).all()
    summary = json.loads((run_dir / "report/summary.json").read_text())
    assert summary["recommendation"]
    assert alive(lambda process: str(run_dir) in (process / "cmdline").read_text()) == []


def test_ctrl_c_ends_the_demo_its_sweep_and_its_endpoint_and_keeps_the_run(tmp_path):
    run_dir = tmp_path / "demo"
    demo = subprocess.Popen(
        [DEMO, "--engine", "simulated", "--run-dir", run_dir],
        env=clean_env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a terminal's Ctrl-C goes to the whole process group
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a shell cannot trap what was ignored before it
    )
    requests = run_dir / "requests.csv"
    until(lambda: demo.poll() or (requests.exists() and requests.read_bytes().count(b"\n") > 10), "ten records")
    assert demo.poll() is None
    os.killpg(demo.pid, signal.SIGINT)
    output, _ = demo.communicate(timeout=LONGEST_S)
    assert demo.returncode == 130
    assert "Traceback" not in output
    assert json.loads((run_dir / "manifest.json").read_text())["status"] == "stopped"
    assert alive(lambda process: state(process)[2] == str(demo.pid)) == []


def test_an_unknown_engine_is_refused_in_one_line():
    done = subprocess.run([DEMO, "--engine", "magic"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "error: --engine magic: no such engine; use llama or simulated\n")


def test_the_real_model_answers_a_short_sweep_with_its_own_token_counts(tmp_path, monkeypatch):
    scenario = yaml.safe_load((ROOT / "configs/demo.yaml").read_text())
    scenario["load"] = {"users": [1, 4], "settle_s": 1, "measure_s": 3}
    (tmp_path / "scenario.yaml").write_text(yaml.safe_dump(scenario))
    with running_emulator(ROOT / "configs/emulator/smollm2.yaml", truth=tmp_path / "truth.jsonl") as emulator:
        env = clean_env() | {
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [ROOT / ".venv/bin/locust", "-f", "locustfiles/sweep.py", "--headless", "--only-summary"]
        command += ["--scenario", tmp_path / "scenario.yaml", "--run-dir", tmp_path / "run"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=LONGEST_S)
        assert done.returncode == 0, done.stdout + done.stderr
    records = pd.read_csv(tmp_path / "run/requests.csv")
    truth = pd.DataFrame(emulator.truth_rows())
    joined = records.merge(truth, on="request_id", suffixes=("", "_true"))
    assert len(joined) == len(records) == len(truth)
    assert (joined.completion_tokens == joined.completion_tokens_true).all()
    assert (joined.token_source == "service").all()
    bedrock = joined[joined.service == "bedrock"]
    assert (bedrock.prompt_tokens == bedrock.prompt_tokens_true).all()
    assert (bedrock.prompt_token_source == "service").all()
