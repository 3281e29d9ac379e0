"""Which proxy an endpoint is reached through: boto3's decision, and what a proxy is asked and answers."""

import base64
import dataclasses
import http
import os
import urllib.parse

import botocore.utils

from locustfiles.contract.bad_input import BadInput


@dataclasses.dataclass(frozen=True)
class Proxy:
    """`authorization` is the Proxy-Authorization header's value. `secure` proxies (https://) are boto3's alone to use."""

    host: str
    port: int
    variable: str  # where it is set
    secure: bool = False
    authorization: str | None = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        return authority(self.host, self.port)


def authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def proxy_for(url: str, secure: bool = False) -> Proxy | None:
    """The proxy that boto3 would use for `url`, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY (lower case first), or None.

    NO_PROXY lists host names, their parents and addresses, with or without a port, or is `*`; it knows no
    address ranges, and loopback goes through a proxy like any other address. Raises BadInput for a URL that is none,
    and for an https:// one unless `secure`.
    """
    scheme = urllib.parse.urlsplit(url).scheme
    setting = botocore.utils.get_environ_proxies(url).get(scheme)
    return _parse(setting, _variable(scheme), secure) if setting else None


def _variable(scheme: str) -> str:
    names = [n for n in os.environ if n.lower() == f"{scheme}_proxy" and os.environ[n]]
    return min(names, key=lambda n: n != n.lower(), default=f"the system's {scheme} proxy")


def _parse(setting: str, variable: str, secure: bool) -> Proxy:
    """No part of the setting may reach a message: where a `/` stands unquoted in a password, the password looks like a port."""
    try:
        url = urllib.parse.urlsplit(setting if "://" in setting else f"http://{setting.removeprefix('//')}")
        host, port = url.hostname, url.port
    except ValueError:
        host = None
    if not host or port == 0 or any(c.isspace() for c in host) or "@" in url.path + url.query + url.fragment:
        raise BadInput(
            f"{variable}: no proxy URL; write http://host:port or http://user:password@host:port, "
            "special characters in user and password percent-encoded"
        )
    if url.scheme not in ("http", "https"):
        raise BadInput(
            f"{variable}: a proxy's URL begins with http://, this one with {url.scheme}://; name an http:// proxy"
        )
    if url.scheme == "https" and not secure:
        raise BadInput(
            f"{variable}: an https:// proxy needs `transport: boto3` in the scenario; or name an http:// proxy"
        )
    authorization = None
    if url.username is not None:
        pair = f"{urllib.parse.unquote(url.username)}:{urllib.parse.unquote(url.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    return Proxy(host, port or (443 if url.scheme == "https" else 80), variable, url.scheme == "https", authorization)


def tunnel_request(proxy: Proxy, host: str, port: int) -> bytes:
    """What opens a tunnel to `host`."""
    there = authority(host, port)
    lines = [f"CONNECT {there} HTTP/1.1", f"Host: {there}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "User-Agent: swarmledger", "", ""]).encode("ascii")


def tunnel_status(head: bytes) -> int | None:
    """The status of a proxy's answer, None where it is not HTTP."""
    parts = head.split(b"\r\n", 1)[0].split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or len(parts[1]) != 3 or not parts[1].isdigit():
        return None
    return int(parts[1])


def refusal(proxy: Proxy, status: int, host: str, port: int) -> str:
    """What a proxy's refusal means, and the remedy."""
    name = f"{status} {http.HTTPStatus(status).phrase}" if status in list(http.HTTPStatus) else str(status)
    said = f"proxy {proxy} refuses {authority(host, port)}: {name}; "
    if status == 407:
        return said + f"put a valid user and password into {proxy.variable}: http://user:password@host:port"
    if status in (401, 403, 405):
        return said + f"have the proxy allow this host, or list {host} in NO_PROXY"
    return said + f"check that the proxy reaches it, or list {host} in NO_PROXY"
