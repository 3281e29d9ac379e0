"""Where this process's run goes, by the options: a folder of its own, or one that holds a run to go on with."""

import argparse
import logging
import typing

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.begun_manifest import default_path
from locustfiles.common.recording.resume import Complete, parts_so_far
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.keys import redact
from locustfiles.contract.run_folder import FolderUsed, RunFolder
from locustfiles.contract.s3.address import is_address

if typing.TYPE_CHECKING:
    from locustfiles.contract.s3.beginning import Mode

log = logging.getLogger("swarmledger")


def check_options(options: argparse.Namespace) -> None:
    """Raises BadInput where they do not go together."""
    given = bool(options.run_dir)
    if "://" in options.run_dir and not is_address(options.run_dir):
        raise BadInput(
            f"--run-dir {redact(options.run_dir)}: an address of another kind; give s3://BUCKET/PREFIX, or a folder's path"
        )
    if options.run_encryption and not is_address(options.run_dir):
        raise BadInput("--run-encryption: is for a run in S3; give its --run-dir s3://BUCKET/PREFIX, or leave it out")
    if options.begin_or_resume and (options.resume or options.overwrite or not given):
        raise BadInput("--begin-or-resume: needs the run's --run-dir, and neither --resume nor --overwrite")
    if options.resume and (options.overwrite or not given):
        raise BadInput("--resume: needs the run to go on with; give its --run-dir, and no --overwrite")


def mode_of(options: argparse.Namespace) -> "Mode":
    """What shall be done with what --run-dir holds."""
    if options.begin_or_resume:
        return "begin-or-resume"
    return "resume" if options.resume else "overwrite" if options.overwrite else "begin"


def place_of_run(options: argparse.Namespace, inputs: Inputs | None) -> int:
    """How many parts the run has so far; 0 of a new one. `--begin-or-resume` becomes `--resume` where there is a run. Raises
    SystemExit where nothing of it is left to measure, and BadInput."""
    if options.begin_or_resume:
        _begin_or_resume(options)
    if not options.resume:
        if options.overwrite or not options.run_dir:
            RunFolder(options.run_dir or (default_path(inputs) if inputs else "runs")).check_name()
        else:
            RunFolder(options.run_dir).check_free()
        return 0
    if inputs is None:
        raise BadInput("--resume: needs the scenario of the run to go on with; give its --scenario")
    try:
        parts = parts_so_far(RunFolder(options.run_dir), inputs)
    except Complete:
        if not options.begin_or_resume:
            raise
        log.info("%s: the run is complete, nothing is left to measure", options.run_dir)
        parts = None
    if parts is None:
        raise SystemExit(OK)
    return parts


def _begin_or_resume(options: argparse.Namespace) -> None:
    """Raises BadInput."""
    try:
        RunFolder(options.run_dir).check_free()
    except FolderUsed:
        options.resume = True
