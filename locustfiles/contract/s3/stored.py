"""What S3 has of a run: its manifest, and requests.csv in blocks of whole lines.

PREFIX/manifest.json                       as in the folder; written last, so that the rows that it counts are there before it
       requests/RUN_ID/000000000000.csv    a block, by the place in requests.csv where it begins; the last one may grow
       lease.json                          who writes here now
       locust_stats.csv, …                 the folder's other files
"""

import collections.abc
import concurrent.futures
import json
import typing

from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.s3.lease import KEY as LEASE_KEY

MANIFEST, ROWS, REPORT = "manifest.json", "requests/", "report/"
AT_ONCE = 8  # blocks that are fetched side by side


class Head(typing.NamedTuple):
    """Of a manifest, what decides whose run it is. begun: stages of it were measured."""

    run_id: str
    parts: list[str]
    begun: bool

    def goes_on(self, other: "Head") -> bool:
        """Whether this is the other one, or that with further parts."""
        return self.run_id == other.run_id and self.parts[: len(other.parts)] == other.parts


def head_of(manifest: bytes | None) -> Head | None:
    """None where there is none, or it cannot be read."""
    try:
        told = json.loads(manifest or b"")
        parts = [str(part["run_id"]) for part in told["parts"]]
        return Head(str(told["run_id"]), parts, bool(told["stages"] or told["abandoned"]))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


class Block(typing.NamedTuple):
    """Some lines of requests.csv, from this byte on."""

    begin: int
    size: int
    etag: str

    @property
    def end(self) -> int:
        return self.begin + self.size


def block_key(run_id: str, begin: int) -> str:
    return f"{ROWS}{run_id}/{begin:012d}.csv"


class Stored(typing.NamedTuple):
    """manifest, etag: None where there is none. others: the names of the folder's other files."""

    manifest: bytes | None
    etag: str | None
    blocks: list[Block]  # one after the other, from the first byte on
    others: list[str]

    @property
    def head(self) -> Head | None:
        return head_of(self.manifest)

    @property
    def size(self) -> int:
        """Of requests.csv."""
        return self.blocks[-1].end if self.blocks else 0


def stored_in(bucket: Bucket) -> Stored:
    """The manifest as it was before the rows were looked for: of a run that goes on they are there which it counts. Raises S3Fault."""
    manifest = etag = None
    try:
        manifest, etag, _ = bucket.get(MANIFEST)
    except S3Fault as e:
        if e.kind != "absent":
            raise
    listed = bucket.list()
    blocks: list[Block] = []
    if head := head_of(manifest):
        for key in sorted(key for key in listed if key.startswith(f"{ROWS}{head.run_id}/")):
            name, each = key.rpartition("/")[2].removesuffix(".csv"), listed[key]
            if name.isdecimal() and int(name) == (blocks[-1].end if blocks else 0):  # else one before it is missing
                blocks.append(Block(int(name), each.size, each.etag))
    others = [key for key in listed if "/" not in key and key.isprintable() and key not in (MANIFEST, LEASE_KEY)]
    return Stored(manifest, etag, blocks, others)


def rows_from(bucket: Bucket, run_id: str, blocks: collections.abc.Sequence[Block]) -> collections.abc.Iterator[bytes]:
    """Their bytes, in order. Raises S3Fault, also where one is not as it was listed."""

    def fetch(block: Block) -> bytes:
        body = bucket.get(block_key(run_id, block.begin)).body
        if len(body) < block.size:
            raise S3Fault(
                bucket.address, "other", f"the block at byte {block.begin:,} was cut", "put back what the run wrote"
            )
        return body[: block.size]  # a run that goes on may have added to it

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: list[concurrent.futures.Future[bytes]] = []
        for block in blocks:
            waiting.append(pool.submit(fetch, block))
            if len(waiting) >= AT_ONCE:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()
