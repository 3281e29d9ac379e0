"""Verification of AWS Signature Version 4 and of Bedrock's bearer tokens.

The canonical request is rebuilt from the wire and signed again with the configured secret. Source: AWS General
Reference, "Create a signed AWS API request". Services other than S3 encode the path a second time: the wire's
`%3A` is signed as `%253A`."""

import base64
import calendar
import functools
import hashlib
import hmac
import re
import time
import urllib.parse

from scripts.emulator.errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_SKEW_S = 300
VERSION, MOST_KEY_S = "&Version=1", 43_200  # of short-term API keys
_KEPT_BYTES = 8192  # of a body whose signature is kept
_PARTS = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_STAMP = re.compile(r"\d{8}T\d{6}Z")


def _refuse(code: str, message: str) -> AwsError:
    return AwsError(403, code, message, authentication=True)


def _no_key() -> AwsError:
    return _refuse("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")


@functools.lru_cache(maxsize=256)
def _parts_of(header: str) -> dict[str, str]:
    """Of an Authorization header; not to be changed."""
    return dict(_PARTS.findall(header))


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


@functools.lru_cache(maxsize=64)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The derived key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


@functools.lru_cache(maxsize=64)
def _unix_seconds(stamp: str) -> int:
    """Raises AwsError for a date that the calendar does not have."""
    try:
        return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise _refuse(
            "IncompleteSignatureException", f"Date must be in ISO-8601 'basic format'. Got '{stamp}'."
        ) from None


def _canonical_query(query: str) -> str:
    """Names and values decoded, encoded once the strict way, sorted."""
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    quoted = sorted((urllib.parse.quote(k, safe="-_.~"), urllib.parse.quote(v, safe="-_.~")) for k, v in pairs)
    return "&".join(f"{k}={v}" for k, v in quoted)


def canonical_request(
    method: str, raw_path: str, query: str, headers: dict[str, str], signed: list[str], body_hash: str
) -> str:
    """The text whose hash is signed. `raw_path` is the path as on the wire; header names are lower case."""
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed)
    return "\n".join(
        (
            method,
            urllib.parse.quote(raw_path or "/", safe="/~-_."),
            _canonical_query(query),
            lines,
            ";".join(signed),
            body_hash,
        )
    )


def signature(canonical: str, stamp: str, scope: str, key: bytes) -> str:
    to_sign = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    return _hmac(key, to_sign).hex()


