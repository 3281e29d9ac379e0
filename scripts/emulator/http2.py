"""HTTP/2 on one socket: many requests at a time, each a stream; the frames, states and windows are those of h2."""

import time

from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from scripts.emulator.exchange import MAX_BODY_BYTES, Headers, Request, date_header
from scripts.emulator.http2_frames import Frames


class Connection:
    """As connection.Connection says; each stream is an exchange."""

    def __init__(self, serve, connections: set):
        self.serve, self._connections = serve, connections
        self.frames = Frames()
        self._streams: dict[int, Stream] = {}
        self._blocked: dict[int, Stream] = {}  # those that wait for a window, in turn

    def connection_made(self, transport) -> None:
        self._transport = transport
        self._connections.add(self)
        self.flush()

    def connection_lost(self, exc) -> None:
        self._connections.discard(self)
        self._leave("client disconnected")

    def shutdown(self) -> None:
        """The emulator ends: break off, with whatever is in progress."""
        self._leave("emulator stopped")
        self.frames.close_connection()
        self.flush()
        self._transport.close()

    def _leave(self, reason: str) -> None:
        streams, self._streams, self._blocked = self._streams, {}, {}
        for stream in streams.values():
            stream.disconnected(reason)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        try:
            events = self.frames.receive_data(data)
        except ProtocolError:
            self.flush()  # the library's GOAWAY says what was wrong
            self._leave("client broke the protocol")
            return self._transport.close()
        gone = {event.stream_id for event in events if isinstance(event, StreamReset)}  # some came in the same read
        for event in events:
            self._happened(event, now, gone)
        for stream in list(self._blocked.values()):  # a window may have opened
            stream.pump()
        self.flush()

    def _happened(self, event, now: float, gone: set[int]) -> None:
        if isinstance(event, DataReceived):
            self.frames.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        number = getattr(event, "stream_id", None) or 0  # what concerns all streams has none, or 0
        if isinstance(event, RequestReceived):
            self._streams[number] = Stream(self, number, event.headers)
        stream = self._streams.get(number)
        if stream is None:
            return
        if number in gone:
            self.forget(stream)
            stream.disconnected("client disconnected")
        elif isinstance(event, RequestReceived):
            stream.began(event.stream_ended is not None)
        elif isinstance(event, DataReceived):
            stream.received(event.data)
        elif isinstance(event, StreamEnded):
            stream.complete(now)

    # --- to the client

    def flush(self) -> None:
        if data := self.frames.data_to_send():
            self._transport.write(data)

    def blocked(self, stream: "Stream") -> None:
        """Its turn comes after the others'."""
        self._blocked.pop(stream.number, None)
        if stream.number in self._streams:
            self._blocked[stream.number] = stream

    def forget(self, stream: "Stream") -> None:
        self._blocked.pop(stream.number, None)
        self._streams.pop(stream.number, None)

    def reset(self) -> None:
        """RST, and with the socket go all of its streams."""
        self._transport.reset()
        self._leave("connection reset by the fault of another stream")


class Stream:
    """An exchange. What the client's windows have no room for waits, and leaves when they open."""

    def __init__(self, connection: Connection, number: int, headers: list[tuple[bytes, bytes]]):
        self._connection, self.number, self._headers = connection, number, headers
        self._parts: list[bytes] = []
        self._size = 0
        self._current = None
        self._head: list[tuple[bytes, bytes]] | None = None
        self._unsent = b""
        self._corked = self._ended = False

    # --- from the connection

    def began(self, ended: bool) -> None:
        if not ended and (b"expect", b"100-continue") in self._headers:
            self._connection.frames.send_headers(self.number, [(b":status", b"100")])

    def received(self, data: bytes) -> None:
        self._size += len(data)
        self._parts.append(data)
        if self._size > MAX_BODY_BYTES:
            self.respond(400, [], b"")
            self._connection.frames.reset_stream(self.number, ErrorCodes.NO_ERROR)

    def complete(self, now: float) -> None:
        """The request is whole."""
        headers = _folded(self._headers)
        method, url = headers.pop(":method"), headers.pop(":path", "")
        headers.setdefault("host", headers.get(":authority", ""))  # a signature may cover either
        body, self._parts = b"".join(self._parts), []
        try:
            request = Request(method, url, headers, body, now)
        except ValueError:
            return self.respond(400, [], b"")
        current = self._connection.serve(request, self)
        if not self._ended:
            self._current = current

    def disconnected(self, reason: str) -> None:
        current, self._current, self._ended = self._current, None, True
        if current is not None:
            current.disconnected(reason)

    # --- to the client

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self.start_chunked(status, [*headers, ("Content-Length", str(len(body)))])
        self._unsent = body
        self.finish()

    def respond_cut(self, status: int, headers: Headers, body: bytes, sent: int, reset: bool) -> None:
        self.start_chunked(status, [*headers, ("Content-Length", str(len(body)))])
        self.chunk(body[:sent])
        self.drop(reset)

    def start_chunked(self, status: int, headers: Headers) -> None:
        self._head = [(b":status", b"%d" % status)]
        self._head += [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in (date_header(), *headers)]

    def chunk(self, data: bytes) -> None:
        self._unsent += data
        if not self._corked:
            self._flush()

    def cork(self) -> None:
        self._corked = True

    def uncork(self) -> None:
        if self._corked:
            self._flush()

    def finish(self) -> None:
        self._ended, self._current = True, None
        self._flush()

    def drop(self, reset: bool = False) -> None:
        """A server that loses what stands behind it resets the stream and goes on with the others; `reset` is the network's
        end, of all of them."""
        self.uncork()
        self._ended, self._current = True, None
        self._connection.forget(self)
        if reset:
            return self._connection.reset()
        self._connection.frames.reset_stream(self.number, ErrorCodes.INTERNAL_ERROR)
        self._connection.flush()

    def _flush(self) -> None:
        self._corked = False
        self.pump()
        self._connection.flush()

    def pump(self) -> None:
        """Hand the library as much as the client's windows allow."""
        frames, number, data = self._connection.frames, self.number, self._unsent
        if self._head is not None:
            head, self._head = self._head, None
            frames.send_headers(number, head)
        room, most, at = min(len(data), frames.local_flow_control_window(number)), frames.max_outbound_frame_size, 0
        while at < room:
            part = data[at : min(at + most, room)]
            at += len(part)
            if self._ended and at == len(data):
                frames.send_data(number, part, end_stream=True)
            else:
                frames.send_more(number, part)
        if self._ended and not data:
            frames.end_stream(number)
        self._unsent = data[at:]
        if self._unsent:
            self._connection.blocked(self)
        elif self._ended:
            self._connection.forget(self)


def _folded(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By name; those that came several times in one line."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}{'; ' if key == 'cookie' else ','}{text}" if key in found else text
    return found
