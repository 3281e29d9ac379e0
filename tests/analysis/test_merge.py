"""Records that a worker kept when it had lost its master: each is added once, and the report follows."""

import dataclasses
import logging
import pathlib

import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.runs.run_reader import load_run
from locustfiles.common.recording.delivery import Outbox
from locustfiles.contract import spool as spools
from locustfiles.contract.manifest import Part, Problem, WorkerEntry, WorkerLoad
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.spool import NotASpool, Spool, SpoolFile, missing, read_spool, write_spool
from tests.helpers.flat import steps
from tests.helpers.made_run import START, made_run, steady, window

HAD = 40  # what the master had of the lost worker's records
SENT = 60
BOTH = [WorkerLoad("a", 0.1, 1.0), WorkerLoad("b", 0.1, 1.0)]


def numbered(worker: str, count: int) -> list:
    """`count` records of 0.5 s, one after the other from 10 s on: `count / 2` seconds of one user."""
    records = steady(1, 10, 10 + count / 2, 1, 0.5, worker=worker)[:count]
    return [dataclasses.replace(r, call=n, prompt_id=f"{worker}{n}", users=2) for n, r in enumerate(records, start=1)]


@pytest.fixture
def lost(tmp_path):
    """(run folder, worker b's records) of a run of 30 s in which b sent 60 records, of which 40 arrived."""
    a, b = numbered("a", SENT), numbered("b", SENT)
    stage = window(1, 10, 40, users=2, workers=BOTH, whole=False)
    workers = [WorkerEntry("a", "h", 0.0, SENT, SENT, 0), WorkerEntry("b", "h", 0.0, None, HAD, None)]
    path = made_run(tmp_path / "run", a + b[:HAD], [stage], workers=workers)
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    manifest.problems = [Problem(missing("b", HAD, None), [1])]
    folder.write_manifest(manifest)
    return path, b


def kept(
    folder: pathlib.Path, records: list, first: int, produced: int | None = SENT, run: str = "run"
) -> pathlib.Path:
    return write_spool(folder, Spool(run, "b", first, produced, [r.row() for r in records[first:]]))


def state(path: pathlib.Path) -> dict[str, bytes]:
    return {name: (path / name).read_bytes() for name in ("requests.csv", "manifest.json")}


def test_only_what_the_run_does_not_have_is_added_and_the_verdict_follows(lost, tmp_path, capsys):
    path, records = lost
    assert steps(analyse([path]))["verdict"].tolist() == ["INVALID"]
    file = kept(tmp_path, records, first=30)  # ten of its rows had arrived: their acknowledgements were lost
    assert main(["merge", str(path), str(file)]) == 0
    assert (
        "20 records of worker b added, 10 were in the run already; the run has 60 of its 60" in capsys.readouterr().out
    )
    run = load_run(path)
    assert len(run.records) == 2 * SENT and run.lost == []
    assert sorted(run.records.query("worker == 'b'")["call"]) == list(range(1, SENT + 1))
    manifest = run.manifest
    assert manifest.problems == []
    assert manifest.workers[1] == WorkerEntry("b", "h", 0.0, SENT, SENT, 0)
    assert manifest.stages[0].whole  # both workers were there at its end
    assert steps(analyse([path]))["verdict"].tolist() == ["VALID"]


def test_merging_twice_changes_nothing_and_says_so(lost, tmp_path, capsys):
    path, records = lost
    file = kept(tmp_path, records, first=HAD)
    main(["merge", str(path), str(file)])
    before = state(path)
    capsys.readouterr()
    for _ in range(2):
        assert main(["merge", str(path), str(file)]) == 0
        assert capsys.readouterr().out == f"{file}: nothing to add: all 20 records are in the run already\n"
    assert state(path) == before


def test_a_worker_that_was_gone_before_the_stages_end_leaves_a_problem_though_its_records_are_here(lost, tmp_path):
    path, records = lost
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    manifest.stages[0].workers = BOTH[:1]
    folder.write_manifest(manifest)
    main(["merge", str(path), str(kept(tmp_path, records, first=HAD))])
    manifest = folder.read_manifest()
    (problem,) = manifest.problems
    assert problem.stages == [1] and "worker b was gone before the stage's end" in problem.text
    assert not manifest.stages[0].whole
    assert steps(analyse([path]))["verdict"].tolist() == ["INVALID"]