class Verifier:
    """Checks requests against configured credentials. `clock` gives Unix seconds."""

    def __init__(self, credentials, bearer_tokens=(), region: str | None = None, clock=time.time):
        self._by_key = {c.access_key: c for c in credentials}
        self._bearer = frozenset(bearer_tokens)
        self._region = region
        self._clock = clock

    def check(self, request, service: str, also: str | None = None, keyed: bool = False) -> str:
        """The region the request was signed for. also: another service that it may be signed for; keyed: it must have a key.
        Raises AwsError 403 as AWS words it."""
        header = request.headers.get("authorization")
        if not header:
            raise _refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
        if keyed or (header.startswith("Bearer ") and service == "bedrock"):
            if service == "bedrock" and any(hmac.compare_digest(header[7:].encode(), t.encode()) for t in self._bearer):
                return self._region or "us-east-1"
            return self._check_short_term_key(header.removeprefix("Bearer "), service)
        parts = _parts_of(header)
        if also and f"/{also}/" in parts.get("Credential", ""):
            service = also
        return self._check_signature(header, parts, request, service)

    def _check_short_term_key(self, key: str, service: str) -> str:
        """A presigned request in base64, as AWS's generators make it."""
        try:
            text = base64.b64decode(key.removeprefix(f"{service}-api-key-"), validate=True).decode()
        except ValueError:
            text = ""
        host, _, query = text.partition("/?")
        signed = dict(urllib.parse.parse_qsl(query.removesuffix(VERSION)))
        given = signed.pop("X-Amz-Signature", "")
        scope = signed.get("X-Amz-Credential", "").split("/")
        stamp, lasts = signed.get("X-Amz-Date", ""), signed.get("X-Amz-Expires", "")
        known = self._by_key.get(scope[0])
        right = query.endswith(VERSION) and len(scope) == 5 and scope[3] == service
        if known is None or not (right and _STAMP.fullmatch(stamp) and lasts.isdecimal() and int(lasts) <= MOST_KEY_S):
            raise _no_key()
        if known.session_token != signed.get("X-Amz-Security-Token") or known.expired:
            raise _no_key()
        canonical = canonical_request("POST", "/", urllib.parse.urlencode(signed), {"host": host}, ["host"], _hash(b""))
        key_of = signing_key(known.secret_key, *scope[1:4])
        expected = signature(canonical, stamp, "/".join(scope[1:]), key_of)
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise _no_key()
        if self._clock() > _unix_seconds(stamp) + int(lasts):
            raise _refuse("AccessDeniedException", "Authentication failed: API Key has expired.")
        return scope[2]

    def _check_signature(self, header: str, parts: dict[str, str], request, service: str) -> str:
        if not header.startswith(ALGORITHM) or len(parts) < 3:
            missing = [p for p in ("Credential", "Signature", "SignedHeaders") if p not in parts]
            text = (
                " ".join(f"Authorization header requires '{p}' parameter." for p in missing) or "Unsupported algorithm."
            )
            raise _refuse("IncompleteSignatureException", text)
        stamp = request.headers.get("x-amz-date", "")
        if not _STAMP.fullmatch(stamp):
            raise _refuse(
                "IncompleteSignatureException",
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            )
        key_id, date, region = self._check_scope(parts["Credential"], stamp, service)
        credential = self._check_credential(key_id, request.headers.get("x-amz-security-token"))
        self._check_skew(stamp)
        expected = self._expected(request, parts, stamp, signing_key(credential.secret_key, date, region, service))
        if not hmac.compare_digest(expected.encode(), parts["Signature"].encode()):
            raise _refuse(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            )
        return region

    def _check_scope(self, credential: str, stamp: str, service: str) -> tuple[str, str, str]:
        scope = credential.split("/")
        if len(scope) != 5 or scope[4] != "aws4_request":
            raise _refuse(
                "IncompleteSignatureException",
                "Credential must have exactly 5 slash-delimited elements, "
                f"e.g. keyid/date/region/service/term, got '{credential}'",
            )
        key_id, date, region, scoped, _ = scope
        if scoped != service:
            raise _refuse("InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'. ")
        if self._region and region != self._region:
            raise _refuse("InvalidSignatureException", "Credential should be scoped to a valid region. ")
        if date != stamp[:8]:
            raise _refuse(
                "InvalidSignatureException",
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{date}' != '{stamp[:8]}', from '{stamp}'.",
            )
        return key_id, date, region

    def _check_credential(self, key_id: str, token: str | None):
        credential = self._by_key.get(key_id)
        if credential is None or credential.session_token != token:
            raise _refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
        if credential.expired:
            raise _refuse("ExpiredTokenException", "The security token included in the request is expired")
        return credential

    def _check_skew(self, stamp: str) -> None:
        now, sent = self._clock(), _unix_seconds(stamp)

        def shown(seconds: float) -> str:
            return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))

        if sent < now - MAX_SKEW_S:
            text = f"Signature expired: {stamp} is now earlier than {shown(now - MAX_SKEW_S)} ({shown(now)} - 5 min.)"
        elif sent > now + MAX_SKEW_S:
            limit = f"{shown(now + MAX_SKEW_S)} ({shown(now)} + 5 min.)"
            text = f"Signature not yet current: {stamp} is still later than {limit}"
        else:
            return
        raise _refuse("InvalidSignatureException", text)

    def _expected(self, request, parts: dict[str, str], stamp: str, key: bytes) -> str:
        signed = parts["SignedHeaders"].split(";")
        named = "host" in signed or ":authority" in signed  # HTTP/2 has the one in place of the other
        if not named or "x-amz-date" not in signed or not all(name in request.headers for name in signed):
            raise _refuse(
                "InvalidSignatureException",
                "'Host' or ':authority', and 'X-Amz-Date', must be signed headers, and every signed header must be sent.",
            )
        claimed = request.headers.get("x-amz-content-sha256")
        if claimed is not None and claimed != _hash(request.body):
            raise _refuse(
                "InvalidSignatureException", "The value of 'x-amz-content-sha256' does not match the hash of the body."
            )
        scope, headers = parts["Credential"].split("/", 1)[1], tuple((name, request.headers[name]) for name in signed)
        make = _signed if len(request.body) <= _KEPT_BYTES else _signed.__wrapped__
        return make(request.method, request.raw_path, request.query, headers, request.body, stamp, scope, key)


@functools.lru_cache(maxsize=256)
def _signed(
    method: str, raw_path: str, query: str, headers: tuple[tuple[str, str], ...], body: bytes, stamp: str, scope: str,
    key: bytes,
) -> str:  # fmt: skip
    """Clients may send the same request, signed in the same second, many times."""
    signed = [name for name, _ in headers]
    canonical = canonical_request(method, raw_path, query, dict(headers), signed, _hash(body))
    return signature(canonical, stamp, scope, key)


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
