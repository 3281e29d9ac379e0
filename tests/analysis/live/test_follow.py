"""requests.csv as it grows: every whole line once, and a file that is another one is read anew."""

import itertools
import os
import shutil

import pytest

from analysis.live import follow
from analysis.live.follow import Anew, Follower
from analysis.runs.run_reader import load_run
from locustfiles.contract.record import FIELDS
from locustfiles.contract.run_folder import NotARun, RunFolder
from tests.helpers.made_run import made_run, steady, window


@pytest.fixture
def folder(tmp_path):
    return RunFolder(made_run(tmp_path / "r", steady(1, 10, 20, 2, 0.5), [window(1, 10, 20, users=2)]))


def all_of(follower):
    found = []
    while piece := follower.next():
        found.append(piece)
    return found


def test_pieces_of_any_size_hold_every_line_once(folder, monkeypatch):
    whole = load_run(folder.path).records
    for size in (1, 1000, 1 << 20):  # of one byte, too: a line is never cut
        monkeypatch.setattr(follow, "PIECE", size)
        pieces = all_of(Follower(folder))
        assert [call for piece in pieces for call in piece.records["call"]] == whole["call"].tolist()
        assert all(before.hi == after.lo for before, after in itertools.pairwise(pieces))
        assert pieces[-1].hi == folder.requests.stat().st_size
        follower = Follower(folder)
        all_of(follower)
        text = follower.read(pieces[0].lo, pieces[-1].hi)
        assert follower.header + text == folder.requests.read_bytes()


def test_a_line_that_is_written_by_halves_is_read_when_it_is_whole(folder):
    text = folder.requests.read_bytes()
    follower = Follower(folder)
    for end in range(len(text) - 700, len(text) + 1, 90):
        folder.requests.write_bytes(text[:end])
        follower = Follower(folder) if end < len(text) - 610 else follower
        for piece in all_of(follower):
            assert piece.damaged == []
    folder.requests.write_bytes(text)
    all_of(follower)
    assert follower.at == len(text)


def test_a_header_that_is_not_whole_yet_is_waited_for(folder):
    text = folder.requests.read_bytes()
    follower = Follower(folder)
    folder.requests.unlink()
    assert follower.next() is None  # no file
    folder.requests.write_bytes(text[:40])
    assert follower.next() is None
    folder.requests.write_bytes(text)
    assert len(all_of(follower)[0].records) == text.count(b"\n") - 1


def test_damaged_lines_are_told_by_their_number_in_the_file(folder, monkeypatch):
    lines = folder.requests.read_bytes().splitlines(keepends=True)
    lines[4], lines[20] = b"a,b\n", lines[20].replace(b"InvokeEndpoint", b"\xff")
    folder.requests.write_bytes(b"".join(lines))
    monkeypatch.setattr(follow, "PIECE", 1500)
    found = [each for piece in all_of(Follower(folder)) for each in piece.damaged]
    assert found == [(5, f"2 cells instead of {len(FIELDS)}"), (21, "not UTF-8 text")]


@pytest.mark.parametrize("what", ["replaced", "cut", "removed", "written anew in its place"])
def test_a_file_that_is_another_one_is_noticed(folder, what, tmp_path):
    follower = Follower(folder)
    all_of(follower)
    if what == "replaced":
        shutil.copy(folder.requests, tmp_path / "copy")
        (tmp_path / "copy").replace(folder.requests)
    elif what == "cut":
        os.truncate(folder.requests, follower.at - 10)
    elif what == "removed":
        folder.requests.unlink()
    else:  # and longer by now
        text = folder.requests.read_bytes()
        folder.requests.write_bytes(text.replace(b"local", b"other") + text.partition(b"\n")[2])
    with pytest.raises(Anew):
        follower.next()


def test_a_file_with_another_header_is_no_runs(folder):
    folder.requests.write_bytes(b"time,latency\n1,2\n")
    with pytest.raises(NotARun, match="its header is not that of this version"):
        Follower(folder).next()


def test_a_file_of_an_earlier_version_is_read_with_what_it_does_not_know_empty(folder):
    added = FIELDS[FIELDS.index("served_latency") :]
    lines = folder.requests.read_text().splitlines()
    old = [lines[0].removesuffix("," + ",".join(added)), *(line[: -len(added)] for line in lines[1:])]
    folder.requests.write_text("\n".join(old) + "\n")
    (piece,) = all_of(Follower(folder))
    assert piece.damaged == []
    assert piece.records["gaps"].isna().all()