def test_a_torn_last_line_is_skipped_and_counted_and_its_record_stays_lost(lost, tmp_path, capsys):
    path, records = lost
    file = kept(tmp_path, records, first=HAD)
    file.write_bytes(file.read_bytes()[:-20])
    assert main(["merge", str(path), str(file)]) == 0
    assert (
        "19 records of worker b added, 0 were in the run already; 1 torn or damaged lines were skipped"
        in capsys.readouterr().out
    )
    manifest = RunFolder(path).read_manifest()
    assert (manifest.workers[1].received, manifest.workers[1].produced, manifest.workers[1].lost) == (59, 60, 1)
    assert [p.text for p in manifest.problems] == ["1 records of worker b were lost on the way to the master"]
    assert not manifest.stages[0].whole


def test_nothing_is_numbered_after_a_damaged_line(lost, tmp_path, capsys):
    path, records = lost
    file = kept(tmp_path, records, first=HAD)
    lines = file.read_text().splitlines(keepends=True)
    lines[5 + 4] = "1,b,cut\n"  # the fifth of its 20 rows
    file.write_text("".join(lines))
    main(["merge", str(path), str(file)])
    assert "4 records of worker b added, 0 were in the run already; 16 torn or damaged lines" in capsys.readouterr().out
    assert RunFolder(path).read_manifest().workers[1].received == HAD + 4


def test_a_spool_of_a_worker_that_was_still_sending_says_nothing_of_how_many_there_were(lost, tmp_path):
    path, records = lost
    main(["merge", str(path), str(kept(tmp_path, records, first=HAD, produced=None))])
    manifest = RunFolder(path).read_manifest()
    assert (manifest.workers[1].received, manifest.workers[1].produced) == (SENT, None)
    assert [p.text for p in manifest.problems] == [missing("b", SENT, None)]


def test_a_worker_of_a_killed_master_that_the_manifest_does_not_know_is_entered(lost, tmp_path):
    path, records = lost
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    manifest.workers, manifest.problems = manifest.workers[:1], []
    manifest.parts = [Part("first", START, None, "broken off"), Part("second", START, START + 9, "complete")]
    folder.write_manifest(manifest)
    main(["merge", str(path), str(kept(tmp_path, records, first=HAD, run="first"))])
    assert folder.read_manifest().workers[1] == WorkerEntry("b", "", None, SENT, SENT, 0, "first")
    assert len(load_run(path).records) == 2 * SENT


def test_a_torn_line_of_the_run_itself_is_cut_before_rows_are_added(lost, tmp_path):
    path, records = lost
    whole = (path / "requests.csv").read_bytes()
    (path / "requests.csv").write_bytes(whole[:-20])  # the 40th of b
    main(["merge", str(path), str(kept(tmp_path, records, first=HAD - 1))])
    assert sorted(load_run(path).records.query("worker == 'b'")["call"]) == list(range(1, SENT + 1))


def one_line(capsys) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


def test_a_spool_of_another_run_is_refused_and_none_of_the_others_is_merged(lost, tmp_path, capsys):
    path, records = lost
    good, other = kept(tmp_path, records, first=HAD), kept(tmp_path, records, first=HAD, run="elsewhere")
    before = state(path)
    assert main(["merge", str(path), str(good), str(other)]) == 1
    assert ": holds records of run elsewhere, not of" in one_line(capsys)
    assert state(path) == before


def test_files_that_are_no_spools_are_refused(lost, tmp_path, capsys):
    path, records = lost
    assert main(["merge", str(path), str(tmp_path / "none.csv")]) == 1
    assert "none.csv: cannot be read (No such file or directory)" in one_line(capsys)
    assert main(["merge", str(path), str(path / "requests.csv")]) == 1
    assert "requests.csv: no spool" in one_line(capsys)
    file = kept(tmp_path, records, first=HAD)
    file.write_text(file.read_text().replace("started_at,", "began_at,", 1))
    with pytest.raises(NotASpool, match="its header is not that of this version"):
        read_spool(file)


