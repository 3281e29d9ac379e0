"""`python -m locustfiles.contract.s3 ADDRESS HOLDER [ENCRYPTION]`: the process beside a load test that sends its run folder to S3.

It is told by lines of JSON on its standard input, and answers so on its standard output:

{"do": "open", "mode": "begin", "folder": …}   {"opened": true, "resume": …}, or {"error": …}
{"do": "follow", "folder": …}                  from now on what grows there is sent
{"do": "end", "folder": …}                     {"ended": true, "left": why not all is there, or null}

and `{"say": …}`, `{"warn": …}` at any time. When its input ends, as where the load test was killed, it sends what is there, gives the lease
back and ends.
"""

import contextlib
import json
import os
import pathlib
import select
import sys
import time
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.s3.address import address_of
from locustfiles.contract.s3.beginning import goes_on
from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.copies import bring
from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.s3.lease import Lease, Lost
from locustfiles.contract.s3.sending import Sending
from locustfiles.contract.s3.stored import Stored, stored_in
from locustfiles.contract.s3.upload import Upload

LOOK_S = 1.0
NICENESS = 10  # whoever measures goes first
AGAIN = "again"  # a mode: this process takes the place of one that has ended


class Gone(Exception):
    """Nobody asks any more."""


class Program:
    """Reads its standard input itself, byte by byte as it comes: while it waits it must hear that nobody is there any more."""

    def __init__(self, bucket: Bucket, holder: str) -> None:
        self._bucket, self._lease = bucket, Lease(bucket, holder)
        self._held, self._ended = bytearray(), False
        self._stored: Stored | None = None
        self._sending: Sending | None = None
        self._told_plain = False

    def serve(self) -> None:
        """Until nobody asks."""
        with contextlib.suppress(Gone):
            while True:
                for line in self._lines(LOOK_S):
                    self._do(json.loads(line))
                if self._sending:
                    self._sending.look()
                    self._tell_plain()
                else:
                    with contextlib.suppress(S3Fault, Lost):  # whoever begins hears of it
                        self._lease.renew()
        if self._sending:
            self._sending.finish(lambda _: False)
        with contextlib.suppress(S3Fault, Lost):
            self._lease.release()

    def _do(self, told: dict[str, typing.Any]) -> None:
        if told["do"] == "open":
            try:
                _answer(opened=True, resume=self._open(told["mode"], pathlib.Path(told["folder"])))
            except BadInput as e:
                _answer(error=str(e))
        elif told["do"] == "follow" and self._stored is not None:
            self._bucket.hurry()
            upload = Upload(self._bucket, self._lease, pathlib.Path(told["folder"]), self._stored)
            self._sending = Sending(self._lease, upload, _warn, _say)
        elif told["do"] == "end":
            self._end(pathlib.Path(told["folder"]))

    def _open(self, mode: typing.Any, path: pathlib.Path) -> bool:
        """Whether the run goes on. Raises BadInput."""
        self._lease.take(self._pause, _say)
        if not self._lease.is_heeded():
            _warn(
                f"{self._bucket.address}: the server ignores conditions (If-None-Match); let no other run write there"
            )
        self._stored = stored_in(self._bucket)
        resume = mode == AGAIN or goes_on(mode, self._bucket.address, self._stored, RunFolder(path))
        if resume and mode != AGAIN:
            began, fetched = time.monotonic(), bring(self._bucket, self._stored, path, _say)
            if fetched:
                _say(f"{self._bucket.address}: {fetched:,} bytes fetched to {path} in {time.monotonic() - began:.1f} s")
        if resume:
            Upload(self._bucket, self._lease, path, self._stored).check()
        return resume

    def _end(self, folder: pathlib.Path) -> None:
        """Once the run is closed, in `folder`."""
        left: str | None = "its folder was never told"
        if self._sending and folder != self._sending.upload.folder:
            left = f"it had to go on in {folder}; see to the disk"
        elif self._sending:
            left = self._sending.finish(self._wait)
        if self._sending and left is None:
            count = self._sending.upload.sent_objects
            _say(f"{self._bucket.address}: all of the run is there ({count} objects sent)")
        unreachable, self._sending = self._sending and self._sending.unreachable, None
        if not (left and unreachable):  # else it is not waited for once more; the lease ends by itself
            with contextlib.suppress(S3Fault, Lost):
                self._lease.release()
        _answer(ended=True, left=left)

    def _tell_plain(self) -> None:
        if self._bucket.encrypted is False and not self._told_plain:
            self._told_plain = True
            _warn(f"{self._bucket.address}: the server does not say that it encrypts objects; see to its disks")

    # what comes in
    def _lines(self, wait_s: float) -> list[bytes]:
        """Those that are there, after so many seconds at most. Raises Gone."""
        if self._ended or (select.select([0], [], [], wait_s)[0] and not self._read()):
            raise Gone
        *whole, rest = self._held.split(b"\n")
        self._held = bytearray(rest)
        return [bytes(line) for line in whole]

    def _read(self) -> bool:
        block = os.read(0, 1 << 16)
        self._held += block
        self._ended = not block
        return bool(block)

    def _wait(self, seconds: float) -> bool:
        """False: nobody waits any more."""
        over = time.monotonic() + seconds
        while not self._ended and (left_s := over - time.monotonic()) > 0:
            if select.select([0], [], [], left_s)[0]:
                self._read()
        return not self._ended

    def _pause(self, seconds: float) -> None:
        """Raises Gone."""
        if not self._wait(seconds):
            raise Gone


def _answer(**told: typing.Any) -> None:
    with contextlib.suppress(BrokenPipeError):  # whoever reads it is gone, which its input tells
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()


def _say(line: str) -> None:
    _answer(say=line)


def _warn(line: str) -> None:
    _answer(warn=line)


def main(address: str, holder: str, encryption: str = "") -> None:
    os.nice(NICENESS)
    Program(Bucket(address_of(address, "--run-dir"), encryption), holder).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
