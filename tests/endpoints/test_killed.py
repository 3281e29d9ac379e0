"""Killed, interrupted, throttled: what was created is deleted, by the process itself or by the next one."""

import json
import signal
import sys
import time

import pytest

from scripts.endpoints import journal
from scripts.endpoints.__main__ import main
from tests.helpers.control_plane import running_plane, started, there, variables, written
from tests.helpers.patience import LONGEST_S


def until(fact, what: str):
    over = time.monotonic() + LONGEST_S
    while not (found := fact()):
        assert time.monotonic() < over, what
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def plane():
    with running_plane(creating_s=3.0) as e:
        yield e


def creating(client) -> bool:
    return any(each["EndpointStatus"] == "Creating" for each in client.list_endpoints()["Endpoints"])


def test_what_a_killed_deploy_left_is_swept(plane, user, client, capsys):
    process = started(plane.url, user, "deploy", written(user), "--every", "0.3")
    until(lambda: creating(client), "an endpoint is being created")
    process.kill()
    process.wait()
    process.stdout.close()
    assert len(there(client)) == 3
    assert main(["sweep-orphans", "--yes", "--every", "0.3"]) == 0
    assert "its process was killed: endpoint chat" in capsys.readouterr().out
    assert there(client) == [] and journal.all_in(user / "journals") == []


def test_what_a_killed_run_left_is_deleted_by_the_next_one(plane, user, client, capsys):
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)"]
    process = started(plane.url, user, "run", written(user), "--every", "0.3", "--", *sleeps)
    until(lambda: there(client), "something is there")
    process.kill()
    process.wait()
    process.stdout.close()
    assert main(["run", "--every", "0.3", written(user), "--", sys.executable, "-c", "pass"]) == 0
    assert "its process was killed; deleting what it left" in capsys.readouterr().err
    assert there(client) == [] and journal.all_in(user / "journals") == []


def test_ctrl_c_while_it_is_created_deletes_it(plane, user, client):
    process = started(plane.url, user, "deploy", written(user), "--every", "0.3")
    until(lambda: creating(client), "an endpoint is being created")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 4 and "stopped: SIGINT; deleting what was created" in output
    assert (
        "endpoint chat: SageMaker deletes nothing while it is Creating; waiting" in output and "Traceback" not in output
    )
    assert there(client) == [] and journal.all_in(user / "journals") == []


def test_a_signal_reaches_the_command_and_the_endpoint_is_deleted(plane, user, client, capsys):
    code = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(4)); print('ready', flush=True); time.sleep(600)"
    process = started(plane.url, user, "run", written(user), "--every", "0.3", "--", sys.executable, "-c", code)
    lines = iter(process.stdout.readline, "")
    said = [next(line for line in lines if line == "ready\n")]
    assert main(["sweep-orphans", "--yes"]) == 0 and "no orphans" in capsys.readouterr().out  # somebody works on it
    process.send_signal(signal.SIGTERM)
    said += list(lines)
    process.stdout.close()
    assert process.wait(LONGEST_S) == 4 and "endpoint chat: deleted\n" in said
    assert there(client) == []


def test_throttling_is_tried_again(tmp_path, monkeypatch):
    with running_plane(faults={"throttle": 0.3}, fault_seed=3) as e:
        for name, value in variables(e.url, tmp_path).items():
            monkeypatch.setenv(name, value)
        assert main(["run", "--every", "0.5", written(tmp_path), "--", sys.executable, "-c", "pass"]) == 0
        left = json.loads(json.dumps([left.head for _, left in journal.all_in(tmp_path / "journals")]))
        assert left == []


def test_what_cannot_be_deleted_is_said_and_left_to_the_next_one(tmp_path, monkeypatch, capsys):
    with running_plane(creating_s=0) as e:
        for name, value in variables(e.url, tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        code = f"import os, signal, time; os.kill({e.pid}, signal.SIGKILL); time.sleep(0.5)"
        assert main(["run", "--every", "0.3", written(tmp_path), "--", sys.executable, "-c", code]) == 2
    said = capsys.readouterr().err
    assert (
        "endpoint chat" in said
        and "not deleted and goes on costing" in said
        and "python -m scripts.endpoints delete chat" in said
    )
    [(_, left)] = journal.all_in(tmp_path / "journals")
    assert not left.kept and len(left.items) == 3