def test_a_run_that_still_goes_on_is_not_written_to(lost, tmp_path, capsys):
    path, records = lost
    held = spools.hold(path)
    before = state(path)
    assert main(["merge", str(path), str(kept(tmp_path, records, first=HAD))]) == 1
    assert ": being written by a run that still goes on" in one_line(capsys)
    assert state(path) == before
    spools.os.close(held)
    assert main(["merge", str(path), str(kept(tmp_path, records, first=HAD))]) == 0


def test_a_worker_writes_what_is_not_acknowledged_says_so_once_and_removes_it(lost, tmp_path, monkeypatch, caplog):
    _, records = lost
    monkeypatch.chdir(tmp_path)
    outbox, file = Outbox("run"), SpoolFile("runs/x")
    for record in records[:5]:
        outbox.add(record)
    outbox.acknowledge("run", 2)
    with caplog.at_level(logging.INFO, "swarmledger"):
        file.keep(outbox.spool("b", final=False))
        file.keep(outbox.spool("b", final=False))
        outbox.add(dataclasses.replace(records[5], error="server", error_message="two\nlines"))
        file.keep(outbox.spool("b", final=True))
        (path,) = tmp_path.glob("*spool*")
        found = read_spool(path)
        assert (found.run_id, found.worker, found.first, found.produced, found.skipped) == ("run", "b", 2, 6, 0)
        assert [row[spools.FIELDS.index("call")] for row in found.rows] == ["3", "4", "5", "6"]
        assert "two lines" in found.rows[-1]
        file.remove()
    assert not list(tmp_path.glob("*spool*"))
    first, last = [r.getMessage() for r in caplog.records]
    assert first.startswith("The master has not acknowledged 3 records") and first.endswith(
        f"python -m analysis merge runs/x {path}"
    )
    assert "is removed" in last


def test_a_full_disk_costs_one_line_and_what_was_there_stays(lost, tmp_path, monkeypatch, caplog):
    """/dev/full takes no byte, as a full disk."""
    _, records = lost
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(spools, "places", list)  # there is nowhere else
    outbox, file = Outbox("run"), SpoolFile("runs/x")
    outbox.add(records[0])
    file.keep(outbox.spool("b", final=False))
    (path,) = tmp_path.glob("*spool*")
    before = path.read_bytes()
    path.with_suffix(".tmp").symlink_to("/dev/full")
    outbox.add(records[1])
    with caplog.at_level(logging.INFO, "swarmledger"):
        file.keep(outbox.spool("b", final=False))
        path.with_suffix(".tmp").symlink_to("/dev/full")
        file.keep(outbox.spool("b", final=False))
    (line,) = caplog.records[-1:]
    assert [r.levelname for r in caplog.records].count("ERROR") == 1
    assert "2 records cannot be kept in" in line.getMessage() and "No space left on device" in line.getMessage()
    assert path.read_bytes() == before and line.exc_info is None


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["merge", "--help"])
    assert ended.value.code == 0
    assert "python -m analysis merge runs/study swarmledger-spool-" in capsys.readouterr().out


def test_a_merge_that_was_killed_before_it_said_so_is_counted_by_the_next_one(lost, tmp_path):
    """40 + 60 rows were counted, 20 are added, and the manifest of before is what the killed one leaves."""
    path, records = lost
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    manifest.parts = [Part("run", START, START + 60, "complete", produced=None, received=100, rows=100)]
    manifest.stages[0].records = 100
    folder.write_manifest(manifest)
    file, before = kept(tmp_path, records, first=HAD), folder.manifest.read_bytes()
    for _ in range(2):
        assert main(["merge", str(path), str(file)]) == 0
        after = folder.read_manifest()
        assert (after.parts[0].rows, after.stages[0].records) == (120, 120)
        assert load_run(path).lost == [] and load_run(path).manifest.problems == []
        folder.manifest.write_bytes(before)
