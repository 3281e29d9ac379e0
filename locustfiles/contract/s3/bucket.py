"""The objects of one run in S3, by botocore's client: credentials, endpoint and proxies as boto3 has them. Blocks while it asks."""

import email.utils
import logging
import os
import pathlib
import typing
import urllib.parse

import botocore.config
import botocore.session

from locustfiles.contract.s3.address import Address
from locustfiles.contract.s3.faults import S3Fault, fault

logging.getLogger("botocore").setLevel(logging.ERROR)  # it logs whole requests at lower ones
CONNECT_S, READ_S, TRIES = 3, 8, 3
KINDS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".html": "text/html",
    ".md": "text/markdown",
    ".png": "image/png",
}
AWS = ".amazonaws.com"
OWN_KEYS = ("AES256", "aws:kms")


class Got(typing.NamedTuple):
    """An object. age_s: since it was written, by the clock of S3 alone; None: it does not say."""

    body: bytes
    etag: str
    age_s: float | None


class Listed(typing.NamedTuple):
    """An object in a list."""

    size: int
    etag: str


class Bucket:
    """Keys are those below the run's prefix. Everything raises S3Fault."""

    def __init__(self, address: Address, encryption: str = "") -> None:
        """encryption: AES256, aws:kms, or the id or ARN of a KMS key; empty: as the bucket does by itself."""
        self.address = address
        self._sse, self._tries = _encryption(encryption), TRIES
        self._client: typing.Any = None
        self.encrypted: bool | None = None  # whether the last object was, as S3 says

    def hurry(self) -> None:
        """From now on ask once: whoever asks tries again by itself, and is waited for at a run's end."""
        self._client, self._tries = None, 1

    def put(self, key: str, body: bytes, instead_of: str | None = None, only_new: bool = False) -> str:
        """Its ETag. instead_of: the ETag that it must have now. Raises S3Fault, of kind `conflict` where it has another, or where it is
        there and `only_new`."""
        told: dict[str, typing.Any] = {
            "ContentType": KINDS.get(pathlib.PurePath(key).suffix, "application/octet-stream")
        }
        told |= {"IfMatch": instead_of} if instead_of else {}
        told |= {"IfNoneMatch": "*"} if only_new else {}
        answer = self._ask("put_object", Key=self._key(key), Body=body, **told, **self._sse)
        self.encrypted = bool(answer.get("ServerSideEncryption"))
        return str(answer["ETag"])

    def get(self, key: str) -> Got:
        """Raises S3Fault, of kind `absent` where it is not there."""
        answer = self._ask("get_object", Key=self._key(key))
        try:
            body: bytes = answer["Body"].read()
        except Exception as e:  # the connection broke in mid-answer
            raise fault(e, self.address, "get_object") from None
        now, written = answer["ResponseMetadata"]["HTTPHeaders"].get("date"), answer.get("LastModified")
        age_s = (email.utils.parsedate_to_datetime(now) - written).total_seconds() if now and written else None
        return Got(body, str(answer["ETag"]), age_s)

    def list(self) -> dict[str, Listed]:
        """Key -> what is there, in order."""
        found: dict[str, Listed] = {}
        more: dict[str, str] = {}
        while True:
            answer = self._ask("list_objects_v2", Prefix=self._key(""), **more)
            for each in answer.get("Contents", []):
                found[each["Key"][len(self._key("")) :]] = Listed(each["Size"], str(each["ETag"]))
            if not answer.get("IsTruncated"):
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _key(self, key: str) -> str:
        return f"{self.address.prefix}/{key}"

    def _ask(self, method: str, **arguments: typing.Any) -> typing.Any:
        try:
            if self._client is None:
                self._client = _client(self._tries)
            return getattr(self._client, method)(Bucket=self.address.bucket, **arguments)
        except S3Fault:
            raise
        except Exception as e:
            failed = fault(e, self.address, method)
            if failed.kind == "credentials":
                self._client = None  # the next one looks for credentials anew
            raise failed from None


def _client(tries: int) -> typing.Any:
    """Of AWS, or by the path: few other servers answer by the bucket's own host name."""
    session = botocore.session.get_session()
    config: dict[str, typing.Any] = {"connect_timeout": CONNECT_S, "read_timeout": READ_S}
    config |= {"retries": {"total_max_attempts": tries, "mode": "standard"}, "max_pool_connections": 16}
    by_path = config | {"s3": {"addressing_style": "path"}}
    own = (session.get_scoped_config().get("s3") or {}).get("addressing_style")
    other = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if own or not other or AWS in (urllib.parse.urlsplit(other).hostname or ""):
        client = session.create_client("s3", config=botocore.config.Config(**config))
        if own or AWS in (urllib.parse.urlsplit(client.meta.endpoint_url).hostname or ""):
            return client  # else the profile names another server
    return session.create_client("s3", config=botocore.config.Config(**by_path))


def _encryption(text: str) -> dict[str, typing.Any]:
    if text in ("", OWN_KEYS[0]):
        return {"ServerSideEncryption": text} if text else {}
    key = {} if text == OWN_KEYS[1] else {"SSEKMSKeyId": text}
    return {"ServerSideEncryption": OWN_KEYS[1], "BucketKeyEnabled": True, **key}
