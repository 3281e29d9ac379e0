"""Killed, interrupted, throttled: what was created is deleted, by the process itself or by the next one."""

import json
import signal
import sys
import time

import pytest

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints import journal, renewal
from scripts.endpoints.__main__ import main
from scripts.endpoints.control import Control, Refused
from scripts.endpoints.deployment import plan
from tests.helpers.control_plane import ROOT, running_plane, started, there, variables, written
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


#: has all of a run expired, waits until its endpoint has not, and sweeps from a machine without its journal
EXPIRES = """
import subprocess, sys, time
import boto3
c, key = boto3.client("sagemaker"), "swarmledger:expires-at"
[endpoint] = c.list_endpoints()["Endpoints"]
arns = [endpoint["EndpointArn"], *(m["ModelArn"] for m in c.list_models()["Models"])]
arns += [e["EndpointConfigArn"] for e in c.list_endpoint_configs()["EndpointConfigs"]]
def expiry():
    return {t["Key"]: t["Value"] for t in c.list_tags(ResourceArn=arns[0])["Tags"]}[key]
print("first", expiry(), flush=True)
for arn in arns:
    c.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": "2026-01-01T00:00:00Z"}])
over = time.monotonic() + float(sys.argv[1])
while expiry() < "2026-01-02" and time.monotonic() < over:
    time.sleep(0.05)
print("then", expiry(), flush=True)
sys.exit(subprocess.call([sys.executable, "-m", "scripts.endpoints", "sweep-orphans", "--yes", "--journal", "elsewhere"]))
"""


def test_while_a_run_goes_on_its_endpoint_does_not_expire_and_no_sweep_elsewhere_takes_it(
    user, client, capfd, monkeypatch
):
    monkeypatch.setattr(renewal, "PARTS", 600)  # of a minute: 0.1 s
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-c", EXPIRES, str(LONGEST_S)]
    assert main(["run", "--every", "0.3", written(user, expires_after="1m"), "--", *command]) == 0
    told = capfd.readouterr()
    words = told.out.split()
    assert "2026-01-01" not in words[words.index("then") + 1] and "no orphans in us-east-1" in told.out
    assert "until it expires, " in told.err and ", which is put off while it is in use" in told.err
    assert "expiry is not put off" not in told.err and there(client) == []


def test_an_endpoint_that_somebody_deletes_while_it_is_in_use_is_told_and_another_of_its_name_is_left_alone(
    user, client, capfd, monkeypatch
):
    """As `put_off` sees it, by the tag of its run."""
    monkeypatch.setattr(renewal, "PARTS", 600)
    assert main(["deploy", "--every", "0.3", written(user)]) == 0
    said, mine = [], plan(written(user, expires_after="1m"))  # another deployment than the one that is there
    [row] = client.list_endpoints()["Endpoints"]
    before = client.list_tags(ResourceArn=row["EndpointArn"])
    with renewal.put_off(Control("us-east-1"), mine, said.append):
        until(lambda: said, "it is told")
    assert said == [
        "endpoint chat: is gone while it is in use, or another's by now; see python -m scripts.endpoints list"
    ]
    assert client.list_tags(ResourceArn=row["EndpointArn"])["Tags"] == before["Tags"]
    assert main(["delete", "--every", "0.3", "chat"]) == 0 and there(client) == []


def test_an_expiry_that_cannot_be_put_off_is_said_once_with_why_and_tried_again(user, monkeypatch):
    monkeypatch.setattr(renewal, "PARTS", 600)
    said, tries, mine = [], [], plan(written(user, expires_after="1m"))

    class Refusing(Control):
        def call(self, operation, **parameters):
            tries.append(operation)
            if len(tries) > 3:
                raise BadInput("nobody answers; mend it")
            raise Refused(operation, "AccessDeniedException", "not authorized")

    with renewal.put_off(Refusing("us-east-1"), mine, said.append):
        until(lambda: len(tries) > 5, "it is tried again")
    [line] = said
    assert line.startswith("endpoint chat: its expiry is not put off, which is tried again; it is 20")
    assert line.endswith("Z: DescribeEndpoint: AWS refuses (AccessDeniedException: not authorized); allow the action to whom "
                         "the credentials belong: scripts/endpoints/README.md lists all of them")  # fmt: skip


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
