"""The master's port, which anybody may reach who reaches its machine: what is no message of Locust's form is dropped here."""

import logging

import gevent
import zmq
from locust.exception import RPCError
from locust.rpc import Message, zmqrpc

MOST_BYTES = 16 << 20  # of a message; a report of 5,000 records has some 2 MiB
SAID = 20  # lines about what is dropped, of one master
log = logging.getLogger("swarmledger")


def shown(text: object) -> str:
    """What a stranger sent, for a line of the log."""
    return ascii(str(text)[:60])


class GuardedServer(zmqrpc.Server):
    """Locust's socket. A message that cannot be read is told and dropped, where it would end the greenlet that listens."""

    _dropped = 0

    @property
    def socket(self) -> zmq.Socket:
        return self._socket

    @socket.setter
    def socket(self, made: zmq.Socket) -> None:
        made.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)  # heeded only by a socket that is not bound yet
        self._socket = made

    def recv_from_client(self) -> tuple[str, Message]:
        """(the sender's id as ZeroMQ knows it, the message). Raises RPCError."""
        while True:
            try:
                frames = self.socket.recv_multipart()
            except zmq.ZMQError as e:
                raise RPCError("ZMQ network broken") from e
            try:
                sender, packed = frames
                message = Message.unserialize(packed)
                if not (isinstance(message.type, str) and isinstance(message.node_id, str)):
                    raise ValueError("no message of Locust's form")
                return sender.decode(), message
            except Exception as e:  # whatever unpacking makes of bytes that are none of Locust's
                self._drop(frames[0], e)
            gevent.sleep(0)  # many of them must not keep the others from running

    def _drop(self, sender: bytes, why: Exception) -> None:
        self._dropped += 1
        if self._dropped <= SAID:
            log.error(
                "master port: a message that cannot be read is dropped (from %s: %s: %s); let nothing but this run's workers reach it",
                *(shown(sender.hex()), type(why).__name__, shown(why)),
            )


def guard() -> None:
    """Every master that Locust makes from now on in this process has such a port."""
    zmqrpc.Server = GuardedServer  # type: ignore[misc]
