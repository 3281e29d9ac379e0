"""requests.csv while a run writes it: whole lines as they come, in pieces of bounded size, parsed as the report parses them."""

import os
import typing

import pandas as pd

from analysis.runs.records_file import read_records
from locustfiles.contract.record import with_all_fields
from locustfiles.contract.run_folder import NotARun, RunFolder

PIECE = 8 << 20  # bytes that are read at once
TAIL = 512  # bytes before the place of reading, by which a file that was written anew is known


class Anew(Exception):
    """The file is no more what was followed: replaced, cut, removed or written anew."""


class Piece(typing.NamedTuple):
    """Lines of the file: [lo, hi) of its bytes. damaged: number in the file and reason of lines that are no records."""

    records: pd.DataFrame
    damaged: list[tuple[int, str]]
    lo: int
    hi: int


def slice_text(header: bytes, lines: bytes) -> bytes:
    """What `read_records` takes. Raises NotARun where the header is no record's."""
    whole = with_all_fields(header + lines)
    if whole is None:
        raise NotARun("requests.csv: its header is not that of this version; analyse it with the one that wrote it")
    return whole


class Follower:
    """Where a run's requests.csv has been read to. The file stays open, so that no other one gets its number meanwhile."""

    def __init__(self, folder: RunFolder) -> None:
        self.path = folder.requests
        self.header = b""
        self.at = 0  # so many bytes have been read
        self._lines = 1  # and so many lines, the header included
        self._tail = b""
        self._fd: int | None = None

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def size(self) -> int:
        """Of the file now, 0 where there is none. Raises Anew where it is another than was read, OSError."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            if self._fd is not None:
                raise Anew from None
            return 0
        if self._fd is None:
            self._fd = os.open(self.path, os.O_RDONLY)
        if not os.path.samestat(there, os.fstat(self._fd)) or there.st_size < self.at:
            raise Anew
        if self._tail and os.pread(self._fd, len(self._tail), self.at - len(self._tail)) != self._tail:
            raise Anew
        return there.st_size

    def next(self) -> Piece | None:
        """The next whole lines; None where there are none. Raises Anew, NotARun where it is no file of records, OSError."""
        if self.size() <= self.at:
            return None
        text = self._whole_lines()
        if not self.header and text:
            header, text = text[: text.find(b"\n") + 1], text[text.find(b"\n") + 1 :]
            slice_text(header, b"")
            self.header, self.at = header, len(header)
        if not text:
            return None
        lo, self.at = self.at, self.at + len(text)
        self._tail = text[-TAIL:]
        records, damaged = read_records(slice_text(self.header, text))
        damaged = [(number + self._lines - 1, why) for number, why in damaged]
        self._lines += text.count(b"\n")
        return Piece(records, damaged, lo, self.at)

    def _whole_lines(self) -> bytes:
        """At least one, if there is one."""
        length = PIECE
        while True:
            text = os.pread(self._fd or 0, length, self.at)
            end = text.rfind(b"\n") + 1
            if end or len(text) < length:
                return text[:end]
            length *= 2

    def read(self, lo: int, hi: int) -> bytes:
        """These bytes of it; in a child, too, which shares the descriptor. Raises OSError."""
        found = bytearray()
        while lo < hi:
            block = os.pread(self._fd or 0, min(PIECE, hi - lo), lo)
            if not block:
                raise OSError(0, "requests.csv was cut")
            found += block
            lo += len(block)
        return bytes(found)
