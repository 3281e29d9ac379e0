"""How records travel: numbered and acknowledged from worker to master, straight to the file locally.

A record becomes its line of requests.csv in the worker, and is passed on as such. Every report of a
worker carries all lines that the master has not acknowledged (capped). The master drops what it has
already (by the lines' numbers), appends the rest and acknowledges the highest contiguous number. So a
lost or doubled message loses or doubles nothing. It acknowledges what it has handed to the system, so
that a killed master loses nothing that a worker has dropped.
"""

import collections.abc
import dataclasses
import typing

from locustfiles.common.recording.arrived import Arrived, read
from locustfiles.common.recording.messages import RecordsReport
from locustfiles.contract.lines import line_of, rows_of
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.spool import Spool

LINES_A_REPORT = 5000  # some 2 MiB


class Outbox:
    """A worker's records of one run, until the master has acknowledged them."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.produced = 0
        self._first = 0  # number of the first line not acknowledged
        self._lines: list[str] = []

    def add(self, record: RequestRecord) -> None:
        self._lines.append(line_of(record))
        self.produced += 1

    def report(self, final: bool, silent: bool = False, most: int = LINES_A_REPORT) -> RecordsReport:
        """What goes into the worker's next report to the master; `final` adds how many it produced in all. To a silent
        master no lines: reports queue up until it is back."""
        lines = [] if silent else self._lines[:most]
        return RecordsReport(self.run_id, self._first, _packed(lines), self.produced if final else None)

    def acknowledge(self, run_id: str, upto: int) -> bool:
        """The master has every line below `upto`; whether that is news."""
        if run_id != self.run_id or upto <= self._first:
            return False
        del self._lines[: upto - self._first]
        self._first = upto
        return True

    @property
    def empty(self) -> bool:
        return not self._lines

    @property
    def waiting(self) -> int:
        """Records that are not acknowledged."""
        return len(self._lines)

    def spool(self, worker: str, final: bool) -> Spool:
        """All that is not acknowledged; `final` adds how many it produced in all."""
        produced = self.produced if final else None
        return Spool(self.run_id, worker, self._first, produced, _Rows(tuple(self._lines)))


class _Rows(collections.abc.Sequence[list[str]]):
    """Of lines, each read when it is asked for: a worker that lacks its master looks every second whether there are more."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, at: typing.Any) -> typing.Any:
        return rows_of(self._lines[at])[0]


def _packed(lines: list[str]) -> bytes:
    return "".join(lines).encode(errors="replace")


@dataclasses.dataclass(slots=True)
class Account:
    """What the master knows of one worker's records."""

    received: int = 0
    produced: int | None = None  # from its final flush

    @property
    def settled(self) -> bool:
        return self.produced is not None and self.received >= self.produced


Take = collections.abc.Callable[[bytes, collections.abc.Sequence[Arrived]], None]


class Inbox:
    """The master's side: records in order, each once, to `take(lines, records)`."""

    def __init__(self, run_id: str, take: Take) -> None:
        self.run_id = run_id
        self.accounts: dict[str, Account] = {}
        self._take = take

    def account(self, worker: str) -> Account:
        return self.accounts.setdefault(worker, Account())

    def receive(self, worker: str, report: RecordsReport) -> int | None:
        """Take in a worker's new lines; the number to acknowledge, or None for a report of another run. Raises ValueError,
        having taken nothing, where the new ones are no records of this worker."""
        if report.run != self.run_id:
            return None
        account = self.account(worker)
        if report.first <= account.received:  # else a line is missing: it comes again with the next report
            new = _beyond(report.lines, account.received - report.first)
            records = read(new)
            if any(record.worker != worker for record in records):
                raise ValueError("records of another worker")
            account.received += len(records)
            self._take(new, records)
        if report.produced is not None:
            account.produced = report.produced
        return account.received


def _beyond(lines: bytes, known: int) -> bytes:
    """Without the first so many."""
    return lines if not known else b"".join(lines.split(b"\n", known)[known:])
