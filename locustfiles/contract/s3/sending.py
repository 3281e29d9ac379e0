"""A run folder sent to S3 at a rhythm, through faults that pass: what fails is said once, and tried again."""

import collections.abc
import time

from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.s3.lease import Lease, Lost
from locustfiles.contract.s3.upload import Upload

EVERY_S = 10.0  # of rows; what a stage changes is sent within a second
OTHERS_S = 300.0  # of the folder's other files
AGAIN_S, SELDOM_S = 5.0, 30.0  # after a fault, doubled each time
AT_END_S = 1.0  # between two tries at the end
GIVE_UP_S = 15.0  # at the end, without a byte that arrives
FOR_GOOD = ("bucket", "permission", "key", "region", "taken", "other")  # at the end nobody waits for these to pass
TAKEN = "another run writes there now, for this one was not heard of for a minute; give this one another address"
Say = collections.abc.Callable[[str], None]


class Sending:
    """Of one run. warn, say: told to whoever runs the load test."""

    def __init__(self, lease: Lease, upload: Upload, warn: Say, say: Say) -> None:
        self._lease, self.upload, self._warn, self._say = lease, upload, warn, say
        self._next_at = self._others_at = 0.0  # monotonic
        self._failing_since: float | None = None
        self._told: set[str] = set()
        self._again_s = AGAIN_S
        self._lost = self.unreachable = False  # unreachable: that is why it is not finished

    def look(self) -> None:
        """Send what is due. Raises nothing."""
        now = time.monotonic()
        if self._lost or (now < self._next_at and (self._failing_since is not None or not self.upload.manifest_waits)):
            return
        others = now >= self._others_at
        try:
            self._send(others)
        except Lost:
            self._lost = True
            self._warn(f"{self.upload.address}: {TAKEN}; it goes on in {self.upload.folder}")
        except S3Fault as e:
            self._fail(e)
        except OSError:  # of the folder: the run itself tells of it
            self._next_at = time.monotonic() + EVERY_S
        else:
            self._next_at = time.monotonic() + EVERY_S
            self._others_at = now + OTHERS_S if others else self._others_at

    def finish(self, wait: collections.abc.Callable[[float], bool]) -> str | None:
        """Send the rest; why not all of it is there, or None. wait: for so many seconds; False: it is not to be waited for."""
        since, sent = time.monotonic(), self.upload.sent_bytes
        while not self._lost:
            try:
                self._send(others=True)
                return None
            except Lost:
                break
            except S3Fault as e:
                why = e
            except OSError as e:
                return f"{self.upload.folder} cannot be read ({e.strerror}); see to the disk"
            self.unreachable = why.kind in ("network", "busy")
            if self.upload.sent_bytes > sent:
                since, sent = time.monotonic(), self.upload.sent_bytes
            if why.kind in FOR_GOOD or time.monotonic() - since > GIVE_UP_S or not wait(AT_END_S):
                return f"{why.what}; {why.remedy}"
        return TAKEN

    def _send(self, others: bool) -> None:
        """Raises Lost, S3Fault or OSError."""
        self._lease.renew()
        self.upload.round()
        if others:
            self.upload.others()
        if self._failing_since is not None:
            failed_s = time.monotonic() - self._failing_since
            self._say(f"{self.upload.address}: takes the run again after {failed_s:.0f} s; all of it is there")
        self._failing_since, self._again_s = None, AGAIN_S
        self._told.clear()

    def _fail(self, e: S3Fault) -> None:
        now = time.monotonic()
        self._failing_since = now if self._failing_since is None else self._failing_since
        self._next_at, self._again_s = now + self._again_s, min(SELDOM_S, 2 * self._again_s)
        if e.kind not in self._told:
            self._told.add(e.kind)
            self._warn(
                f"{self.upload.address}: {e.what}; the run goes on in {self.upload.folder} and is sent later; {e.remedy}"
            )
