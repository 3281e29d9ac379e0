"""What became of a file's rows: how many there were, and which were left out for what reason."""

import collections
import collections.abc
import pathlib
import sys

from locustfiles.contract.exit_codes import NOT_TRUSTED, OK
from scripts.make_payloads.rows import Bad, Row, rows_of

SAID_EVERY = 100_000  # rows


class Taken:
    """Of one file."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self.rows = 0
        self.bad: collections.Counter[str] = collections.Counter()

    def lines(self, line_of: collections.abc.Callable[[Row], str | None]) -> collections.abc.Iterator[str]:
        """What `line_of` makes of each row, but for None; a row for which it raises Bad is left out. Raises BadInput."""
        for row in rows_of(self._path):
            self.rows += 1
            if self.rows % SAID_EVERY == 0:
                print(f"  {self.rows:,} rows", file=sys.stderr, flush=True)
            try:
                if isinstance(row, Bad):
                    raise row
                line = line_of(row)
            except Bad as e:
                self.bad[str(e)] += 1
                continue
            if line is not None:
                yield line

    def tell_left_out(self) -> None:
        for reason, n in self.bad.most_common():
            print(f"  left out: {n:,} rows, {reason}")

    @property
    def exit_code(self) -> int:
        """NOT_TRUSTED where more than a tenth of the rows had to be left out."""
        return NOT_TRUSTED if self.bad.total() * 10 > self.rows else OK


def columns_of(row: Row) -> str:
    """For a message: the first dozen of their names."""
    return ", ".join(f"`{key}`" for key in list(row)[:12])
