"""A small S3: objects of configured buckets, written, read and looked at by path-style requests; signatures are checked, errors are
XML. No lists, no deletes, no parts."""

import email.utils
import hashlib
import random
import time
import typing
import urllib.parse
import uuid
import xml.sax.saxutils

from scripts.emulator.errors import AwsError
from scripts.emulator.sigv4 import Verifier, canonical_request, signature

UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")  # of requests over TLS
#: how the front door's refusals are called here
_CODES = {
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "UnrecognizedClientException": "InvalidAccessKeyId",
    "ExpiredTokenException": "ExpiredToken",
    "MissingAuthenticationTokenException": "AccessDenied",
    "IncompleteSignatureException": "AuthorizationHeaderMalformed",
}
_STATUS = {"ExpiredToken": 400, "AuthorizationHeaderMalformed": 400}


class S3Verifier(Verifier):
    """S3 signs the path as it is on the wire, and the hash of the body that a header tells, true or none."""

    def _expected(self, request, parts: dict[str, str], stamp: str, key: bytes) -> str:
        signed = parts["SignedHeaders"].split(";")
        claimed = request.headers.get("x-amz-content-sha256")
        if claimed is None:
            raise AwsError(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        if not all(name in request.headers for name in ("host", "x-amz-date", *signed)) or "host" not in signed:
            raise AwsError(403, "AccessDenied", "There were headers present in the request which were not signed")
        if claimed not in UNSIGNED and claimed != hashlib.sha256(request.body).hexdigest():
            text = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise AwsError(400, "XAmzContentSHA256Mismatch", text)
        headers, path = {name: request.headers[name] for name in signed}, urllib.parse.unquote(request.raw_path)
        canonical = canonical_request(request.method, path, request.query, headers, signed, claimed)
        return signature(canonical, stamp, parts["Credential"].split("/", 1)[1], key)


class Stored(typing.NamedTuple):
    """An object. written: Unix seconds."""

    body: bytes
    content_type: str
    written: float

    def headers(self) -> list[tuple[str, str]]:
        return [
            ("ETag", f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'),
            ("Last-Modified", email.utils.formatdate(self.written, usegmt=True)),
            ("Accept-Ranges", "bytes"),
            ("Content-Type", self.content_type),
        ]


class S3:
    """All buckets. What is not there is forbidden where no caller may list a bucket."""

    def __init__(self, buckets: typing.Iterable[str], verifier: S3Verifier, config):
        self._objects: dict[str, dict[str, Stored]] = {name: {} for name in buckets}
        self._verifier, self._hidden = verifier, frozenset(config.hidden_buckets)
        self._slow_down, self._draws = config.slow_down, random.Random(0)

    @staticmethod
    def wanted(request) -> bool:
        """Whether a request is signed for this service."""
        return "/s3/aws4_request" in request.headers.get("authorization", "")

    def put(self, location: str, body: bytes, content_type: str = "application/json") -> None:
        """At `s3://bucket/key`. Raises KeyError."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        self._objects[bucket][key] = Stored(body, content_type, time.time())

    def get(self, location: str) -> bytes | None:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        found = self._objects.get(bucket, {}).get(key)
        return found.body if found else None

    def answer(self, request, connection) -> None:
        request_id = uuid.uuid4().hex[:16].upper()
        own = [("x-amz-request-id", request_id), ("x-amz-id-2", request_id * 4)]
        try:
            status, headers, body = self._answer(request)
        except AwsError as error:
            code = _CODES.get(error.code, error.code)
            status = _STATUS.get(code, error.status)
            headers, body = [("Content-Type", "application/xml")], _xml(code, error, request_id)
        connection.respond(status, [*own, *headers], body)

    def _answer(self, request) -> tuple[int, list[tuple[str, str]], bytes]:
        """Raises AwsError."""
        self._verifier.check(request, "s3")
        if self._draws.random() < self._slow_down:
            raise AwsError(503, "SlowDown", "Please reduce your request rate.")
        bucket, _, key = urllib.parse.unquote(request.raw_path).lstrip("/").partition("/")
        if bucket not in self._objects:
            raise AwsError(404, "NoSuchBucket", "The specified bucket does not exist", {"BucketName": bucket})
        if not key or request.method not in ("PUT", "GET", "HEAD"):
            raise AwsError(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        if request.method == "PUT":
            body = _plain(request)
            stored = Stored(body, request.headers.get("content-type", "binary/octet-stream"), time.time())
            self._objects[bucket][key] = stored
            return 200, stored.headers()[:1], b""
        found = self._objects[bucket].get(key)
        if found is None and bucket in self._hidden:
            raise AwsError(403, "AccessDenied", "Access Denied")
        if found is None:
            raise AwsError(404, "NoSuchKey", "The specified key does not exist.", {"Key": key})
        return 200, found.headers(), found.body


def _plain(request) -> bytes:
    """A body without the frames of `aws-chunked`, in which SDKs send it over TLS, with a checksum behind it."""
    if "aws-chunked" not in request.headers.get("content-encoding", ""):
        return request.body
    rest, parts = request.body, []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            break
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(parts)


def _xml(code: str, error: AwsError, request_id: str) -> bytes:
    members = {
        "Code": code,
        "Message": error.message,
        **error.members,
        "RequestId": request_id,
        "HostId": request_id * 4,
    }
    inner = "".join(f"<{name}>{xml.sax.saxutils.escape(str(value))}</{name}>" for name, value in members.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()
