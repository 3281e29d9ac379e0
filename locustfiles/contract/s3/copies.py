"""A run in S3 as a folder of this machine: what is missing there is fetched, and nothing that only this machine has is lost.

Where this machine's folder is ahead of S3, as after an upload that did not end, it stays as it is. Where S3 is ahead the folder follows,
if its rows are the first of those in S3; else it is moved aside, and the run is fetched as a whole.
"""

import collections.abc
import datetime
import hashlib
import os
import pathlib

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.requests_file import HEADER
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.stored import Stored, head_of, rows_from
from locustfiles.contract.spool import hold

MARK = ".from-s3"  # holds the hash of the manifest that was fetched: one that has another was written to here
Say = collections.abc.Callable[[str], None]


def bring(bucket: Bucket, stored: Stored, path: pathlib.Path, say: Say) -> int:
    """Have the run in this folder; how many bytes of rows were fetched. Raises S3Fault, or BadInput where the folder cannot be
    written."""
    folder = RunFolder(path)
    try:
        return _bring(bucket, stored, folder, say)
    except OSError as e:
        raise folder.unusable(e) from None


def _bring(bucket: Bucket, stored: Stored, folder: RunFolder, say: Say) -> int:
    there, here = stored.head, head_of(_read(folder.manifest))
    if stored.manifest is None or there is None or _is_written(folder):
        return 0
    size = folder.requests.stat().st_size if folder.requests.exists() else 0
    if here and here.goes_on(there) and size >= stored.size and not _is_copy(folder):
        return 0
    whole = False
    if here and there.goes_on(here) and size <= stored.size:
        whole = _is_begin(bucket, stored, folder, size)
    if not whole and (folder.manifest.exists() or folder.requests.exists()):
        _aside(folder, bucket, say)
        size = 0
    folder.make()
    if size < stored.size or not folder.requests.exists():
        _fetch_rows(bucket, stored, folder, size)
    for name in stored.others:
        if pathlib.PurePath(name).name == name and name not in (".", "..", "requests.csv"):
            _replace(folder.path / name, bucket.get(name).body)
    # the manifest last: what it counts is there
    _replace(folder.path / MARK, hashlib.sha256(stored.manifest).hexdigest().encode())
    _replace(folder.manifest, stored.manifest)
    return stored.size - size


def _is_written(folder: RunFolder) -> bool:
    """By a run that goes on here: nothing is ahead of it."""
    try:
        os.close(hold(folder.path))
    except BadInput:
        return True
    except OSError:
        return False
    return False


def _is_copy(folder: RunFolder) -> bool:
    """Whether its manifest is as it was fetched."""
    text = _read(folder.manifest)
    return text is not None and _read(folder.path / MARK) == hashlib.sha256(text).hexdigest().encode()


def written_here(path: pathlib.Path) -> None:
    """A file of this folder is about to change, and no other than those of the run in S3: it is no copy any more, in whose place what S3
    has may come. Raises OSError."""
    (path / MARK).unlink(missing_ok=True)


def _is_begin(bucket: Bucket, stored: Stored, folder: RunFolder, size: int) -> bool:
    """Whether the folder's rows are the first of those in S3, by the block in which they end."""
    last = next((block for block in stored.blocks if block.end >= size > block.begin), None)
    if last is None or stored.head is None:
        return size == 0
    there = next(iter(rows_from(bucket, stored.head.run_id, [last])))[: size - last.begin]
    with open(folder.requests, "rb") as file:
        file.seek(last.begin)
        return file.read() == there


def _fetch_rows(bucket: Bucket, stored: Stored, folder: RunFolder, size: int) -> None:
    """Those from `size` on."""
    assert stored.head is not None
    blocks = [block for block in stored.blocks if block.end > size]
    with open(folder.requests, "ab" if size else "wb") as file:
        bodies = zip(blocks, rows_from(bucket, stored.head.run_id, blocks), strict=True)
        file.writelines(body[max(0, size - block.begin) :] for block, body in bodies)
        if not stored.blocks:
            file.write(HEADER)


def _aside(folder: RunFolder, bucket: Bucket, say: Say) -> None:
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%fZ")
    there = folder.path.with_name(f"{folder.path.name}-before-{stamp}")
    folder.path.rename(there)
    say(f"{folder.path}: held something else than {bucket.address}; it is in {there} now")


def _replace(path: pathlib.Path, body: bytes) -> None:
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_bytes(body)
    draft.replace(path)


def _read(path: pathlib.Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
