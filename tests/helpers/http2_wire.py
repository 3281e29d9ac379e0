"""A client of HTTP/2 that shows its frames, on h2's client side: many streams of one connection, answers as they came."""

import contextlib
import dataclasses
import socket
import ssl

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, WindowUpdated
from h2.settings import SettingCodes, Settings

WIDE = 2**30  # a window that nothing fills
_OF_ONE_CONNECTION = ("host", "connection", "transfer-encoding")


@dataclasses.dataclass
class Answer:
    """`chunks` are the DATA frames' contents. `complete`: the stream came to its end; `reset`: with this error code."""

    status: int | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    chunks: list[bytes] = dataclasses.field(default_factory=list)
    complete: bool = False
    reset: ErrorCodes | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class Client:
    """Makes and reads the bytes of a connection; `send` takes what is to leave. `window`: bytes that may be under way, of
    each stream and of all; `acknowledges`: opens it again by itself."""

    def __init__(self, send, window: int = WIDE, acknowledges: bool = True):
        self._send, self._acknowledges = send, acknowledges
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="latin-1"))
        self.h2.local_settings = Settings(client=True, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.h2.initiate_connection()
        if window > self.h2.inbound_flow_control_window:
            self.h2.increment_flow_control_window(window - self.h2.inbound_flow_control_window)
        self.answers: dict[int, Answer] = {}
        self._bodies: dict[int, bytes] = {}  # what the server's windows had no room for
        self.flush()

    def flush(self) -> None:
        if data := self.h2.data_to_send():
            self._send(data)

    def ask(self, path: str, headers: dict, body: bytes) -> int:
        """Sends a request; its stream's number."""
        number = self.h2.get_next_available_stream_id()
        authority = {k.lower(): v for k, v in headers.items()}["host"]
        pseudo = {":method": "POST", ":path": path, ":scheme": "http", ":authority": authority}
        plain = {k.lower(): v for k, v in headers.items() if k.lower() not in _OF_ONE_CONNECTION}
        self.h2.send_headers(number, [*pseudo.items(), *plain.items()])
        self.answers[number], self._bodies[number] = Answer(), body
        self._pump(number)
        return number

    def _pump(self, number: int) -> None:
        body = self._bodies[number]
        room, at = min(len(body), self.h2.local_flow_control_window(number)), 0
        while at < room:
            part = body[at : min(room, at + self.h2.max_outbound_frame_size)]
            at += len(part)
            self.h2.send_data(number, part, end_stream=at == len(body))
        if at == len(body):
            del self._bodies[number]
        else:
            self._bodies[number] = body[at:]
        self.flush()

    def under_way(self) -> list[int]:
        return [n for n, a in self.answers.items() if not a.complete and a.reset is None]

    def receive(self, data: bytes) -> list[int]:
        """The streams that ended in these bytes."""
        ended, events = [], self.h2.receive_data(data)
        for event in events:  # what was still to send of these streams is not wanted
            if isinstance(event, StreamReset):
                self._bodies.pop(event.stream_id, None)
        for event in events:
            answer = self.answers.get(getattr(event, "stream_id", None))
            match event:
                case ResponseReceived():
                    answer.headers = dict(event.headers)
                    answer.status = int(answer.headers.pop(":status"))
                case DataReceived():
                    answer.chunks.append(event.data)
                    if self._acknowledges:
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case StreamEnded():
                    answer.complete = True
                    ended.append(event.stream_id)
                case StreamReset():
                    answer.reset = event.error_code
                    ended.append(event.stream_id)
                case WindowUpdated():
                    for number in list(self._bodies):
                        self._pump(number)
        self.flush()
        return ended


class Connection:
    """A client on a socket of its own; `closed` once the server has ended it, `reset` if with RST."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, **client):
        sock = socket.create_connection(("127.0.0.1", port), 60)
        self.sock = tls.wrap_socket(sock, server_hostname="127.0.0.1") if tls else sock
        self.closed = self.reset = False
        self.client = Client(self.sock.sendall, **client)
        self.ask = self.client.ask

    def read(self) -> bool:
        """What comes next; False when the connection has ended."""
        try:
            data = self.sock.recv(65536)
            if data:
                self.client.receive(data)  # which may answer
        except (ConnectionResetError, BrokenPipeError):
            self.reset, data = True, b""
        self.closed = not data
        return bool(data)

    def answer(self, number: int) -> Answer:
        """Of a stream, as far as it comes."""
        while number in self.client.under_way() and self.read():
            pass
        return self.client.answers[number]


@contextlib.contextmanager
def connected(port: int, tls: ssl.SSLContext | None = None, **client):
    connection = Connection(port, tls, **client)
    with connection.sock:
        yield connection
