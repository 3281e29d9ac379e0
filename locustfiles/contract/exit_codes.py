"""The exit codes of every Swarmledger command, in one list, and the line that goes with the second."""

import sys

OK = 0  # fine; failed requests alone are a finding, not a failure of the run
BAD_INPUT = 1  # config, payload, price, credentials, usage: mend the input and run again
NOT_TRUSTED = 2  # the run or its data cannot be trusted: lost records, a killed worker, an INVALID stage
GATE_MISSED = 3  # an SLO, budget or regression gate was missed (only where 2 does not hold)


def complain(message: str) -> None:
    """Tell the user of bad input: one line on stderr that begins with `error:`."""
    sys.stderr.write(f"error: {message}\n")
    sys.stderr.flush()
