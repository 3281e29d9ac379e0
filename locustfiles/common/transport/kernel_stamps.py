"""Arrival times by the kernel: each piece of an answer bears the time when the network stack took it, not when the loop
came to read it.

The kernel stamps a segment with the wall clock as it arrives (SO_TIMESTAMPNS) and hands over the stamp of the newest
segment that a read took. So a stamp never lies before a byte's arrival, and it is the arrival itself unless several
segments waited for one read: the kernel joins those, and the newest one's time is all that is left of them. A loop that
is less late than the gap between two tokens never reads two at once; a worse one shows in the lag, which is recorded
beside. Over TLS the same holds: a record cannot be read before its last segment is there.
"""

import _socket
import socket
import struct
import sys
import time

from locustfiles.common.transport.connect import RECEIVE_BYTES
from locustfiles.contract.bad_input import BadInput

SO_TIMESTAMPNS = 35  # Linux's asm-generic/socket.h, a struct timespec of two longs; Python 3.11 has no name for it
TIMESPEC = struct.Struct("@ll")
EXTRA_BYTES = 64  # room for the stamp and its header
STEPPED_S = 0.001  # wall clock and perf_counter are slewed alike: apart by so much, the wall clock was set


def _wall_minus_perf() -> float:
    """The wall clock's lead over perf_counter, s: of five readings the one that was interrupted least."""
    readings = []
    for _ in range(5):
        before, wall, after = time.perf_counter(), time.time(), time.perf_counter()
        if after - before < 5e-6:
            return wall - (before + after) / 2
        readings.append((after - before, wall - (before + after) / 2))
    return min(readings)[1]


class KernelStamps:
    """The stamps of one connection."""

    def __init__(self, sock: _socket.socket) -> None:
        """Raises OSError where the kernel has no such stamps."""
        self._sock = sock
        self.worst_s: float | None = None  # worst of the loop's stamps minus the kernel's in this exchange
        sock.setsockopt(_socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def begin(self) -> None:
        """An exchange begins: no piece of its answer came before now."""
        self.worst_s = None
        self._lead = _wall_minus_perf()
        self._last = time.perf_counter()

    def receive(self) -> tuple[bytes, float]:
        """Read the socket: the bytes, and when they came, perf_counter seconds. Raises as recv does."""
        data, extra, _, _ = self._sock.recvmsg(RECEIVE_BYTES, EXTRA_BYTES)
        wall, now = time.time(), time.perf_counter()
        self._last = self._arrival(extra, wall, now)
        return data, self._last

    def _arrival(self, extra: list[tuple[int, int, bytes]], wall: float, now: float) -> float:
        """The kernel's stamp; the loop's, `now`, where there is none, or none that can be true: the wall clock was set
        meanwhile, the stamp is later than now, or older than the request or the piece before."""
        if len(extra) != 1 or extra[0][1] != SO_TIMESTAMPNS or abs(wall - now - self._lead) > STEPPED_S:
            return now
        seconds, nanoseconds = TIMESPEC.unpack(extra[0][2])
        at = seconds + nanoseconds * 1e-9 - self._lead
        if not self._last <= at <= now:
            return now
        if self.worst_s is None or now - at > self.worst_s:
            self.worst_s = now - at
        return at


def _stamped(ours: socket.socket, theirs: socket.socket) -> bool:
    stamps = KernelStamps(ours)
    for _ in range(100):
        stamps.begin()
        theirs.send(b"x")
        stamps.receive()
        if stamps.worst_s is not None:
            return True
        time.sleep(0.002)
    return False


def require_kernel_stamps() -> socket.socket:
    """A socket that must stay open: the kernel begins to stamp when the first socket asks, some ms later.

    Raises BadInput where a byte sent to ourselves comes without a stamp: macOS, and sandboxes with a network of their own.
    """
    problem = "`stamps: kernel`: needs Linux, whose sockets stamp what they receive; remove `stamps:`"
    if sys.platform != "linux":
        raise BadInput(problem)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname(), timeout=1)
            with listener.accept()[0] as theirs:
                if _stamped(ours, theirs):
                    return ours
        ours.close()
    except OSError as e:
        problem += f" ({e.strerror or e})"
    raise BadInput(problem)
