"""Objects in S3 that a call writes or waits for, by our own transport or by boto3."""

import html
import re
import time
import typing

import botocore.config
import botocore.exceptions
import gevent
import urllib3.exceptions

from locustfiles.common.transport.aws_session import UNSIGNED, AwsSession
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.header_lines import UnsafeHeader
from locustfiles.common.transport.s3_requests import Place, s3_request
from locustfiles.contract.error_classes import ErrorClass, classify
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import Target

_ABSENT = "NoSuchKey"
#: what boto3 raises; anything else is a connection that failed
_CLASSES: dict[ErrorClass, tuple[type[Exception], ...]] = {
    ErrorClass.AUTH: (
        botocore.exceptions.NoCredentialsError,
        botocore.exceptions.PartialCredentialsError,
        botocore.exceptions.CredentialRetrievalError,
        botocore.exceptions.TokenRetrievalError,
        botocore.exceptions.UnauthorizedSSOTokenError,
    ),
    ErrorClass.READ_TIMEOUT: (botocore.exceptions.ReadTimeoutError, urllib3.exceptions.ReadTimeoutError),
}


class Answered(typing.NamedTuple):
    """What S3 answered to one request. Neither body nor error: no object is there."""

    at: float  # perf_counter seconds, of the last byte
    body: bytes | None = None
    status: int | None = None
    error: ErrorClass | None = None
    code: str | None = None
    message: str | None = None

    @property
    def absent(self) -> bool:
        return self.body is None and self.error is None


class ObjectStore(typing.Protocol):
    """`get` and `put` raise nothing but GreenletExit."""

    def ready(self, target: Target) -> None:
        """Find out where S3 is, ahead of the first request. Raises BadInput, or what botocore raises of a wrong address."""

    def get(self, target: Target, place: Place, timeout_s: float) -> Answered: ...
    def put(self, target: Target, place: Place, body: bytes, timeout_s: float) -> Answered: ...


class OwnStore:
    """By the connections that calls are sent with."""

    def __init__(self, session: AwsSession, transport: ConnectionPool) -> None:
        self._session, self._transport = session, transport

    def ready(self, target: Target) -> None:
        self._session.origin_of(self._session.base("s3", target), target)

    def get(self, target: Target, place: Place, timeout_s: float) -> Answered:
        return self._ask(target, "GET", place, b"", timeout_s)

    def put(self, target: Target, place: Place, body: bytes, timeout_s: float) -> Answered:
        return self._ask(target, "PUT", place, body, timeout_s)

    def _ask(self, target: Target, method: str, place: Place, body: bytes, timeout_s: float) -> Answered:
        exchange = Exchange()
        try:
            origin, request = s3_request(self._session, target, method, place, body)
        except (*UNSIGNED, UnsafeHeader) as e:
            return Answered(time.perf_counter(), None, None, ErrorClass.AUTH, type(e).__name__, str(e))
        self._transport.run(exchange, origin, request, timeout_s)
        data, at = b"".join(piece for _, piece in exchange.chunks), exchange.done_at
        if exchange.error is not None:
            return Answered(at, None, exchange.status, exchange.error, exchange.error_code, exchange.error_message)
        if exchange.status is not None and 200 <= exchange.status < 300:
            return Answered(at, data, exchange.status)
        text = data[:4096].decode(errors="replace")
        return _refused(at, place, exchange.status or 0, _part(text, "Code"), _part(text, "Message"))


class Boto3Store:
    """By boto3's client of S3."""

    def __init__(self, session: AwsSession, scenario: Scenario) -> None:
        self._session, self._endpoint_url = session.boto3, scenario.endpoint_url
        self._timeout_s = scenario.request_timeout_s
        self._clients: dict[str | None, typing.Any] = {}

    def ready(self, target: Target) -> None:
        self._client(target)

    def _client(self, target: Target) -> typing.Any:
        url = target.endpoint_url or self._endpoint_url
        if url not in self._clients:
            config = botocore.config.Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=min(10.0, self._timeout_s),
                read_timeout=self._timeout_s,
                max_pool_connections=1024,
                s3={"addressing_style": "path"} if url else None,
            )
            self._clients[url] = self._session.client("s3", endpoint_url=url, config=config)
        return self._clients[url]

    def get(self, target: Target, place: Place, timeout_s: float) -> Answered:
        client = self._client(target)

        def read() -> bytes:
            body: bytes = client.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
            return body

        return self._ask(place, timeout_s, read)

    def put(self, target: Target, place: Place, body: bytes, timeout_s: float) -> Answered:
        client, given = self._client(target), {"Body": body, "ContentType": "application/json"}
        return self._ask(
            place, timeout_s, lambda: client.put_object(Bucket=place.bucket, Key=place.key, **given) and b""
        )

    def _ask(self, place: Place, timeout_s: float, ask: typing.Callable[[], bytes]) -> Answered:
        deadline = gevent.Timeout(timeout_s)
        deadline.start()
        try:
            return Answered(body=ask(), at=time.perf_counter(), status=200)
        except gevent.Timeout as e:
            if e is not deadline:
                raise
            return Answered(time.perf_counter(), None, None, ErrorClass.READ_TIMEOUT, None, "no answer of S3 in time")
        except botocore.exceptions.ClientError as e:
            told = e.response["Error"]
            status = e.response["ResponseMetadata"]["HTTPStatusCode"]
            return _refused(time.perf_counter(), place, status, told.get("Code"), told.get("Message"))
        except (*UNSIGNED, urllib3.exceptions.HTTPError) as e:
            found = next((c for c, kinds in _CLASSES.items() if isinstance(e, kinds)), ErrorClass.CONNECT)
            return Answered(time.perf_counter(), None, None, found, None, str(e))
        finally:
            deadline.close()


def _part(document: str, name: str) -> str | None:
    """Of S3's XML of an error."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", document)
    return html.unescape(found[1]) if found else None


def _refused(at: float, place: Place, status: int, code: str | None, message: str | None) -> Answered:
    if status == 404 and code in (_ABSENT, None):
        return Answered(at)
    told = f"S3, {place.bucket}: {message or code or status}"
    if status == 403 and code == "AccessDenied":
        told += "; S3 answers so of an object that is not there yet, too, where s3:ListBucket is not allowed"
    return Answered(at, None, status, classify(code, status), code or str(status), told)
