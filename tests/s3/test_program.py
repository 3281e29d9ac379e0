"""The process beside a load test, by its pipes, and what it does through outages and at an end without S3; the command that sends the rest."""

import argparse
import contextlib
import csv
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

import analysis.__main__
from analysis.runs.from_s3 import run_with_copies
from locustfiles.contract.s3 import sending as sendings
from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.lease import Lease
from locustfiles.contract.s3.sending import Sending
from locustfiles.contract.s3.stored import stored_in
from locustfiles.contract.s3.upload import Upload
from locustfiles.contract.spool import Spool, write_spool
from tests.helpers.emulator_process import ROOT
from tests.helpers.made_run import made_run, steady, window
from tests.helpers.proxies import KEY
from tests.helpers.s3_server import gone, joined, objects, refused


@contextlib.contextmanager
def program(address):
    command = [sys.executable, "-P", "-m", "locustfiles.contract.s3", str(address), "holder", ""]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, env=env, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process, **told) -> None:
    process.stdin.write(f"{json.dumps(told)}\n")
    process.stdin.flush()


def ask(process, **told) -> tuple[dict, list[str]]:
    """The answer, and what was said before it."""
    tell(process, **told)
    said = []
    while "say" in (answer := json.loads(process.stdout.readline())) or "warn" in answer:
        said.append(answer.get("say") or answer["warn"])
    return answer, said


@pytest.fixture
def run(tmp_path) -> pathlib.Path:
    return made_run(tmp_path / "study", steady(1, 0, 60, 2, 1.0), [window(1, 0, 60)])


@pytest.fixture
def bucket(front, address):
    return Bucket(address)


def sending_of(run: pathlib.Path, bucket: Bucket, warned: list[str], said: list[str]) -> Sending:
    lease = Lease(bucket, "a")
    lease.take(time.sleep, print)
    return Sending(lease, Upload(bucket, lease, run, stored_in(bucket)), warned.append, said.append)


def test_a_load_test_that_is_killed_leaves_all_of_its_folder_and_no_lease(front, address, run):
    with program(address) as process:
        assert ask(process, do="open", mode="begin", folder="copy") == ({"opened": True, "resume": False}, [])
        tell(process, do="follow", folder=str(run))
        process.stdin.close()
        assert process.wait(60) == 0, process.stderr.read()
    assert joined(front.url, address.prefix) == (run / "requests.csv").read_bytes()
    found = objects(front.url, address.prefix)
    assert found["manifest.json"] == (run / "manifest.json").read_bytes()
    assert json.loads(found["lease.json"])["holder"] == ""
    assert KEY.encode() not in b"".join(found.values())
    with program(address) as process:
        answer, _ = ask(process, do="open", mode="begin", folder="copy")
        assert (
            answer["error"]
            == f"{address}: already holds a run; choose another --run-dir, or add --resume or --overwrite"
        )
        answer, said = ask(process, do="open", mode="resume", folder="copy")
        assert answer == {"opened": True, "resume": True} and "bytes fetched to copy" in said[0]
    assert pathlib.Path("copy/requests.csv").read_bytes() == (run / "requests.csv").read_bytes()


def test_an_address_that_cannot_be_written_is_told_before_anything_is_sent(front, address):
    front.fault = lambda asked: refused(403, "AccessDenied")(asked) if asked.method == "PUT" else None
    with program(address) as process:
        answer, _ = ask(process, do="open", mode="begin", folder="copy")
    assert answer["error"].startswith(f"{address}: s3:PutObject is not allowed (AccessDenied); allow s3:PutObject")
    front.fault = lambda asked: refused(403, "AccessDenied")(asked) if asked.key.endswith("manifest.json") else None
    with program(address) as process:
        answer, _ = ask(process, do="open", mode="begin", folder="copy")
    assert answer["error"].endswith("allow s3:GetObject on it and s3:ListBucket on the bucket to this role")


def test_a_server_that_keeps_no_two_apart_is_told_of(front, address):
    for dropped, warned in (
        (set(), []),
        (
            {"if-none-match", "if-match"},
            [f"{address}: the server ignores conditions (If-None-Match); let no other run write there"],
        ),
    ):
        front.dropped = dropped
        with program(address) as process:
            answer, said = ask(process, do="open", mode="begin", folder="copy")
            assert (answer, said) == ({"opened": True, "resume": False}, warned)
            process.stdin.close()
            assert process.wait(60) == 0


