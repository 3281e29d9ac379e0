"""A run folder that is finished, sent to S3 in one go: what is there of it is not sent again."""

import collections.abc
import contextlib
import os
import pathlib
import time
import uuid

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import FolderUsed, RunFolder
from locustfiles.contract.s3.address import Address
from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.s3.lease import Lease, Lost
from locustfiles.contract.s3.stored import stored_in
from locustfiles.contract.s3.upload import Upload
from locustfiles.contract.spool import hold

Say = collections.abc.Callable[[str], None]


def send(folder: RunFolder, address: Address, encryption: str, say: Say) -> None:
    """say: is told how much was sent. Raises NotARun, FolderUsed where another run is there, S3Fault or BadInput."""
    folder.read_manifest()
    os.close(hold(folder.path))  # a run that goes on sends itself
    bucket = Bucket(address, encryption)
    lease = Lease(bucket, uuid.uuid4().hex)
    lease.take(time.sleep, say)
    try:
        upload = Upload(bucket, lease, folder.path, stored_in(bucket))
        if upload.is_of_another():
            raise FolderUsed(f"{address}: already holds another run than {folder.path}; choose another address")
        upload.check()
        upload.round()
        upload.others()
        say(
            f"{address}: all of {folder.path} is there ({upload.sent_objects} objects sent, {upload.sent_bytes:,} bytes)"
        )
    except OSError as e:
        raise BadInput(f"{folder.path}: cannot be read ({e.strerror}); see to the disk, and send it again") from None
    except Lost:
        raise S3Fault(address, "taken", "another run writes there now", "choose another address") from None
    finally:
        with contextlib.suppress(S3Fault, Lost):
            lease.release()


def send_files(folder: pathlib.Path, address: Address, encryption: str, say: Say) -> None:
    """Every file below it, each as one object, in the place of those of the same names. Raises S3Fault, OSError."""
    bucket, files = Bucket(address, encryption), [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in files:
        bucket.put(path.relative_to(folder).as_posix(), path.read_bytes())
    say(f"{address}: {len(files)} files sent")
