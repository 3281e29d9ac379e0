"""What leaves on the wire for one answer, and when: the stamps of the truth log are made here, just before each
write."""

import time

from scripts.emulator.dialects import Piece
from scripts.emulator.exchange import Exchange

OUTPUT = ("delta", "last")  # kinds of pieces that carry output


class Sender:
    """Writes one answer, whole or as a stream of frames. `late` is told each token's lateness in milliseconds."""

    def __init__(self, exchange: Exchange, operation, late):
        self._exchange, self._frame, self._late = exchange, operation.frame, late
        self._parted = operation.service == "sagemaker"  # its payload may be cut into parts anywhere
        self.status: int | None = None
        self.streaming = False
        self.cork, self.uncork = exchange.cork, exchange.uncork  # what is sent between leaves in one write
        self.split_bytes: int | None = None
        self.spoil_next = False  # the next frame gets a wrong checksum
        self.deltas = 0
        self.first_token: float | None = None
        self._first_byte: float | None = None
        self._last_byte: float | None = None
        self._last_token: float | None = None
        self._late_ms = 0.0

    def whole(self, status: int, headers, body: bytes) -> None:
        self.status = status
        self._first_byte = self._last_byte = time.perf_counter()
        self._exchange.respond(status, headers, body)

    def cut(self, headers, body: bytes, reset: bool) -> None:
        """A 200 that breaks off at half its body."""
        self.status = 200
        self._first_byte = self._last_byte = time.perf_counter()
        self._exchange.respond_cut(200, headers, body, len(body) // 2, reset)

    def drop(self, reset: bool) -> None:
        self._last_byte = time.perf_counter()
        self._exchange.drop(reset)

    def lost(self) -> None:
        """The connection has ended."""
        self._last_byte = time.perf_counter()

    def open(self, headers) -> None:
        """The head of a stream; it leaves with the first bytes of the body."""
        self.streaming, self.status = True, 200
        self._exchange.start_chunked(200, headers)

    def send(self, piece: Piece, due: float | None) -> None:
        """One event, stamped if it carries output; `due` is when it should have left."""
        damaged = self.split_bytes or self.spoil_next
        now = self._damaged(piece) if damaged else self.write(self._frame(piece.event, piece.payload))
        if piece.kind in OUTPUT:
            self._stamp(now, due)

    def token(self, data: bytes, due: float) -> None:
        """One event with output, ready for the wire, of an answer that nothing damages."""
        now = time.perf_counter()
        if self._first_byte is None:
            self._first_byte = now
        self._exchange.chunk(data)
        self._stamp(now, due)

    def _stamp(self, now: float, due: float | None) -> None:
        self.deltas += 1
        self._last_token = now
        if self.first_token is None:
            self.first_token = now
        if due is not None:
            late = (now - due) * 1000 if now > due else 0.0
            if late > self._late_ms:
                self._late_ms = late
            self._late(late)

    def _damaged(self, piece: Piece) -> float:
        """The time of the first write. A frame with a wrong checksum; a split payload leaves as several parts (SageMaker)
        or several HTTP chunks (Bedrock, OpenAI)."""
        n, frame = self.split_bytes, self._frame
        if not n:
            self.spoil_next, data = False, frame(piece.event, piece.payload)
            return self.write(data[:-1] + bytes([data[-1] ^ 0xFF]))
        data = piece.payload if self._parted else frame(piece.event, piece.payload)
        parts = [data[i : i + n] for i in range(0, len(data), n)]
        if self._parted:
            parts = [frame(piece.event, p) for p in parts]
        times = [self.write(p) for p in parts]
        return times[0]

    def write(self, data: bytes) -> float:
        """Bytes of a stream's body, as they are; returns when they left."""
        now = time.perf_counter()
        if self._first_byte is None:
            self._first_byte = now
        self._exchange.chunk(data)
        return now

    def finish(self) -> None:
        self._last_byte = time.perf_counter()
        self._exchange.finish()

    def stamps(self) -> dict:
        """Monotonic seconds; None where nothing of the kind was sent."""
        return {
            "first_byte": self._first_byte,
            "first_token": self.first_token,
            "last_token": self._last_token,
            "last_byte": self._last_byte,
            "deltas": self.deltas,
            "late_ms": round(self._late_ms, 3),
        }
