"""A run folder on its way to S3 while it grows: what has come since the last round, the rows before the manifest that counts them.

Objects are put under the condition that they are as they were left here, so that of two that write only one gets on.
"""

import hashlib
import pathlib

from locustfiles.contract import endpoint_file
from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.s3.lease import KEY as LEASE_KEY
from locustfiles.contract.s3.lease import Lease, Lost
from locustfiles.contract.s3.stored import MANIFEST, Block, Head, Stored, block_key, head_of

CLOSED_BYTES = 512 << 10  # a block that has so much grows no more
MOST_BYTES = 4 << 20  # of one, when there is much to send
MOST_OTHER_BYTES = 256 << 20  # of a file that is sent whole


class Upload:
    """Of one folder. All that asks S3 raises S3Fault or Lost; what has arrived by then is not sent again."""

    def __init__(self, bucket: Bucket, lease: Lease, folder: pathlib.Path, stored: Stored) -> None:
        self._bucket, self._lease, self.folder, self.address = bucket, lease, folder, bucket.address
        self._head: Head | None = stored.head
        self._blocks = list(stored.blocks)
        self._manifest, self._manifest_etag = stored.manifest, stored.etag
        self._others: dict[str, bytes] = {}  # name -> hash of what is there
        self._old_endpoint = endpoint_file.FILE in stored.others  # there is one, of this run or of another
        self._replaces = False
        self._tried: dict[str, set[bytes]] = {}  # key -> hashes of what may have arrived, though no answer said so
        self.sent_bytes = self.sent_objects = 0

    @property
    def size(self) -> int:
        """Of requests.csv in S3."""
        return self._blocks[-1].end if self._blocks else 0

    def is_of_another(self) -> bool:
        """Whether S3 has a run there that is not the folder's."""
        here = head_of(self._read(MANIFEST))
        return self._manifest is not None and (self._head is None or here is None or here.run_id != self._head.run_id)

    def check(self) -> None:
        """Whether the folder's requests.csv goes on with what S3 has. Raises S3Fault."""
        if not self._blocks or self._head is None:
            return
        here, last = head_of(self._read(MANIFEST)), self._blocks[-1]
        there = self._bucket.get(block_key(self._head.run_id, last.begin)).body[: last.size]
        if here is None or not here.goes_on(self._head) or self._rows(last.begin, last.size) != there:
            raise self._another()

    def waiting(self) -> int:
        """Bytes of requests.csv that are not in S3, a torn last line among them."""
        try:
            return max(0, (self.folder / "requests.csv").stat().st_size - self.size)
        except OSError:
            return 0

    @property
    def manifest_waits(self) -> bool:
        """Whether it is another than the one in S3."""
        return self._read(MANIFEST) not in (None, self._manifest)

    def round(self) -> None:
        """Rows, then the manifest as it was before they were read: what it counts is in them. Raises OSError, too."""
        manifest = self._read(MANIFEST)
        head = head_of(manifest)
        if manifest is None or head is None:  # it is being begun
            return
        if self._head is None or head.run_id != self._head.run_id:
            self._blocks, self._replaces = [], True  # of another run, which this one replaces
        self._head = head
        self._send_rows(head.run_id)
        if manifest != self._manifest:
            self._manifest_etag = self._put(MANIFEST, manifest, self._manifest_etag)
            self._manifest = manifest

    def _send_rows(self, run_id: str) -> None:
        if self.size > self._requests_size():
            raise self._another()
        while True:
            last = self._blocks[-1] if self._blocks else None
            grows = last is not None and last.size < CLOSED_BYTES
            begin = last.begin if last and grows else self.size
            text = self._rows(begin, MOST_BYTES)
            text = text[: text.rfind(b"\n") + 1]
            if begin + len(text) <= self.size:
                return
            etag = self._put(block_key(run_id, begin), text, last.etag if last and grows else None)
            self._blocks[-1 if grows else len(self._blocks) :] = [Block(begin, len(text), etag)]

    def others(self) -> None:
        """The folder's other files, where they have changed: Locust's own, a calibration. Raises OSError, too. What the endpoint of a run
        cost that this one replaces is nobody's here."""
        for path in sorted(self.folder.iterdir()):
            if path.name in (MANIFEST, "requests.csv", LEASE_KEY) or path.suffix == ".tmp" or path.name[0] == ".":
                continue
            if not path.is_file() or path.stat().st_size > MOST_OTHER_BYTES:
                continue
            body = path.read_bytes()
            if self._others.get(path.name) != (digest := _hash(body)):
                self._lease.renew()
                self._bucket.put(path.name, body)
                self._count(body)
                self._others[path.name] = digest
        if self._old_endpoint and self._replaces and endpoint_file.FILE not in self._others:
            self._lease.renew()
            self._bucket.put(endpoint_file.FILE, endpoint_file.EMPTY)
            self._old_endpoint = False

    def _put(self, key: str, body: bytes, instead_of: str | None) -> str:
        self._lease.renew()
        tried = self._tried.setdefault(key, set())
        while True:
            try:
                etag = self._bucket.put(key, body, instead_of, only_new=instead_of is None)
                break
            except S3Fault as e:
                tried.add(_hash(body))
                if e.kind == "absent" and instead_of:  # somebody has removed it
                    instead_of = None
                    continue
                if e.kind != "conflict":
                    raise
                there = self._bucket.get(key)
                if _hash(there.body) not in tried:
                    raise Lost from None
                instead_of = there.etag
        self._tried.pop(key)
        self._count(body)
        return etag

    def _count(self, body: bytes) -> None:
        self.sent_bytes += len(body)
        self.sent_objects += 1

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def _rows(self, begin: int, most: int) -> bytes:
        try:
            with open(self.folder / "requests.csv", "rb") as file:
                file.seek(begin)
                return file.read(most)
        except FileNotFoundError:
            return b""

    def _requests_size(self) -> int:
        try:
            return (self.folder / "requests.csv").stat().st_size
        except FileNotFoundError:
            return 0

    def _another(self) -> S3Fault:
        what = f"it has rows that {self.folder}/requests.csv has not: another run's, or that file was cut"
        return S3Fault(self._bucket.address, "taken", what, "give this one an address of its own")


def _hash(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
