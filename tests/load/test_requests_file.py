"""requests.csv while it is written: what happens to it is noticed, and what can still be given is given."""

import csv
import errno
import io
import os

import pytest

from locustfiles.contract.record import FIELDS
from locustfiles.contract.requests_file import HEADER, Displaced, RequestsFile
from tests.helpers.run_parts import record


def calls(path) -> list[int]:
    lines = list(csv.reader(io.StringIO(path.read_text(), newline="")))
    assert lines[0] == list(FIELDS) and all(len(line) == len(FIELDS) for line in lines)
    return [int(line[FIELDS.index("call")]) for line in lines[1:]]


@pytest.fixture
def file(tmp_path):
    """With records 1 to 3 on the disk and 4 to 6 handed to the system."""
    (tmp_path / "run").mkdir()
    made = RequestsFile(tmp_path / "run" / "requests.csv")
    for number in (1, 2, 3):
        made.add(record(number))
    made.sync()
    for number in (4, 5, 6):
        made.add(record(number))
    made.flush()
    return made


def removed(path):
    path.unlink()


def moved(path):
    path.rename(path.with_name("old.csv"))


def replaced(path):
    path.with_name("other.csv").write_bytes(path.read_bytes()[:-40] + b"\n")
    path.with_name("other.csv").replace(path)


def folder_moved(path):
    path.parent.rename(path.parent.with_name("elsewhere"))


def cut(path):
    os.truncate(path, 0)


def grown(path):
    with open(path, "ab") as other:
        other.write(b"torn")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (removed, "was removed"),
        (moved, "was moved to .*/run/old.csv"),
        (replaced, "was replaced by another file"),
        (folder_moved, "was moved to .*/elsewhere/requests.csv"),
        (cut, "was cut from .* to 0 bytes"),
        (grown, "was written to by others: it grew from"),
    ],
)
def test_what_happens_to_the_file_is_said_before_anything_more_is_written(file, act, said):
    file.check()
    act(file.path)
    file.add(record(7))
    with pytest.raises(Displaced, match=said):
        file.flush()
    with pytest.raises(Displaced, match=said):
        file.sync()


@pytest.mark.parametrize("act", [removed, moved, replaced, folder_moved])
def test_what_the_handle_still_reaches_is_written_anew_with_what_came_since(file, act, tmp_path):
    act(file.path)
    file.add(record(7))
    there = tmp_path / "again.csv"
    assert file.settle(there) == 0
    file.add(record(8))
    file.close()
    assert calls(there) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("keep", [0, 20, len(HEADER), len(HEADER) + 30])
def test_what_the_disk_had_and_is_cut_off_is_gone_but_nothing_else(file, keep):
    """Records 1 to 3 were let go when the disk had them; 4 to 6 are held until it has."""
    safe = file.path.read_bytes().split(b"\n")
    before = sum(len(line) + 1 for line in safe[:4])  # the header and three records
    os.truncate(file.path, keep)
    assert file.settle(file.path) == before - keep
    file.add(record(7))
    file.close()
    assert calls(file.path) == [4, 5, 6, 7]


def test_of_what_the_disk_did_not_have_yet_nothing_is_lost_when_it_is_cut_off(file):
    os.truncate(file.path, file.size - 50)
    assert file.settle(file.path) == 0
    file.close()
    assert calls(file.path) == [1, 2, 3, 4, 5, 6]


def test_of_a_file_that_its_server_has_no_more_what_is_held_is_written_elsewhere(file, tmp_path, monkeypatch):
    """As network file systems say it: the handle is stale."""
    stat, stale = os.fstat, OSError(errno.ESTALE, "Stale file handle")

    def gone(fd):
        if fd == dead:
            raise stale
        return stat(fd)

    dead = file._fd
    monkeypatch.setattr(os, "fstat", gone)
    monkeypatch.setattr(os, "pread", lambda fd, count, at, read=os.pread: gone(fd) and read(fd, count, at))
    with pytest.raises(Displaced, match=r"cannot be reached any more \(Stale file handle\)"):
        file.flush()
    assert file.settle(tmp_path / "again.csv") > 0  # records 1 to 3 had been let go
    file.close()
    assert calls(tmp_path / "again.csv") == [4, 5, 6]


def test_a_foreign_line_is_not_overwritten_and_ours_go_on_below_it(file):
    with open(file.path, "a") as other:
        other.write("not ours\n")
    file.settle(file.path)
    file.add(record(7))
    file.close()
    lines = file.path.read_text().splitlines()
    assert lines[7] == "not ours" and lines[8].startswith(record(7).row()[0]) and len(lines) == 9


def test_what_a_failing_disk_had_not_taken_is_pending_and_is_written_again_once_it_does(file):
    def full(fd):
        raise OSError(errno.ENOSPC, "No space left on device")

    file.add(record(7))
    with pytest.raises(OSError, match="No space left"):
        file.sync(full)
    assert [row[FIELDS.index("call")] for row in file.pending()["w"]] == ["4", "5", "6", "7"]
    assert calls(file.path) == [1, 2, 3]  # what the system may have dropped is not taken for written
    file.sync()
    assert file.pending() == {} and calls(file.path) == [1, 2, 3, 4, 5, 6, 7]
    file.let_go()


def test_rows_that_are_added_while_the_disk_is_waited_for_are_held_until_the_next_time(file):
    def slow(fd):
        file.add(record(7))
        file.flush()

    file.sync(slow)
    os.truncate(file.path, file.size - len(file.path.read_bytes().splitlines(keepends=True)[-1]))
    assert calls(file.path) == [1, 2, 3, 4, 5, 6]
    assert file.settle(file.path) == 0  # the seventh was held
    assert calls(file.path) == [1, 2, 3, 4, 5, 6, 7]
    file.let_go()


@pytest.mark.parametrize("begun", [b"", HEADER[:17], HEADER, HEADER[:-1]])
def test_a_file_that_was_killed_at_its_birth_is_gone_on_with(tmp_path, begun):
    path = tmp_path / "requests.csv"
    path.write_bytes(begun)
    file = RequestsFile(path, append=True)
    file.add(record(1))
    file.close()
    assert calls(path) == [1]
