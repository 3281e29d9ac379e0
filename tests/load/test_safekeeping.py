"""Where records go when their folder fails: back to where they were, beside it, or to spools that the next part takes up."""

import dataclasses
import shutil

import pytest

from locustfiles.common.recording.delivery import Account
from locustfiles.common.recording.safekeeping import Safekeeping
from locustfiles.common.recording.take_up import forget_manifest, keep_manifest, take_up
from locustfiles.contract import spool as spools
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import Kept, Part, Problem, WorkerEntry
from locustfiles.contract.merging import merge
from locustfiles.contract.requests_file import Displaced
from locustfiles.contract.row_counts import rows_by_stage
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.run_parts import manifest, record

RUN = "0123456789abcdef"


def begun(folder: RunFolder, run_id: str = RUN, **more):
    made = manifest(run_id=run_id, parts=[Part(run_id, 1.0, None, "running", rows=3)], **more)
    folder.write_manifest(made)
    return made


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A run's folder with three records."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    folder = RunFolder(tmp_path / "run")
    folder.create()
    begun(folder)
    made = Safekeeping(folder, RUN, spools.hold(folder.path), append=False)
    for number in (1, 2, 3):
        made.requests.add(record(number))
    made.flush()
    yield made
    made.close()


def settled(files) -> str:
    with pytest.raises(Displaced) as e:
        files.flush()
    return files.settle(e.value)


def test_a_folder_that_was_removed_is_there_again(files, tmp_path):
    shutil.rmtree(tmp_path / "run")
    assert settled(files) == (
        f"{tmp_path}/run/requests.csv was removed while the run wrote to it: the run stops, all that it had is there again"
    )
    assert rows_by_stage(tmp_path / "run" / "requests.csv") == {1: 3}
    with pytest.raises(
        BadInput, match="being written by a run that still goes on"
    ):  # the new folder is held, as the old one was
        spools.hold(tmp_path / "run")


def test_a_folder_that_was_moved_is_gone_on_in_where_it_is(files, tmp_path):
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert settled(files).endswith(f"the run stops, all that it had is in {tmp_path}/elsewhere")
    assert files.folder.path == tmp_path / "elsewhere" and not (tmp_path / "run").exists()
    assert rows_by_stage(files.folder.requests) == {1: 3}


@pytest.mark.parametrize("same_folder", [True, False])
def test_another_runs_folder_is_left_alone_and_ours_is_kept_beside_it(files, tmp_path, same_folder):
    """Where locks do not work, another run may have begun in the very folder; else the folder is a new one."""
    if same_folder:
        files.folder.requests.unlink()
    else:
        shutil.rmtree(tmp_path / "run")
        (tmp_path / "run").mkdir()
    theirs = RunFolder(tmp_path / "run")
    begun(theirs, "another")
    theirs.requests.write_text("theirs")
    assert settled(files).endswith(f"all that it had is in {tmp_path}/run-kept-01234567")
    assert theirs.requests.read_text() == "theirs" and theirs.read_manifest().run_id == "another"
    assert rows_by_stage(tmp_path / "run-kept-01234567" / "requests.csv") == {1: 3}


def test_a_file_that_stands_where_ours_was_is_put_aside_and_not_removed(files, tmp_path):
    files.folder.requests.unlink()
    files.folder.requests.write_text("whose?")
    settled(files)
    assert (tmp_path / "run" / "requests.not-of-this-run-1.csv").read_text() == "whose?"
    assert rows_by_stage(files.folder.requests) == {1: 3}


def test_where_nothing_can_be_put_beside_it_a_temporary_folder_holds_the_run(files, tmp_path):
    shutil.rmtree(tmp_path / "run")
    for name in ("run", "run-kept-01234567"):
        (tmp_path / name).write_text("a file")  # no folder can be there
    assert settled(files).endswith(f"all that it had is in {tmp_path}/temporary/swarmledger-run-{RUN}")
    assert rows_by_stage(files.folder.requests) == {1: 3}


def unwritten(files) -> None:
    """Records 4 and 5 of worker w, which the disk does not take."""
    for number in (4, 5):
        files.requests.add(record(number))


