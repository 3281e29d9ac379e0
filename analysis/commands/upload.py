"""`python -m analysis upload`: a run folder into S3, or what an upload that did not end has left."""

import argparse

from locustfiles.contract.exit_codes import OK
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.s3.address import address_of

EXAMPLE = """examples:
  python -m analysis upload runs/study s3://load-tests/runs/study
  python -m analysis upload runs/s3/load-tests/runs/study s3://load-tests/runs/study

What is there already is not sent again. Another run's place is refused, and so is one that a run writes to.

exit code: 0 all of it is there, 1 bad input, or S3 did not take it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `upload`."""
    parser.add_argument("folder", metavar="RUN", help="a run's folder (--run-dir of the load test)")
    parser.add_argument("address", metavar="ADDRESS", help="s3://BUCKET/PREFIX")
    parser.add_argument(
        "--encryption",
        default="",
        metavar="KEY",
        help="AES256, aws:kms, or the id or ARN of a KMS key; default: as the bucket encrypts by itself",
    )


def run(args: argparse.Namespace) -> int:
    """Send it and say how much. Raises BadInput."""
    from locustfiles.contract.s3.whole import send

    send(RunFolder(args.folder), address_of(args.address, "upload"), args.encryption, print)
    return OK
