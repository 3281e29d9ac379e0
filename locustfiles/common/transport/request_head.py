"""A request up to its body, as it is written: of those of one kind length, date and authorization are put into the same text."""

import typing
import urllib.parse

from locustfiles.common.transport.header_lines import check
from locustfiles.common.transport.proxy import Proxy

DATE, AUTHORIZATION = "X-Amz-Date", "Authorization"
_OPEN = "\0"  # stands for what differs: no header holds it


def host_of(base: urllib.parse.SplitResult) -> str:
    """The Host header that botocore signs: lower case, without a default port."""
    host = base.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}[base.scheme]
    return host if base.port in (None, default) else f"{host}:{base.port}"


class Head:
    """Of one kind of request. Raises UnsafeHeader."""

    def __init__(
        self, base: urllib.parse.SplitResult, path: str, headers: typing.Mapping[str, str], proxy: Proxy | None
    ) -> None:
        """A proxy before an http endpoint reads the whole URL in the first line, and its own header; neither is signed."""
        check(headers)
        host = host_of(base)
        place = f"http://{host}{path}" if proxy else path
        lines = [f"POST {place} HTTP/1.1", f"Host: {host}", f"Content-Length: {_OPEN}"]
        if proxy and proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        lines += [
            f"{name}: {_OPEN if name == DATE else value}" for name, value in headers.items() if name != AUTHORIZATION
        ]
        self._given = [headers[name] for name in (DATE, AUTHORIZATION) if name in headers]
        if AUTHORIZATION in headers:
            lines.append(f"{AUTHORIZATION}: {_OPEN}")
        self._parts = "\r\n".join([*lines, "User-Agent: swarmledger", "", ""]).encode().split(_OPEN.encode())

    def written(self, body: bytes, *given: str) -> bytes:
        """The whole request; given: date and authorization, else those it was made with."""
        parts = self._parts
        whole = [parts[0], b"%d" % len(body)]
        for part, value in zip(parts[1:], (*(given or self._given), None), strict=True):
            whole.append(part)
            if value is not None:
                whole.append(value.encode())
        return b"".join([*whole, body])
