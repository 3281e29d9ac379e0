"""s3://bucket/prefix: the address of a run folder, and where its copy on this machine is."""

import os
import pathlib
import re
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.keys import redact
from locustfiles.contract.visible import visible

SCHEME = "s3://"
COPIES, DEFAULT_COPIES = "SWARMLEDGER_COPIES", "runs/s3"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PART = re.compile(r"[A-Za-z0-9!_.*'()=+@ -]{1,200}")  # S3's safe characters, and those of dates and partitions
_MOST = 900  # characters of 1,024 that a key may have; the run's own names take the rest


class Address(typing.NamedTuple):
    """Of a run folder; `prefix` neither begins nor ends with a slash."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}"

    @property
    def copy(self) -> pathlib.Path:
        """The folder of this machine that the run is in, too: below $SWARMLEDGER_COPIES, else runs/s3 of the working folder."""
        return pathlib.Path(os.environ.get(COPIES) or DEFAULT_COPIES) / self.bucket / self.prefix

    def beside(self, name: str) -> "Address":
        """Another run in the same place."""
        return Address(self.bucket, "/".join([*self.prefix.split("/")[:-1], name]))


def is_address(text: str) -> bool:
    return text.lower().startswith(SCHEME)


def address_of(text: str, place: str) -> Address:
    """place: what was given there, an option or argument, for the message. Raises BadInput."""
    bucket, _, prefix = text[len(SCHEME) :].partition("/")
    shown = visible(redact(text) or "")
    prefix, told = prefix.rstrip("/"), f"{place} {shown}:" if place else f"{shown}:"
    if not _BUCKET.fullmatch(bucket):
        raise BadInput(f"{told} names no bucket of S3; write s3://BUCKET/PREFIX, the bucket in small letters")
    if not prefix:
        raise BadInput(f"{told} needs a place in the bucket; add one, as s3://{bucket}/runs/study")
    for part in prefix.split("/"):
        if part in (".", "..") or not _PART.fullmatch(part):
            what = f"`{part}`" if part.isprintable() and part else "an empty or unprintable part"
            raise BadInput(
                f"{told} has {what} in it; use letters, digits and !_.*'()=+@- between single slashes, and no dots alone"
            )
    if len(prefix) > _MOST:
        raise BadInput(f"{told} is longer than {_MOST} characters; choose a shorter prefix")
    return Address(bucket, prefix)