def test_an_outage_is_told_once_and_what_was_measured_meanwhile_follows(front, bucket, run, monkeypatch):
    monkeypatch.setattr(sendings, "AGAIN_S", 0.01)
    monkeypatch.setattr(sendings, "SELDOM_S", 0.01)
    monkeypatch.setattr(sendings, "EVERY_S", 0.0)
    warned, said = [], []
    sending = sending_of(run, bucket, warned, said)
    sending.look()
    with open(run / "requests.csv", "a") as file:
        file.write("meanwhile\n")
    front.fault = refused(503, "SlowDown")
    for _ in range(3):
        sending.look()
        time.sleep(0.02)
    assert warned == [
        f"{bucket.address}: S3 asks to go slower (SlowDown); the run goes on in {run} and is sent later; try again in a while"
    ]
    front.fault = refused(400, "ExpiredToken")
    sending.look()
    assert len(warned) == 2 and "renew them" in warned[1]
    front.fault = None
    time.sleep(0.02)
    sending.look()
    assert len(said) == 1 and " takes the run again after " in said[0]
    assert joined(front.url, bucket.address.prefix) == (run / "requests.csv").read_bytes()


def test_what_is_not_sent_at_the_end_is_sent_by_the_command_that_is_named(front, bucket, run, monkeypatch, capsys):
    monkeypatch.setattr(sendings, "GIVE_UP_S", 0.2)
    sending = sending_of(run, bucket, [], [])
    front.fault = lambda asked: gone(asked) if asked.key.endswith("manifest.json") else None
    waited: list[float] = []
    left = sending.finish(lambda seconds: bool(waited.append(seconds)) or len(waited) < 3)
    assert left == "S3 cannot be reached (ConnectionClosedError); check the network, AWS_ENDPOINT_URL_S3 and the proxy"
    assert "manifest.json" not in objects(f"http://{front.behind.netloc}", bucket.address.prefix)
    front.fault = None
    sending._lease.release()
    assert analysis.__main__.main(["upload", str(run), str(bucket.address)]) == 0
    assert "all of" in capsys.readouterr().out
    front.asked.clear()
    assert analysis.__main__.main(["upload", str(run), str(bucket.address)]) == 0
    assert {key.rpartition("/")[2] for key in front.written} == {"lease.json"}  # nothing twice
    other = made_run(run.with_name("other"), steady(1, 0, 9, 1, 1.0), [window(1, 0, 9)])
    assert analysis.__main__.main(["upload", str(other), str(bucket.address)]) == 1
    assert "already holds another run than" in capsys.readouterr().err


def test_commands_take_addresses_for_runs_and_send_back_what_they_add(front, bucket, run, capsys, monkeypatch):
    main, address = analysis.__main__.main, bucket.address
    assert main(["gate", str(address)]) == 1
    assert capsys.readouterr().err.endswith(
        f"error: {address}: no run is there, it has no manifest.json; give the address named by --run-dir\n"
    )
    assert main(["upload", str(run), str(address)]) == 0
    monkeypatch.setenv("SWARMLEDGER_WATCH_NICE", "0")  # else all tests behind this one give way
    assert main(["watch", str(address), "--once"]) == 0
    assert "p4d" in capsys.readouterr().out
    assert main(["compare", str(address), str(run)]) == 1  # a run beside its copy
    assert "holds the same run as" in capsys.readouterr().err
    assert main(["import", "table", "a.csv", "--run-dir", str(address)]) == 1
    assert "--run-dir: import writes a folder of this machine; give its path" in capsys.readouterr().err

    rows = list(csv.reader((run / "requests.csv").read_text().splitlines()))
    theirs = ["w9" if name == "worker" else cell for name, cell in zip(rows[0], rows[-1], strict=True)]
    kept = write_spool(run.parent, Spool(run.name, "w9", 0, 1, [theirs]))
    assert main(["merge", str(address), str(kept)]) == 0
    added = (address.copy / "requests.csv").read_bytes()
    assert added.startswith((run / "requests.csv").read_bytes()) and added.count(b",w9,") == 1
    assert joined(front.url, address.prefix) == added
    there, seen = address.beside("reports"), []

    def report(args: argparse.Namespace) -> int:
        seen.append((args.runs, args.baseline))
        out = pathlib.Path(args.out, "tables")
        out.mkdir(parents=True)
        (out / "a.csv").write_text("a\n")
        return 3

    asked = {"command": "report", "runs": [str(address), "plain"], "baseline": str(address), "out": str(there)}
    assert run_with_copies(argparse.Namespace(**asked, run=report)) == 3
    assert seen == [([str(address.copy), "plain"], str(address.copy))]
    assert objects(front.url, there.prefix) == {"tables/a.csv": b"a\n"}
