"""How one answer leaves: its events or its body, through the fault if one is to strike, to the sender."""

import time

from scripts.emulator.dialects import Piece
from scripts.emulator.sender import OUTPUT, Sender

END = Piece("end", "", b"")


class Delivery:
    """Tells the answer when it is over, once, and lets go of it: two objects that keep each other wait for the garbage
    collector."""

    def __init__(self, answer, connection, late):
        self._answer = answer
        self.wire = Sender(connection, answer.operation, late)
        self._held: list[Piece] | None = None
        self._collected = b""

    @property
    def ended(self) -> bool:
        return self._answer is None

    def emit(self, piece: Piece, due: float | None = None) -> None:
        """One event: through the fault, if one is to strike here, then to the wire."""
        a = self._answer
        if a is None:
            return
        if self._held is not None:
            return self._held.append(piece)
        if not a.operation.streams:
            return self._collect(piece)
        if a.fault and a.fault[1].strikes(a, piece, self.wire.deltas + (piece.kind in OUTPUT)):
            return
        if not self.wire.streaming:
            self.wire.open(a.operation.stream_headers(a))
        if piece.kind == "end":
            self.close_stream()
        else:
            self.wire.send(piece, due)

    def _collect(self, piece: Piece) -> None:
        """InvokeEndpoint passes on what a container streams as one body."""
        self._collected += piece.payload
        if piece.kind == "end":
            self.send_body(self._collected)

    def write(self, data: bytes) -> None:
        """Bytes of a stream as they are."""
        if not self.wire.streaming:
            self.wire.open(self._answer.operation.stream_headers(self._answer))
        self.wire.write(data)

    def close_stream(self) -> None:
        self.wire.finish()
        self._end()

    def hold(self, seconds: float) -> None:
        """Keep everything back for a while; the stream then goes on where it was."""
        self._held = []
        self._answer.app.clock.at(time.perf_counter() + seconds, self._release)

    def _release(self) -> None:
        held, self._held = self._held, None
        for piece in held or ():
            self.emit(piece)

    def send_body(self, body: bytes) -> None:
        """The whole answer, through the fault if there is one."""
        a = self._answer
        if a is None or (a.fault and a.fault[1].body and a.fault[1].body(a, body)):
            return
        self.respond(200, a.operation.whole_headers(a), body)

    def respond(self, status: int, headers, body: bytes) -> None:
        self.wire.whole(status, headers, body)
        self._end()

    def cut_body(self, body: bytes, reset: bool) -> None:
        """Half the body, then the connection breaks off."""
        self.wire.cut(self._answer.operation.whole_headers(self._answer), body, reset)
        self._end()

    def drop(self, reset: bool = False) -> None:
        """Break the connection off."""
        self.wire.drop(reset)
        self._end()

    def lost(self) -> None:
        """The connection has ended by itself."""
        self.wire.lost()
        self._end()

    def _end(self) -> None:
        answer, self._answer = self._answer, None
        answer.ended()
