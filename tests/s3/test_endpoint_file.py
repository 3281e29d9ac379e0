"""What an endpoint cost that was there for a run alone, where the run is in S3: it is there as soon as it is known, and kept here in any case."""

import argparse
import json
import pathlib
import shutil
import sys

import pytest

import analysis.__main__
from analysis.cost.endpoint_cost import read
from analysis.runs.from_s3 import run_with_copies
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.endpoint_file import FILE
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.s3.lease import Lease
from locustfiles.contract.s3.stored import stored_in
from locustfiles.contract.s3.upload import Upload
from scripts.endpoints.__main__ import main
from scripts.endpoints.run_place import Place, note, place_of
from tests.analysis.test_endpoint_cost import LIFE
from tests.helpers.control_plane import running_plane, variables, written
from tests.helpers.emulator_process import ROOT
from tests.helpers.made_run import made_run, steady, window
from tests.helpers.s3_server import gone, objects

SAID: list[str] = []


def finished(path: pathlib.Path, **more) -> pathlib.Path:
    return made_run(path, steady(1, 0, 60, 2, 1.0), [window(1, 0, 60)], **more)


@pytest.fixture
def place(front, address):
    """A run that has ended and is all in S3, as the load test leaves it."""
    SAID.clear()
    assert analysis.__main__.main(["upload", str(finished(address.copy)), str(address)]) == 0
    return Place(address.copy, address)


def seen_elsewhere(address, tmp_path, monkeypatch) -> list[str]:
    """Endpoints of the run, as a report has them on a machine of its own."""
    monkeypatch.setenv("SWARMLEDGER_COPIES", str(tmp_path / "elsewhere"))
    return seen(address, monkeypatch)


def seen(address, monkeypatch) -> list[str]:
    found: list[str] = []

    def reading(args: argparse.Namespace) -> int:
        found.extend(life.endpoint for life in read(pathlib.Path(args.runs[0])))
        return 0

    assert run_with_copies(argparse.Namespace(command="report", runs=[str(address)], run=reading)) == 0
    monkeypatch.delenv("SWARMLEDGER_COPIES", raising=False)
    return found


def test_it_is_sent_to_s3_and_a_second_parts_beside_it(place, tmp_path, monkeypatch):
    note(place, LIFE, SAID.append)
    assert SAID[-1].startswith(f"{place.address}: all of {place.folder} is there (")
    assert seen_elsewhere(place.address, tmp_path, monkeypatch) == ["p4d"]
    note(place, LIFE, SAID.append)
    assert seen_elsewhere(place.address, tmp_path, monkeypatch) == ["p4d", "p4d"]


def test_where_s3_does_not_answer_it_is_kept_here_and_the_command_that_sends_it_is_named(
    front, place, tmp_path, monkeypatch, capsys
):
    note(place, LIFE, SAID.append)  # of its first part
    shutil.rmtree(place.folder)
    assert seen(place.address, monkeypatch) == ["p4d"]  # a copy of S3's, as on a machine that has reported the run
    front.fault = gone
    note(place._replace(encryption="aws:kms"), LIFE, SAID.append)
    front.fault = None
    send = f"python -m analysis upload {place.folder} {place.address} --encryption aws:kms"
    err = capsys.readouterr().err
    assert err.startswith(f"error: {place.address}: S3 cannot be reached (") and err.count("\n") == 1
    assert err.endswith(f"{FILE}, by which reports know what the endpoint cost, is in {place.folder} alone: {send}\n")
    assert len(json.loads(objects(front.url, place.address.prefix)[FILE])["endpoints"]) == 1
    assert seen(place.address, monkeypatch) == ["p4d", "p4d"]  # what S3 has does not come in its place
    assert analysis.__main__.main(send.split()[3:6]) == 0
    assert seen_elsewhere(place.address, tmp_path, monkeypatch) == ["p4d", "p4d"]


def test_of_a_run_that_was_not_all_sent_the_rest_is_sent_with_it(front, address):
    SAID.clear()
    path = finished(address.copy)
    note(Place(path, address), LIFE, SAID.append)
    found = objects(front.url, address.prefix)
    assert (
        found["manifest.json"] == (path / "manifest.json").read_bytes()
        and len(json.loads(found[FILE])["endpoints"]) == 1
    )


def test_another_run_there_is_not_touched(front, address, place, tmp_path, capsys):
    shutil.rmtree(place.folder)
    finished(place.folder, run_id="another")
    before = objects(front.url, address.prefix)
    note(place, LIFE, SAID.append)
    assert "already holds another run than" in capsys.readouterr().err
    lease = {"lease.json": b""}
    assert objects(front.url, address.prefix) | lease == before | lease


def test_a_command_that_was_refused_leaves_nothing(front, address, capsys):
    note(Place(address.copy, address), LIFE, SAID.append)
    assert not address.copy.exists() and front.asked == [] and capsys.readouterr().err == ""
    address.copy.mkdir(parents=True)
    note(Place(address.copy, address), LIFE, SAID.append)
    assert front.asked == []


def test_a_run_that_replaces_another_does_not_have_its_endpoint(front, place, bucket, tmp_path, monkeypatch):
    """Nothing can be deleted there."""
    note(place, LIFE, SAID.append)
    RunFolder(place.folder).create(overwrite=True)
    finished(place.folder, run_id="second")
    lease = Lease(bucket, "b")
    lease.take(lambda _: None, SAID.append)
    upload = Upload(bucket, lease, place.folder, stored_in(bucket))
    upload.round()
    upload.others()
    lease.release()
    assert seen_elsewhere(place.address, tmp_path, monkeypatch) == []
    note(place, LIFE, SAID.append)
    assert seen_elsewhere(place.address, tmp_path, monkeypatch) == ["p4d"]


@pytest.mark.parametrize("way", ["option", "with =", "variable"])
def test_the_place_is_read_of_the_commands_options_or_of_their_variables(front, address, monkeypatch, way):
    named = {"--run-dir": str(address), "--run-encryption": "AES256"}
    command = ["locust"]
    for option, value in named.items():
        if way == "variable":
            monkeypatch.setenv(f"SWARMLEDGER_{option[2:].upper().replace('-', '_')}", value)
        command += {"option": [option, value], "with =": [f"{option}={value}"], "variable": []}[way]
    assert place_of(command) == Place(address.copy, address, "AES256")
    assert place_of([*command, "--run-dir", "runs/my"]) == Place(pathlib.Path("runs/my"))
    with pytest.raises(BadInput, match="--run-dir s3://load-tests: needs a place in the bucket"):
        place_of([*command, "--run-dir=s3://load-tests"])


def test_a_command_with_an_endpoint_of_its_own_has_it_in_s3(front, address, tmp_path, monkeypatch, capsys):
    """The command stands for a load test: it leaves a run folder, of which nothing is in S3 yet."""
    code = "import sys; from tests.s3.test_endpoint_file import *; from locustfiles.contract.s3.address import address_of; finished(address_of(sys.argv[2], '').copy)"
    with running_plane() as e:
        for name, value in variables(e.url, tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        command = ["--", sys.executable, "-c", code, "--run-dir", str(address)]
        assert main(["run", "--every", "0.05", written(tmp_path), *command]) == 0
        assert main(["run", written(tmp_path), "--", sys.executable, "--run-dir", "s3://x"]) == 1
    assert "--run-dir s3://x: names no bucket of S3" in capsys.readouterr().err
    [life] = json.loads(objects(front.url, address.prefix)[FILE])["endpoints"]
    assert life["endpoint"] == "chat" and life["usd"] > 0 and not list((tmp_path / "journals").iterdir())
