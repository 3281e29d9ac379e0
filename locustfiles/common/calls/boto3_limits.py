"""The limits on an answer, and the event loop's turn, for boto3: its clients themselves know neither.

urllib3 reads a header line, a chunk's extension or a whole body for as long as something comes, and a gevent socket gives
way only when it has nothing to hand over: a server that never pauses would keep every other call from being stamped and
this one from ending at its deadline. So the bytes are counted where http.client takes them from the socket.
"""

import http.client
import io
import time
import typing

import botocore.awsrequest
import gevent

from locustfiles.common.transport.limits import MAX_ANSWER_BYTES, too_many_bytes

_TURN_S = 0.005  # after so long others have their turn


class _Counted(io.RawIOBase):
    """What comes from the socket for one answer. Its reads raise Broken where that is too much."""

    def __init__(self, raw: typing.Any) -> None:
        self._raw = raw
        self._came = 0
        self._since = time.perf_counter()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: typing.Any) -> int | None:
        n: int | None = self._raw.readinto(buffer)
        self._came += n or 0
        if self._came > MAX_ANSWER_BYTES:
            raise too_many_bytes()
        if time.perf_counter() - self._since > _TURN_S:
            gevent.sleep(1e-5)  # not 0, which would come back before any timer
            self._since = time.perf_counter()
        return n

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = io.BufferedReader(_Counted(self.fp.detach()))


class _Http(botocore.awsrequest.AWSHTTPConnection):
    response_class = _Answer


class _Https(botocore.awsrequest.AWSHTTPSConnection):
    response_class = _Answer


class _HttpPool(botocore.awsrequest.AWSHTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(botocore.awsrequest.AWSHTTPSConnectionPool):
    ConnectionCls = _Https


def limit(client: typing.Any) -> None:
    """The client's answers have limits from now on; what it sends, reads and raises is otherwise its own."""
    client._endpoint.http_session._pool_classes_by_scheme.update(http=_HttpPool, https=_HttpsPool)
