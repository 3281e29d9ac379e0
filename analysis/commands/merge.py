"""`python -m analysis merge`: adds the records that workers kept when they had lost their master, or a run when its disk was full."""

import argparse
import os

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.merging import merge, run_ids
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.spool import hold, read_spool

EXAMPLE = """examples:
  python -m analysis merge runs/study swarmledger-spool-4c1f-host_9a.csv
  python -m analysis merge runs/study swarmledger-spool-*.csv

A worker that cannot hand in its records writes them to swarmledger-spool-<run id>-<worker>.csv in its working folder; a
run whose disk is full writes what it cannot record to a temporary folder, and names the file. A record that the run has
already is not added again; then make the report anew.

exit code: 0 fine, 1 bad input."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `merge`."""
    parser.add_argument("run_folder", metavar="RUN", help="folder of the run that the records belong to")
    parser.add_argument("files", nargs="+", metavar="FILE", help="what its workers left: swarmledger-spool-*.csv")


def run(args: argparse.Namespace) -> int:
    """Merge every file and say what each added. Raises BadInput, before anything is written, if one does not fit."""
    folder = RunFolder(args.run_folder)
    spools = {path: read_spool(path) for path in args.files}
    runs = run_ids(folder.read_manifest())
    for path, spool in spools.items():
        if spool.run_id not in runs:
            raise BadInput(
                f"{path}: holds records of run {spool.run_id}, not of {folder.path} ({', '.join(runs)}); name its own run folder"
            )
    held = hold(folder.path)
    try:
        for path, spool in spools.items():
            print(merge(folder, spool).text(path))
    except OSError as e:
        raise BadInput(f"{folder.path}: cannot be written ({e.strerror}); mend that and merge again") from None
    finally:
        os.close(held)
    return OK
