"""A lean pooled HTTP/1.1 client that measures: connections by origin and proxy."""

import collections
import ssl
import time

from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.connection import Connection
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.kernel_stamps import require_kernel_stamps
from locustfiles.common.transport.limits import Broken
from locustfiles.common.transport.proxy import refusal
from locustfiles.common.transport.turns import Turns
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.error_classes import ErrorClass

CONNECT_TIMEOUT_S = 10.0


class ConnectionPool:
    """Pools of connections by origin. Its calls raise nothing but GreenletExit."""

    def __init__(self, ca_file: str | None = None, kernel_stamps: bool = False) -> None:
        """Raises BadInput where kernel stamps are asked for and there are none, or `ca_file` holds no certificates."""
        self._witness = require_kernel_stamps() if kernel_stamps else None
        try:
            self._context = ssl.create_default_context(cafile=ca_file)
        except OSError as e:
            raise BadInput(
                f"{ca_file}: no certificates can be read from it ({e.strerror}); check AWS_CA_BUNDLE"
            ) from None
        self._idle: dict[Origin, list[Connection]] = {}
        self._busy: collections.Counter[Origin] = collections.Counter()
        self._turns = Turns()

    def standing(self, origin: Origin) -> int:
        """Connections that are in use, being opened, or idle and still stand."""
        idle = self._idle.setdefault(origin, [])  # changed in place: one that is connecting will be put into this list
        for connection in list(idle):
            if not connection.fresh():
                connection.close()
                idle.remove(connection)
        return len(idle) + self._busy[origin]

    def close(self) -> None:
        """Those that are idle."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def run(self, exchange: Exchange, origin: Origin, request: bytes, timeout_s: float) -> None:
        """Send a whole HTTP request, wait for the whole answer; what came, failures too, is put into `exchange`."""
        exchange.sent_at = time.perf_counter()
        connection = None
        self._busy[origin] += 1
        try:
            connection = self._take(origin)
            if connection is None:
                exchange.reconnect = 1
                connection = self._connect(origin, min(CONNECT_TIMEOUT_S, timeout_s))
            connection.run(exchange, request, exchange.sent_at + timeout_s)
            if connection.untaken and not exchange.reconnect:  # it was closed as the request was sent into it
                connection.close()
                connection, exchange.reconnect = None, 1
                left = exchange.sent_at + timeout_s - time.perf_counter()
                connection = self._connect(origin, min(CONNECT_TIMEOUT_S, max(0.001, left)))
                exchange.begin_again()
                connection.run(exchange, request, exchange.sent_at + timeout_s)
            if connection.untaken:
                raise Broken(ErrorClass.CONNECT, "the connection was closed before it took anything of the request")
            # a proxy's own word, never the endpoint's
            if exchange.status == 407 and origin.proxy and origin.scheme == "http":
                raise Broken(ErrorClass.CONNECT, refusal(origin.proxy, 407, origin.host, origin.port))
        except Broken as e:
            exchange.fail(e)
            exchange.done_at = time.perf_counter()
        finally:
            self._busy[origin] -= 1
            if connection is not None:
                if exchange.ended and connection.keep_alive:
                    self._idle.setdefault(origin, []).append(connection)
                else:
                    connection.close()

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.fresh():
                return connection
            connection.close()
        return None

    def _connect(self, origin: Origin, timeout_s: float) -> Connection:
        context = self._context if origin.scheme == "https" else None
        return Connection(origin, context, timeout_s, self._turns, kernel_stamps=self._witness is not None)

    def open(self, origin: Origin) -> str | None:
        """Connect and send no request; the connection is kept for use. What went wrong, or None.

        Of a proxy before an http origin, and of one that is spoken to over https, only that it listens is known.
        """
        self._busy[origin] += 1
        try:
            if origin.proxy and origin.proxy.secure:
                self._connect(Origin("http", origin.host, origin.port, origin.proxy), CONNECT_TIMEOUT_S).close()
            else:
                self._idle.setdefault(origin, []).append(self._connect(origin, CONNECT_TIMEOUT_S))
        except Broken as e:
            return e.message
        finally:
            self._busy[origin] -= 1
        return None
