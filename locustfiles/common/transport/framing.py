"""HTTP's own framing of the answers on one connection, as far as it must be known while they arrive."""

import collections.abc

import httptools

from locustfiles.common.transport import limits
from locustfiles.common.transport.exchange import Exchange, idle_seconds
from locustfiles.common.transport.limits import Broken
from locustfiles.contract.error_classes import ErrorClass

_names: dict[bytes, str] = {}  # of headers: a handful, which all answers repeat
_KEPT = 256


class OutOfStep(Exception):
    """Something comes after the answer's end."""


class Framing:
    """One answer after the other. Also the parser's callback object, for the exchange under way."""

    def __init__(self, ended: collections.abc.Callable[[], None]) -> None:
        """ended: called when an answer is whole."""
        self._ended = ended
        self._exchange: Exchange | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._now = 0.0
        self._body: list[bytes] = []  # what one read brought of the body
        self.came = 0  # bytes of the answer under way, headers and framing included
        self.until_close = False  # the answer ends where the connection does
        self.closes_at: float | None = None  # when the server will close it if it is idle, as it said itself
        self.keep_alive = True

    def begin(self, exchange: Exchange) -> None:
        self._exchange, self.came = exchange, 0
        self._parser, self.until_close = httptools.HttpResponseParser(self), False

    def end(self) -> None:
        """What comes now is no part of the answer."""
        self._exchange = None

    def feed(self, data: bytes, now: float) -> None:
        """Raises Broken, and OutOfStep after the end."""
        exchange, self._now = self._exchange, now
        self.came += len(data)
        if self.came > limits.MAX_ANSWER_BYTES:
            raise limits.too_many_bytes()
        try:
            self._parser.feed_data(data)
            if exchange is not None and exchange.status is None and self.came > limits.MAX_HEAD_BYTES:
                raise limits.too_many_headers()
        except httptools.HttpParserCallbackError as e:  # a limit, or a bug of ours, not the server's
            raise e.__context__ or e from None
        except httptools.HttpParserError as e:
            raise Broken(ErrorClass.BAD_RESPONSE, f"not HTTP: {e}") from None
        except httptools.HttpParserUpgrade:
            raise Broken(ErrorClass.BAD_RESPONSE, "101 Switching Protocols, which nobody asked for") from None
        finally:
            if self._body and exchange is not None:  # in one piece: a server may send a byte a chunk
                exchange.chunks.append((now, self._body[0] if len(self._body) == 1 else b"".join(self._body)))
                self._body.clear()
        if exchange is not None and len(exchange.chunks) > limits.MAX_PIECES:
            raise limits.too_many_pieces()

    # what httptools calls: an exception is raised where it was fed

    def on_header(self, name: bytes, value: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            raise OutOfStep
        if exchange.status is not None:  # a trailer: nothing that the headers said may change after them
            return
        if len(exchange.headers) >= limits.MAX_HEADERS:
            raise limits.too_many_headers()
        exchange.headers[_names.get(name) or _name(name)] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if exchange is None:
            raise OutOfStep
        headers = exchange.headers
        exchange.status = self._parser.get_status_code()
        self.keep_alive = self._parser.should_keep_alive()
        self.until_close = "content-length" not in headers and "transfer-encoding" not in headers
        self.closes_at = self._now + idle_seconds(headers["keep-alive"]) if "keep-alive" in headers else None

    def on_body(self, body: bytes) -> None:
        if self._exchange is None:
            raise OutOfStep
        self._body.append(body)

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if exchange is None:
            raise OutOfStep
        if exchange.status is not None and exchange.status < 200:  # 100 Continue and the like: the answer is to come
            exchange.status, exchange.headers, self.until_close = None, {}, False
            return
        exchange.ended = True
        self._ended()


def _name(name: bytes) -> str:
    text = name.decode("latin-1").lower()
    if len(_names) < _KEPT:
        _names[name] = text
    return text
