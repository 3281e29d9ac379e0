"""Addresses in the place of run folders: each run is had in a folder of this machine first, and what was made of it is sent where
`--out` says."""

import argparse
import sys
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import complain
from locustfiles.contract.run_folder import NotARun, RunFolder
from locustfiles.contract.s3.address import Address, address_of, is_address

RUNS = ("runs", "folder", "run_folder", "baseline")  # arguments of the commands that take runs
UPLOAD = "python -m analysis upload RUN s3://BUCKET/PREFIX"
CHANGES, FOLLOWS = ("merge",), ("watch",)  # commands that change a run, or read one again and again


def run_with_copies(args: argparse.Namespace) -> int:
    """The command's exit code. Raises BadInput."""
    from locustfiles.contract.s3.whole import send, send_files  # botocore is loaded for addresses alone

    places: dict[str, Address] = {}  # what was given -> its address
    if is_address(getattr(args, "run_dir", None) or ""):
        raise BadInput(
            f"--run-dir: {args.command} writes a folder of this machine; give its path, then send it: {UPLOAD}"
        )
    for name in RUNS:
        value = getattr(args, name, None)
        given = value if isinstance(value, list) else [value]
        folders = [_folder(text, places, args.command) for text in given]
        if value is not None:
            setattr(args, name, folders if isinstance(value, list) else folders[0])
    out = getattr(args, "out", None)
    to = address_of(out, "--out") if out and is_address(out) else None
    if to:
        args.out = str(to.copy)
    if args.command in FOLLOWS:
        args.again = [_Again(address) for address in places.values()]
    code = int(args.run(args))
    if to:
        send_files(to.copy, to, "", _say)
    for address in places.values() if args.command in CHANGES else ():
        send(RunFolder(address.copy), address, "", _say)
    return code


def _folder(given: typing.Any, places: dict[str, Address], command: str) -> typing.Any:
    if not (isinstance(given, str) and is_address(given)):
        return given
    address = places[given] = address_of(given, "")
    _Again(address).fetch(command not in FOLLOWS)
    return str(address.copy)


class _Again:
    """A run in S3 that may still grow."""

    def __init__(self, address: Address) -> None:
        from locustfiles.contract.s3.bucket import Bucket

        self._bucket, self._said = Bucket(address), False

    def fetch(self, needed: bool) -> None:
        """needed: it must be there. Raises S3Fault, NotARun or BadInput."""
        from locustfiles.contract.s3.copies import bring
        from locustfiles.contract.s3.stored import stored_in

        address = self._bucket.address
        stored = stored_in(self._bucket)
        if needed and stored.manifest is None and not RunFolder(address.copy).manifest.exists():
            raise NotARun(f"{address}: no run is there, it has no manifest.json; give the address named by --run-dir")
        bring(self._bucket, stored, address.copy, _say)

    def __call__(self) -> None:
        """What has come since. Of S3's faults the first is told, and the run is as it was last seen."""
        from locustfiles.contract.s3.faults import S3Fault

        try:
            self.fetch(needed=False)
            self._said = False
        except S3Fault as e:
            if not self._said:
                complain(str(e))
            self._said = True


def _say(line: str) -> None:
    """Beside what the command prints for programs."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
