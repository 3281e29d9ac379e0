"""requests.csv while a run writes it: append only, and watched, for a file that others can remove is not kept by being open.

Rows are handed to the system by `flush`, in one write, and to the disk by `sync`. Until the disk has them their text is
held here too, so that whatever fails, what is not safe can still be written elsewhere.
"""

import collections
import collections.abc
import errno
import os
import pathlib
import stat
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.lines import Row, line_of, lines_of, rows_of
from locustfiles.contract.record import FIELDS, RequestRecord

HEADER = ",".join(FIELDS).encode() + b"\n"
BLOCK = 1 << 20
HOLD_BYTES = 8 << 20  # text that is held; when there is more, it is time for `sync`
WORKER, STAGE = FIELDS.index("worker"), FIELDS.index("stage")


class Displaced(OSError):
    """The file is not in its place, or not as it was written: `strerror` says what has happened to it."""


def check_header(path: pathlib.Path) -> None:
    """Raises BadInput where a requests.csv is another version's, to which nothing can be added. One whose header is torn, by
    a process that was killed as it began, has no rows: it will be begun anew."""
    with open(path, "rb") as file:
        header = file.readline()
    if header != HEADER and not HEADER.startswith(header):
        raise BadInput(
            f"{path}: another version began it, nothing can be added; go on with that one, or begin a new run"
        )


