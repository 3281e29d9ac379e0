"""Requests to S3 for objects that a call needs, signed by botocore as S3 wants it: the hash of the body is a header, and the path is
quoted once."""

import re
import typing
import urllib.parse

import botocore.auth
import botocore.awsrequest

from locustfiles.common.transport.aws_session import AwsSession
from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.header_lines import check
from locustfiles.common.transport.request_head import host_of
from locustfiles.contract.scenario.targets import Target

_PLACE = re.compile(r"(?:s3://([^/]+)/|https://([^./]+)\.s3[.-][^/]*/|https://s3[.-][^/]*/([^/]+)/)(.+)")


class Place(typing.NamedTuple):
    """An object."""

    bucket: str
    key: str


def place_of(location: str | None) -> Place | None:
    """Of `s3://bucket/key` or an https address of S3's; None of anything else."""
    found = _PLACE.fullmatch(location or "")
    return Place(found[1] or found[2] or found[3], found[4]) if found else None


def s3_request(
    session: AwsSession, target: Target, method: str, place: Place, body: bytes = b""
) -> tuple[Origin, bytes]:
    """Where it goes, and a signed HTTP/1.1 request. AWS's own S3 is asked by the bucket's host, as boto3 does; another server by the
    path. Raises BadInput, and what botocore raises where credentials are not to be had."""
    base, key = session.base("s3", target), urllib.parse.quote(place.key, safe="/-._~")
    if (base.hostname or "").startswith("s3.") and "." not in place.bucket:  # a dot is none of TLS's wildcard
        base, path = base._replace(netloc=f"{place.bucket}.{base.netloc}"), f"/{key}"
    else:
        path = f"{base.path.rstrip('/')}/{place.bucket}/{key}"
    request = botocore.awsrequest.AWSRequest(method=method, url=f"{base.scheme}://{base.netloc}{path}", data=body)
    if method == "PUT":
        request.headers["Content-Type"] = "application/json"
    botocore.auth.S3SigV4Auth(session.frozen_credentials(), "s3", session.region).add_auth(request)
    check(request.headers)
    origin = session.origin_of(base, target)
    behind_proxy = origin.proxy if base.scheme == "http" else None
    where = f"http://{host_of(base)}{path}" if behind_proxy else path
    lines = [f"{method} {where} HTTP/1.1", f"Host: {host_of(base)}", f"Content-Length: {len(body)}"]
    if behind_proxy and behind_proxy.authorization:
        lines.append(f"Proxy-Authorization: {behind_proxy.authorization}")
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return origin, "\r\n".join([*lines, "User-Agent: swarmledger", "", ""]).encode() + body
