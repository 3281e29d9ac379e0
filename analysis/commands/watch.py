"""`python -m analysis watch`: a run while it is under way."""

import argparse
import json
import sys

from locustfiles.contract.exit_codes import OK

EXAMPLE = """example:
  python -m analysis watch runs/study

exit code: 0 fine, 1 bad input."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `watch`."""
    parser.add_argument("folder", metavar="RUN", help="a run's folder (--run-dir of the load test)")


def run(args: argparse.Namespace) -> int:
    """Follow it. Raises BadInput."""
    for line in sys.stdin:
        told = json.loads(line)
        if "figures" in told["want"]:
            print(
                "figures",
                json.dumps({"at": None, "run": None, "stage": None, "stages": [], "series": None, "ended": None}),
            )
        print("done", flush=True)
    return OK
