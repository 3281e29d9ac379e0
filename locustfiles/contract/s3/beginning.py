"""Whether a run that shall be in S3 begins there or goes on: by the options, by what S3 has, and by what this machine has."""

import typing

from locustfiles.contract.run_folder import FolderUsed, NotARun, RunFolder
from locustfiles.contract.s3.address import Address
from locustfiles.contract.s3.stored import Stored

Mode = typing.Literal["begin", "resume", "begin-or-resume", "overwrite"]


def goes_on(mode: Mode, address: Address, stored: Stored, folder: RunFolder) -> bool:
    """folder: this machine's. Raises FolderUsed, NotARun or BadInput."""
    head = stored.head
    if stored.manifest is not None and head is None and mode != "overwrite":
        raise NotARun(
            f"{address}: its manifest.json cannot be read; put back what the run wrote, or give another --run-dir"
        )
    if mode == "resume":
        if head is None and not folder.manifest.exists():
            raise NotARun(f"{address}: no run is there, it has no manifest.json; give the address named by --run-dir")
        return True
    if mode == "overwrite" or head is None or not head.begun:
        return mode == "begin-or-resume" and _is_used(folder)
    if mode == "begin":
        raise FolderUsed(f"{address}: already holds a run; choose another --run-dir, or add --resume or --overwrite")
    return True


def _is_used(folder: RunFolder) -> bool:
    """Raises BadInput."""
    try:
        folder.check_free()
    except FolderUsed:
        return True
    return False
