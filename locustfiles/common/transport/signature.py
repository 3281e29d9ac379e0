"""AWS signatures (SigV4), made by botocore and repeated: between two requests of one kind only date, body and signature differ.

botocore signs the first request of a kind. What it signed is kept where repeating it gives botocore's own signature, and with
it the key of the day; anything else, and whatever has new credentials, is for botocore again.
"""

import hashlib
import hmac
import time
import typing

import botocore.auth
import botocore.awsrequest

_SCHEME = "AWS4-HMAC-SHA256"


class Credentials(typing.Protocol):
    """As botocore freezes them."""

    access_key: str
    secret_key: str
    token: str | None


class _Botocores(botocore.auth.SigV4Auth):
    """Keeps what it signed."""

    canonical = ""

    def string_to_sign(self, request: botocore.awsrequest.AWSRequest, canonical_request: str) -> str:
        self.canonical = canonical_request
        return super().string_to_sign(request, canonical_request)


class Repeated:
    """Signatures of one kind of request, by one key."""

    def __init__(self, credentials: Credentials, region: str, service: str, before: str, between: str) -> None:
        """before, between: the canonical request up to its date, and from there to the hash of the body."""
        self.credentials = credentials
        self._scope = f"{region}/{service}/aws4_request"
        self._steps = (region, service, "aws4_request")
        self._before, self._between = before, between
        names = between.rsplit("\n", 2)[-2]
        self._words = f"/{self._scope}, SignedHeaders={names}, Signature="
        self._day, self._key = "", b""

    def authorization(self, stamp: str, body: bytes) -> str:
        """The header of a request of this moment, `20260131T235959Z`."""
        day = stamp[:8]
        if day != self._day:
            self._day, self._key = day, self._key_of(day)
        canonical = f"{self._before}{stamp}{self._between}{hashlib.sha256(body).hexdigest()}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{_SCHEME}\n{stamp}\n{day}/{self._scope}\n{digest}"
        signature = hmac.digest(self._key, text.encode(), "sha256").hex()
        return f"{_SCHEME} Credential={self.credentials.access_key}/{day}{self._words}{signature}"

    def _key_of(self, day: str) -> bytes:
        key = f"AWS4{self.credentials.secret_key}".encode()
        for step in (day, *self._steps):
            key = hmac.digest(key, step.encode(), "sha256")
        return key


def signed(
    credentials: Credentials, region: str, service: str, request: botocore.awsrequest.AWSRequest
) -> Repeated | None:
    """Sign `request` by botocore. What repeats it, or None where that gives another signature."""
    signer = _Botocores(credentials, service, region)
    signer.add_auth(request)
    stamp, canonical = request.context["timestamp"], signer.canonical
    body = request.data
    before, found, rest = canonical.partition(stamp)
    between = rest.removesuffix(hashlib.sha256(body).hexdigest())
    if not found or between == rest or stamp in rest or between.count("\n") < 2:
        return None
    repeated = Repeated(credentials, region, service, before, between)
    return repeated if repeated.authorization(stamp, body) == request.headers["Authorization"] else None


class Now:
    """The time as signatures have it, made once a second."""

    def __init__(self) -> None:
        self._second, self._stamp = -1, ""

    def stamp(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        return self._stamp
