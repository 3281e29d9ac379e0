"""A lean pooled HTTP/1.1 client that measures: connections by origin, and the event loop's own lag."""

import ssl
import time

from gevent.hub import get_hub

from locustfiles.common.connection import Broken, Connection, Exchange, Origin

CONNECT_TIMEOUT_S = 10.0
LAG_PROBE_S = 0.01


class Transport:
    """Pools of connections by origin, with a probe of the event loop's lag. Raises nothing but GreenletExit."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._idle: dict[Origin, list[Connection]] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._probed = time.perf_counter()
        self._probe = get_hub().loop.timer(LAG_PROBE_S, LAG_PROBE_S)
        self._probe.start(self._measure_lag)

    def _measure_lag(self) -> None:
        now = time.perf_counter()
        lag = now - self._probed - LAG_PROBE_S
        self._probed = now
        for exchange in self._exchanges.values():
            if lag > exchange.lag_s:
                exchange.lag_s = lag

    @property
    def count(self) -> int:
        """Requests in flight."""
        return len(self._exchanges)

    def exchange(self, origin: Origin, request: bytes, timeout_s: float) -> Exchange:
        """Send a whole HTTP request, wait for the whole answer; failures are in the Exchange."""
        exchange = Exchange(sent_at=time.perf_counter())
        self._exchanges[id(exchange)] = exchange
        deadline = exchange.sent_at + timeout_s
        connection = None
        try:
            connection = self._take(origin) or self._open(origin, exchange, timeout_s)
            connection.run(exchange, request, deadline)
        except Broken as e:
            exchange.error, exchange.error_message = e.error, e.message
            exchange.done_at = time.perf_counter()
        finally:
            del self._exchanges[id(exchange)]
            if connection is not None:
                if exchange.ended and connection.keep_alive:
                    self._idle.setdefault(origin, []).append(connection)
                else:
                    connection.close()
        return exchange

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.fresh():
                return connection
            connection.close()
        return None

    def _open(self, origin: Origin, exchange: Exchange, timeout_s: float) -> Connection:
        exchange.reconnect = 1
        return self._connect(origin, min(CONNECT_TIMEOUT_S, timeout_s))

    def _connect(self, origin: Origin, timeout_s: float) -> Connection:
        if origin.scheme == "https" and self._context is None:
            self._context = ssl.create_default_context(cafile=self._ca_file)
        return Connection(origin, self._context if origin.scheme == "https" else None, timeout_s)

    def check(self, origin: Origin) -> str | None:
        """Connect and send nothing; the connection is kept for use. What went wrong, or None."""
        try:
            self._idle.setdefault(origin, []).append(self._connect(origin, CONNECT_TIMEOUT_S))
        except Broken as e:
            return e.message
        return None