def test_what_is_not_written_is_spooled_and_removed_when_it_is(files, tmp_path):
    unwritten(files)
    assert files.unwritten() == {1: 2}
    files.keep({"w": Account(received=5)})
    (kept,) = files.kept
    assert kept == Kept("w", 5, f"{tmp_path}/temporary/swarmledger-spool-{RUN}-w-kept.csv")
    spool = spools.read_spool(kept.file)
    assert (spool.first, spool.produced, len(spool.rows)) == (3, None, 2)
    files.keep({"w": Account(received=5, produced=5)})  # now it is known that these are all
    assert spools.read_spool(kept.file).produced == 5
    files.flush()
    files.keep({"w": Account(received=5, produced=5)})
    assert files.kept == [] and not list((tmp_path / "temporary").iterdir())


def test_the_next_part_takes_up_what_was_kept_though_the_manifest_does_not_name_it(files, tmp_path):
    unwritten(files)
    files.keep({"w": Account(received=5, produced=5)})
    (said,) = take_up(files.folder)
    assert "2 records of worker w added, 0 were in the run already; the run has 5 of its 5" in said
    assert rows_by_stage(files.folder.requests) == {1: 5}
    after = files.folder.read_manifest()
    assert (after.parts[0].rows, after.workers) == (5, [WorkerEntry("w", "", None, 5, 5, 0, RUN)])
    assert not list((tmp_path / "temporary").iterdir()) and take_up(files.folder) == []


def test_what_is_told_of_kept_records_goes_when_all_of_them_are_in_the_run(files, tmp_path):
    unwritten(files)
    files.keep({"w": Account(received=5, produced=5)})
    made = begun(
        files.folder, problems=[Problem("2 records are not in it", [1], kept_of=RUN), Problem("the disk was full", [])]
    )
    made.parts[0].kept = [*files.kept, Kept("x", 7, str(tmp_path / "gone.csv"))]
    files.folder.write_manifest(made)
    said = take_up(files.folder)
    assert len(said) == 2 and "records of the run are missing" in said[1] and "gone.csv" in said[1]
    after = files.folder.read_manifest()
    assert [k.worker for k in after.parts[0].kept] == ["x"] and len(after.problems) == 2  # x's are still missing
    worker_x = spools.Spool(RUN, "x", 0, 7, [dataclasses.replace(record(n, "x"), stage=2).row() for n in range(1, 8)])
    merge(files.folder, worker_x)
    assert [p.text for p in files.folder.read_manifest().problems] == ["the disk was full"]


def test_a_manifest_that_its_folder_does_not_take_is_kept_and_taken_up_unless_a_later_one_is_there(files, tmp_path):
    made = begun(files.folder)
    made.status = "stopped"
    said = keep_manifest(files.folder, made, OSError(28, "No space left on device"))
    file = tmp_path / "temporary" / f"swarmledger-manifest-{RUN}.json"
    assert f"what it should say is in {file}" in said
    assert "was kept for it" in take_up(files.folder)[0]
    assert files.folder.read_manifest() == made and not file.exists()
    keep_manifest(files.folder, made, OSError(28, "No space left on device"))
    made.parts[0].ended_at, made.status = 9.0, "complete"
    files.folder.write_manifest(made)  # there was room in the end
    assert take_up(files.folder) == [] and files.folder.read_manifest().status == "complete"
    forget_manifest(RUN)
    assert not file.exists()


@pytest.mark.parametrize(
    ("left", "why"),
    [(b"{", "cannot be read"), (b"[" * 10**5, "cannot be read"), (b"\xff", "cannot be read"), (b'{"parts": []}', "cannot be read"),
     (b'{"parts": [{"run_id": "another"}]}', "it is of the part `another`")],
)  # fmt: skip
def test_a_kept_manifest_that_cannot_be_taken_up_is_said_and_left(files, tmp_path, left, why):
    made = begun(files.folder)
    keep_manifest(files.folder, made, OSError(28, "No space left on device"))
    file = tmp_path / "temporary" / f"swarmledger-manifest-{RUN}.json"
    file.write_bytes(left)
    before = files.folder.manifest.read_bytes()
    (said,) = take_up(files.folder)
    assert said.startswith(str(file)) and why in said and "measured again" in said and "\n" not in said
    assert (files.folder.manifest.read_bytes(), file.read_bytes()) == (before, left)
