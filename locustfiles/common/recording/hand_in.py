"""A worker's records of one run on their way to the master, and what it keeps of them in case they never get there."""

from locustfiles.common.recording.delivery import LINES_A_REPORT, Outbox
from locustfiles.common.recording.messages import Acknowledged, RecordsReport
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.spool import SpoolFile


class HandIn:
    """Of no run (`run_id` is empty) until the master has begun one."""

    def __init__(self, run_id: str = "", folder: str = "") -> None:
        """folder: what the master writes to."""
        self.outbox = Outbox(run_id)
        self.final = False  # the users are gone: the next report says how many records there were in all
        self._counted = False  # the master knows how many
        self._spool = SpoolFile(folder)

    @property
    def run_id(self) -> str:
        return self.outbox.run_id

    @property
    def owes(self) -> bool:
        """Whether the master lacks records, or the number of them all, which may be 0."""
        return not self.outbox.empty or (self.final and not self._counted)

    def add(self, record: RequestRecord) -> None:
        self.outbox.add(record)

    def report(self, silent: bool = False) -> RecordsReport | None:
        """The next report's, if there is anything to say; silent: the master is."""
        if self.owes or (self.run_id and not self.final):
            return self.outbox.report(self.final, silent)
        return None

    def acknowledged(self, message: Acknowledged) -> bool:
        """Whether the next report is due at once: records were taken, and more wait than it holds, or all that there will be."""
        if message.run != self.run_id:
            return False
        taken = self.outbox.acknowledge(message.run, message.upto)
        self._counted = message.final
        if not self.owes:
            self._spool.remove()
        # an answer to a report that came twice asks for none: each would be sent as often from then on
        return taken and self.outbox.waiting >= (1 if self.final else LINES_A_REPORT)

    def keep(self, worker: str, idle: bool) -> None:
        """Write down what the master may never get; idle: there will be no more for now."""
        if self.owes and self.outbox.produced:
            self._spool.keep(self.outbox.spool(worker, self.final or idle))