class RequestsFile:
    """requests.csv, append only; `add` rows, `flush` them in one write."""

    def __init__(self, path: pathlib.Path, append: bool = False) -> None:
        """append: go on after the last whole line of a file that is there. Raises BadInput where its header is another."""
        self.path = path
        if append and path.exists():
            check_header(path)
        self._held = bytearray()  # what the disk may not have
        self._written = 0  # so much of it the system has
        self.rows = 0  # added here
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | (0 if append else os.O_TRUNC), 0o666)
        self.size = 0  # of the file, as far as it was written here
        self._dead: OSError | None = None  # why nothing more is written to it
        if append:
            self._cut_torn()
        if not self.size:
            self._held += HEADER
            self.flush()

    def add(self, record: RequestRecord) -> None:
        self.add_lines(line_of(record).encode(), 1)

    def add_rows(self, rows: typing.Sequence[Row]) -> None:
        self.add_lines(lines_of(rows).encode(), len(rows))

    def add_lines(self, lines: bytes, count: int) -> None:
        """So many whole lines, as they are to stand there."""
        self._held += lines
        self.rows += count

    def flush(self) -> None:
        """Hand the buffered rows to the system. Raises OSError (a full disk, a file that is gone), keeping what was not written."""
        if self._dead:
            raise self._dead
        self.check()
        while self._written < len(self._held):
            done = os.write(self._fd, bytes(self._held[self._written : self._written + BLOCK]))
            self._written += done
            self.size += done

    def sync(self, fsync: collections.abc.Callable[[int], object] = os.fsync) -> None:
        """Have them on the disk. fsync: does it, while other greenlets may add and flush. Raises OSError; of some file systems
        a full disk is heard of here, and what they had taken since the last time is lost to them: it is written again."""
        self.flush()
        upto = len(self._held)
        try:
            fsync(self._fd)
        except OSError as e:
            if e.errno in (errno.EINVAL, errno.ENOTSUP):  # a device or a pipe
                return
            self.size -= self._written
            self._written = 0
            try:
                os.ftruncate(self._fd, self.size)
            except OSError:
                self._dead = e  # what is there already would stand there twice
            raise
        del self._held[:upto]
        self._written -= upto

    @property
    def holds_much(self) -> bool:
        return len(self._held) > HOLD_BYTES

    def check(self) -> None:
        """Raises Displaced where the file is not what was written here, in its place."""
        try:
            own = os.fstat(self._fd)
        except OSError as e:  # a server that has it no more
            raise Displaced(errno.ESTALE, f"cannot be reached any more ({e.strerror})") from None
        if not stat.S_ISREG(own.st_mode):
            return
        try:
            there = self.path.stat()
        except OSError as e:
            if e.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise
            moved = self.whereabouts()
            raise Displaced(errno.ESTALE, f"was moved to {moved}" if moved else "was removed") from None
        if not os.path.samestat(own, there) and not _alike(own, there):
            raise Displaced(errno.ESTALE, "was replaced by another file")
        if own.st_size != self.size:
            what = "cut" if own.st_size < self.size else "written to by others: it grew"
            raise Displaced(errno.ESTALE, f"was {what} from {self.size:,} to {own.st_size:,} bytes")

    def is_at(self, path: pathlib.Path) -> bool:
        try:
            return os.path.samestat(path.stat(), os.fstat(self._fd))
        except OSError:
            return False

    def whereabouts(self) -> pathlib.Path | None:
        """The file's path now, wherever it was moved; None where it has none, or the system does not tell."""
        return path_of(self._fd)

    def close(self) -> None:
        try:
            self.sync()
        finally:
            self.let_go()

    def let_go(self) -> None:
        os.close(self._fd)

    # what becomes of rows that the file does not take
    def pending(self) -> dict[str, list[list[str]]]:
        """worker -> its rows that the system does not have, in their order."""
        begin = self._held.rfind(b"\n", 0, self._written) + 1
        found: dict[str, list[list[str]]] = collections.defaultdict(list)
        for row in rows_of(self._held[begin:].decode()):
            if len(row) == len(FIELDS) and row != list(FIELDS):
                found[row[WORKER]].append(row)
        return found

    def settle(self, path: pathlib.Path) -> int:
        """Have `path` hold all that can still be given, and go on there: the file where it has been moved to, or a copy of
        what its handle still reaches. What was cut off is gone but for the text that is held: so many bytes. Raises OSError."""
        if not self.is_at(path):
            self._copy_to(path)
        self.path = path
        have = os.fstat(self._fd).st_size
        safe = self.size - self._written  # the disk had so much
        if safe <= have <= self.size:
            self._written, self.size = have - safe, have
        else:
            self._written = 0 if have < safe else self._written
            self._cut_torn()
            if not self.size:
                self._held[:0] = HEADER
        self.flush()
        return max(0, safe - have)

    def _copy_to(self, path: pathlib.Path) -> None:
        draft = path.with_suffix(".csv.tmp")
        other = os.open(draft, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            at = 0
            while block := self._read(at):
                at += os.write(other, block)
            os.fsync(other)
            draft.replace(path)
        except OSError:
            os.close(other)
            draft.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd = other

    def _read(self, at: int) -> bytes:
        """A block of the file; what cannot be read is as good as cut off."""
        try:
            return os.pread(self._fd, BLOCK, at)
        except OSError:
            return b""

    def _cut_torn(self) -> None:
        """The file without a torn last line, or a torn header."""
        end = os.fstat(self._fd).st_size
        while end:
            block = os.pread(self._fd, min(BLOCK, end), max(0, end - BLOCK))
            if (found := block.rfind(b"\n")) >= 0:
                end += found + 1 - len(block)
                break
            end -= len(block)
        os.ftruncate(self._fd, end)
        self.size = end


def _alike(own: os.stat_result, there: os.stat_result) -> bool:
    """Some network file systems give one file several numbers; only one that is written to here goes on to look the same."""
    return own.st_nlink > 0 and (own.st_size, own.st_mtime_ns) == (there.st_size, there.st_mtime_ns)


def path_of(fd: int) -> pathlib.Path | None:
    """Where an open file or folder is now; None where it has been removed, or the system does not tell."""
    try:
        path = pathlib.Path(f"/proc/self/fd/{fd}").readlink()
        return path if os.path.samestat(path.stat(), os.fstat(fd)) else None
    except OSError:
        return None
