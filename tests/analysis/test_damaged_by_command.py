"""What else reads run folders (`merge`, `calibrate`, `cost`) on damaged manifests: an exit code and one line, no traceback."""

import json
import pathlib
import shutil

import pytest

from analysis.__main__ import main
from analysis.calibration.truth_log import COLUMNS
from locustfiles.contract.spool import Spool, write_spool
from tests.analysis.test_damaged_folders import GONE, changed, folder_of, places
from tests.helpers.emulator_process import ROOT
from tests.helpers.made_run import record

NESTED = "[" * 100_000


@pytest.fixture
def given(tmp_path):
    """(run folder, the arguments of each command that reads it)"""
    folder = folder_of(tmp_path / "r")
    rows = [record(20 + n, 0.4, worker="x", call=n + 1).row() for n in range(2)]
    spool = write_spool(tmp_path, Spool("r", "x", 0, 2, rows))
    truth = [dict.fromkeys(COLUMNS, 1.0) | {"request_id": f"r{n}", "arrival": 0.5 * n} for n in range(40)]
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(row) + "\n" for row in truth))
    for kind in ("stats", "stats_history"):
        shutil.copy(ROOT / f"tests/data/locust_csv/local_{kind}.csv", folder / f"locust_{kind}.csv")
    return folder, {
        "merge": ["merge", str(folder), str(spool)],
        "calibrate": ["calibrate", str(folder), "--truth", str(tmp_path / "truth.jsonl")],
        "cost": ["cost", "--locust-csv", f"{folder / 'locust'}:1"],
    }


@pytest.mark.parametrize("command", ["merge", "calibrate", "cost"])
def test_no_command_ends_in_a_traceback_on_a_damaged_manifest(given, capsys, command):
    folder, arguments = given
    manifest, records = ((folder / name).read_bytes() for name in ("manifest.json", "requests.csv"))
    spool = arguments["merge"][2]
    rows = pathlib.Path(spool).read_bytes()
    codes = set()
    documents = [
        changed(json.loads(manifest), path, to) for path in places(json.loads(manifest)) for to in (GONE, None, "x", [])
    ]
    for document in [manifest.decode(), NESTED, *documents[:: 11 if command == "calibrate" else 3]]:
        (folder / "manifest.json").write_text(document)
        (folder / "requests.csv").write_bytes(records)
        pathlib.Path(spool).write_bytes(rows)
        code = main(arguments[command])
        said = capsys.readouterr().err
        assert code in (0, 1, 2) and "Traceback" not in said
        assert code != 1 or said.count("\n") == 1, said
        codes.add(code)
    assert 1 in codes or command == "cost"  # which reads nothing but the targets' names
    assert codes != {1}  # the sound one, and what a run may have
