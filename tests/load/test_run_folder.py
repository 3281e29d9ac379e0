"""The run folder: what is written, what survives a crash, and what is refused."""

import csv
import dataclasses
import io
import json
import os
import subprocess

import pytest

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import Finding, Part, Problem, StageWindow, WorkerEntry, WorkerLoad
from locustfiles.contract.record import FIELDS
from locustfiles.contract.requests_file import RequestsFile
from locustfiles.contract.run_folder import FolderUsed, NotARun, RunFolder
from tests.helpers.run_parts import manifest, record


def rows(folder: RunFolder) -> list[list[str]]:
    text, _ = folder.requests_text()
    return list(csv.reader(io.StringIO(text.decode(), newline="")))[1:]


def written(tmp_path, n: int = 3) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    file = RequestsFile(folder.requests)
    for number in range(1, n + 1):
        file.add(record(number))
    file.close()
    return folder


def test_rows_are_on_the_disk_as_soon_as_they_are_flushed(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create()
    file = RequestsFile(folder.requests)
    assert folder.requests.read_text() == ",".join(FIELDS) + "\n"
    file.add(record(1))
    assert rows(folder) == []
    file.flush()
    assert rows(folder) == [record(1).row()]
    assert file.rows == 1
    file.close()


def test_a_torn_last_line_is_skipped_and_counted(tmp_path):
    folder = written(tmp_path)
    whole = folder.requests.read_bytes()
    assert folder.requests_text() == (whole, 0)
    for cut in (1, 10, len(record(3).row()[0]) + 2):
        folder.requests.write_bytes(whole[:-cut])
        text, torn = folder.requests_text()
        assert torn == 1
        assert [r[FIELDS.index("call")] for r in csv.reader(io.StringIO(text.decode()))] == ["call", "1", "2"]


@pytest.mark.parametrize("added", ["served_latency", "cache_write_1h_tokens"])
def test_rows_of_before_fields_were_added_are_read_with_these_empty_and_nothing_is_added_to_them(tmp_path, added):
    folder = written(tmp_path)
    fields = FIELDS.index(added)  # how many there were before
    old = b"".join(b",".join(line.split(b",")[:fields]) + b"\n" for line in folder.requests.read_bytes().splitlines())
    folder.requests.write_bytes(old + b"17000")  # torn, too
    assert folder.requests_text()[1] == 1
    assert rows(folder) == [record(number).row() for number in (1, 2, 3)]
    with pytest.raises(BadInput, match="requests.csv: another version began it, nothing can be added"):
        RequestsFile(folder.requests, append=True)
    assert folder.requests.read_bytes() == old + b"17000"
    folder.requests.write_bytes(b"\n".join(b",".join(line.split(b",")[1:]) for line in old.splitlines()) + b"\n")
    with pytest.raises(NotARun, match="its header is not that of this version"):
        folder.requests_text()


def test_a_line_break_inside_a_cell_does_not_make_two_lines(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create()
    file = RequestsFile(folder.requests)
    file.add(dataclasses.replace(record(1), error="client", error_message='a "quoted"\r\nmessage, in two\nlines'))
    file.close()
    assert folder.requests.read_bytes().count(b"\n") == 2  # the header and the row
    assert rows(folder)[0][FIELDS.index("error_message")] == 'a "quoted"  message, in two lines'


def test_a_used_folder_is_refused_and_overwriting_removes_the_old_run_alone(tmp_path):
    folder = written(tmp_path)
    folder.write_manifest(manifest())
    (folder.path / "locust_stats.csv").write_text("old")
    (folder.path / "notes.txt").write_text("mine")
    with pytest.raises(
        FolderUsed, match=": already holds a run; choose another --run-dir, or add --resume or --overwrite"
    ):
        folder.create()
    folder.create(overwrite=True)
    assert [p.name for p in folder.path.iterdir()] == ["notes.txt"]
    folder.create()  # a folder with other things in it is no run


@pytest.mark.parametrize("damage", ["a stage", "an abandoned stage", "a measured row", "no manifest", "another file"])
def test_only_a_run_that_never_came_to_a_stage_is_replaced_without_asking(tmp_path, damage):
    warmup = dataclasses.replace(record(1), phase="warmup")
    folder = RunFolder(tmp_path / "run")
    folder.create()
    file = RequestsFile(folder.requests)
    file.add(warmup)
    file.close()
    folder.write_manifest(manifest(status="failed"))
    folder.check_free()
    window = StageWindow(1, 1, "t", "p", 1, None, 1.0)
    if damage == "a stage":
        folder.write_manifest(manifest(stages=[window]))
    elif damage == "an abandoned stage":
        folder.write_manifest(manifest(abandoned=[window]))
    elif damage == "a measured row":
        file = RequestsFile(folder.requests, append=True)
        file.add(dataclasses.replace(warmup, phase="measure"))
        file.close()
    elif damage == "no manifest":
        folder.manifest.unlink()
    else:
        folder.manifest.write_text("{}")
    before = folder.requests.read_bytes()
    with pytest.raises(FolderUsed):
        folder.check_free()
    with pytest.raises(FolderUsed):
        folder.create()
    assert folder.requests.read_bytes() == before
    if damage == "no manifest":
        return
    folder.write_manifest(manifest(status="failed"))
    if damage != "a measured row":
        folder.create()
        assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize(
    ("of", "answer", "said"),
    [
        ("users", 1, "1 user keeps the limits, 5 do not: why"),
        ("users", 2, "2 users keep the limits, 5 do not: why"),
        ("rate", 1.0, "1 requests/s keep the limits, 5 do not: why"),
        ("users", None, "no level keeps the limits, 5 does not: why"),
    ],
)
def test_what_a_search_found_is_a_sentence(of, answer, said):
    assert Finding("t", "p", of, answer, 5, True, "why", {"5": ["missed"]}, [1]).text == said


def test_overwriting_removes_the_old_report_too(tmp_path):
    """An old report beside new records would be taken for theirs."""
    folder = written(tmp_path)
    folder.report.mkdir()
    (folder.report / "report.md").write_text("of the old run")
    (folder.report / "tables").mkdir()
    folder.create(overwrite=True)
    assert not folder.report.exists()


@pytest.mark.parametrize("text", ["", "started_at,wor", ",".join(FIELDS), ",".join(FIELDS) + "\n"])
def test_a_run_that_was_killed_at_its_folders_birth_can_be_started_again(tmp_path, text):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.requests.write_text(text)
    (folder.path / "manifest.tmp").write_text("{")
    folder.create()
    assert list(folder.path.iterdir()) == []
    folder.requests.write_text(",".join(FIELDS) + "\n1")  # a row was begun
    with pytest.raises(FolderUsed):
        folder.create()


def test_what_can_be_no_folder_is_one_line_with_its_reason(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "nowhere").symlink_to(tmp_path / "not there")
    for name, said in {
        "x" * 300: "cannot be written (File name too long); choose another --run-dir",
        "file": "is no folder; choose another --run-dir",
        "loop": "cannot be written (Too many levels of symbolic links); choose another --run-dir",
        "nowhere": "is a link to a folder that is not there; make that, or choose another --run-dir",
    }.items():
        for check in (RunFolder(tmp_path / name).check_name, RunFolder(tmp_path / name).check_free):
            with pytest.raises(BadInput) as e:
                check()
            assert str(e.value).endswith(said) and len(str(e.value)) < 250
        with pytest.raises(NotARun):
            RunFolder(tmp_path / name).read_manifest()


def test_a_folder_that_cannot_be_made_names_the_reason(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"file/run: cannot be written \(Not a directory\); choose another --run-dir"):
        RunFolder(tmp_path / "file" / "run").create()


def test_the_manifest_comes_back_as_it_was_written(tmp_path):
    folder = RunFolder(tmp_path)
    made = manifest(
        workers=[WorkerEntry("w", "h", -0.25, 3, 3, 0), WorkerEntry("x", "h", None, None, 1, None)],
        stages=[
            StageWindow(1, 1, "t", "p", 2, None, 10.5, 10.75, 11.0, workers=[WorkerLoad("w", 0.5, 1.25)], whole=True)
        ],
        abandoned=[StageWindow(2, 1, "t", "p", None, 1.5, 10.5)],
        findings=[
            Finding(
                "t", "p", "users", 3, 4, True, "above it the limits are missed", {"3": ["met"], "4": ["missed"]}, [1, 2]
            )
        ],
        problems=[Problem("a worker is gone", [1]), Problem("the disk was full")],
        parts=[Part("r", 1.0, None, "running")],
    )
    folder.write_manifest(made)
    assert folder.read_manifest() == made
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]  # no draft is left


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda f: None, ": no run folder, it has no manifest.json; give the folder named by --run-dir"),
        (lambda f: f.manifest.write_text('{"name": "n"'), "cannot be read"),
        (lambda f: f.manifest.write_text("[]"), "cannot be read"),
        (lambda f: f.manifest.write_text("{}"), "cannot be read"),
        (
            lambda f: f.write_manifest(manifest(schema=99)),
            ": its schema is 99, this version reads 2; use the version that wrote it",
        ),
        (lambda f: f.manifest.write_text(json.dumps(dataclasses.asdict(manifest()) | {"more": 1})), "cannot be read"),
    ],
)
def test_a_folder_that_is_no_run_says_why(tmp_path, make, said):
    folder = RunFolder(tmp_path)
    make(folder)
    with pytest.raises(NotARun) as e:
        folder.read_manifest()
    assert said in str(e.value) and "\n" not in str(e.value)


def test_requests_of_another_version_and_a_missing_file_are_refused(tmp_path):
    folder = RunFolder(tmp_path)
    with pytest.raises(NotARun, match=": no requests.csv in it, nothing was sent; give another run"):
        folder.requests_text()
    folder.requests.write_text("a,b\n1,2\n")
    with pytest.raises(NotARun, match="its header is not that of this version"):
        folder.requests_text()


def test_a_full_disk_loses_nothing_that_was_not_written_yet(tmp_path):
    """A file system of one page more than the header; when there is room again, the rest follows where it stopped."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        filler = disk / "filler"
        filler.write_bytes(b"x" * 8192)
        file = RequestsFile(disk / "requests.csv")
        for number in range(1, 101):
            file.add(record(number))
        with pytest.raises(OSError, match="No space left"):
            file.flush()
        assert len((disk / "requests.csv").read_bytes()) > 0
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        file.add(record(101))
        file.close()
        folder = RunFolder(disk)
        assert [int(r[FIELDS.index("call")]) for r in rows(folder)] == list(range(1, 102))
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_device_that_is_full_raises_at_the_flush_and_at_the_close():
    with pytest.raises(OSError, match="No space left"):
        RequestsFile(os.devnull.replace("null", "full"))
