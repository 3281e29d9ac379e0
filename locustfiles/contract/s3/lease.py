"""Who writes a run's objects: one at a time, by an object that is written under conditions alone and renewed while it is held."""

import collections.abc
import json
import platform
import time

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.s3.bucket import Bucket, Got
from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.visible import visible

KEY = "lease.json"
LEASE_S = 60.0  # not renewed for so long it is another's
RENEW_S = 15.0
LOOK_S = 3.0  # between two looks at one that may be renewed


class Lost(Exception):
    """Another one writes there now."""


class Lease:
    """Of one process: `holder` is its own name, and that of the one that takes its place."""

    def __init__(self, bucket: Bucket, holder: str) -> None:
        self._bucket, self._holder = bucket, holder
        self._etag: str | None = None
        self._renewed_at = 0.0  # monotonic
        self._taken_at = time.time()

    def take(self, wait: collections.abc.Callable[[float], None], say: collections.abc.Callable[[str], None]) -> None:
        """wait: for so many seconds. One that is not renewed is taken when its time is over, by S3's clock or by ours. Raises
        BadInput where its holder renews it, S3Fault, and whatever `wait` raises."""
        began, seen = time.monotonic(), ""
        while not self._taken():
            try:
                there = self._bucket.get(KEY)
            except S3Fault as e:
                if e.kind != "absent":
                    raise
                continue
            holder, host = _holder_of(there)
            if seen and there.etag != seen and holder:
                raise BadInput(
                    f"{self._bucket.address}: a run{host} writes there and goes on; give this one another address, or wait for its end"
                )
            over_s = LEASE_S - max(there.age_s or 0.0, time.monotonic() - began)
            if holder in ("", self._holder) or over_s <= 0:
                seen, self._etag = "", there.etag
                continue
            if not seen:
                say(
                    f"{self._bucket.address}: a run{host} wrote there lately; at most {over_s:.0f} s to see whether it goes on"
                )
            seen = there.etag
            wait(min(LOOK_S, max(0.1, over_s)))

    def _taken(self) -> bool:
        """Whether nobody had it, or it still was as we have seen it last."""
        try:
            self._put(self._holder)
        except S3Fault as e:
            if e.kind != "conflict":
                raise
            self._etag = None
            return False
        return True

    def is_heeded(self) -> bool:
        """Of one that was taken: whether the server refuses another, as it must. Raises S3Fault."""
        try:
            self._etag = self._bucket.put(KEY, self._text(self._holder), only_new=True)
        except S3Fault as e:
            if e.kind != "conflict":
                raise
            return True
        return False

    def _text(self, holder: str) -> bytes:
        # the time, for what says the same has the same ETag
        told = {"holder": holder, "host": platform.node(), "since": self._taken_at, "renewed_at": time.time()}
        return json.dumps(told).encode() + b"\n"

    def _put(self, holder: str) -> None:
        text = self._text(holder)
        self._etag = self._bucket.put(KEY, text, instead_of=self._etag, only_new=self._etag is None)
        self._renewed_at = time.monotonic()

    def renew(self) -> None:
        """Where it is time. Raises Lost, S3Fault."""
        if self._etag is None or time.monotonic() - self._renewed_at < RENEW_S:
            return
        self._again(self._holder)

    def release(self) -> None:
        """The next one need not wait. Raises Lost, S3Fault."""
        if self._etag is not None:
            self._again("")
            self._etag = None

    def _again(self, holder: str) -> None:
        try:
            self._put(holder)
        except S3Fault as e:
            if e.kind == "absent":  # somebody has removed it
                self._etag = None
                return self._put(holder)
            if e.kind != "conflict":
                raise
            there = self._bucket.get(KEY)
            if _holder_of(there)[0] != self._holder:
                raise Lost from None
            self._etag = there.etag  # ours, whose answer had not come
            self._put(holder)


def _holder_of(there: Got) -> tuple[str, str]:
    """Who, and where, in words; empty where it is nobody's, or cannot be read."""
    try:
        told = json.loads(there.body)
        return str(told["holder"]), f" on {visible(str(told['host']))}"
    except (ValueError, LookupError, TypeError, RecursionError):
        return "unknown", ""
