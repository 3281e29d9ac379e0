"""Pieces of work on two cores: what they return, what they raise, and a copy of the process that does not come to its end."""

import functools
import io
import os
import signal

import numpy as np
import psutil
import pytest
from PIL import Image

from analysis.report.plots.png import png
from analysis.report.side_by_side import side_by_side
from tests.helpers.patience import until

two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: nothing is done side by side")


def meets(mine, other):
    """Comes to its end only while another process does the other piece."""
    mine.write_text("")
    until(other.exists)
    return os.getpid()


@two_cores
def test_two_pieces_are_done_at_the_same_time_and_their_values_stand_in_order(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    pids = side_by_side([functools.partial(meets, a, b), functools.partial(meets, b, a)])
    assert len(set(pids)) == 2 and os.getpid() in pids
    assert side_by_side([functools.partial(divmod, n, 3) for n in range(9)]) == [divmod(n, 3) for n in range(9)]


def test_on_one_core_and_of_one_piece_no_copy_is_made(monkeypatch):
    assert side_by_side([os.getpid]) == [os.getpid()] and side_by_side([]) == []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert side_by_side([os.getpid] * 4) == [os.getpid()] * 4


@pytest.mark.parametrize("ends", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: 1 / 0, lambda: os._exit(0)])
def test_what_the_copy_does_not_come_to_the_end_of_is_done_here(tmp_path, ends):
    here, begun = os.getpid(), tmp_path / "begun"

    def first():
        if os.getpid() == here and len(os.sched_getaffinity(0)) > 1 and not begun.exists():
            until((tmp_path / "other").exists)  # the copy has the second piece
        return "first"

    def second():
        if os.getpid() != here:
            (tmp_path / "other").write_text("")
            ends()
        begun.write_text("")
        return "second"

    assert side_by_side([first, second]) == ["first", "second"]


def test_what_a_piece_raises_is_raised_and_no_process_is_left(tmp_path):
    def fails():
        raise OSError(28, "No space left on device")

    before = psutil.Process().children()
    with pytest.raises(OSError, match="No space left"):
        side_by_side([os.getpid, fails, os.getpid])
    assert psutil.Process().children() == before


def test_a_picture_has_the_pixels_that_it_was_made_of():
    pixels = np.random.default_rng(3).integers(0, 256, (31, 47, 3)).astype(np.uint8)
    read = Image.open(io.BytesIO(png(pixels)))
    assert (read.format, read.mode, read.size) == ("PNG", "RGB", (47, 31))
    assert (np.asarray(read) == pixels).all()
