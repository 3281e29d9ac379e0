"""A client of a master's port that is none of its workers: it sends what it likes, by a socket of its own."""

import contextlib
import typing

import msgpack
import zmq


class Client:
    """`name` is who it says it is to ZeroMQ."""

    def __init__(self, socket: zmq.Socket, name: str) -> None:
        self.socket, self.name = socket, name

    def send(self, kind: str, data: typing.Any = None, in_the_name_of: str | None = None) -> None:
        self.socket.send(msgpack.dumps((kind, data, in_the_name_of or self.name)))

    def hear(self, timeout_s: float = 60.0) -> tuple[str, typing.Any]:
        """(kind, data) of the next message to it."""
        assert self.socket.poll(timeout_s * 1000), "the master sends it nothing"
        kind, data, _ = msgpack.loads(self.socket.recv(), raw=False, strict_map_key=False)
        return kind, data


@contextlib.contextmanager
def connected(port: int, name: str):
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, name.encode())
    socket.setsockopt(zmq.LINGER, 1000)
    socket.connect(f"tcp://127.0.0.1:{port}")
    try:
        yield Client(socket, name)
    finally:
        socket.close()
        context.term()
