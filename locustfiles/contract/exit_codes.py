"""The exit codes of every Swarmledger command, in one list, and the line that goes with the second.

OK           locust: every stage ran to its end; failed requests alone are a finding, not a failure of the run
             analysis: the result is there
BAD_INPUT    locust: usage, scenario, payloads, prices, credentials; an endpoint that does not answer; a target
             whose first calls all fail (the others are measured); a cost that nobody confirmed
             analysis: usage, a file that is not what it should be, a price that is missing; of `check` a call that failed
             others: usage, a file or package that cannot be used
NOT_TRUSTED  locust: records lost, a worker gone, an error inside Swarmledger, killed by a third Ctrl-C
             analysis: an INVALID stage, a gate that is undecided, a calibration beyond its bound, two tables of prices that differ
             scripts/bench: nothing was measured, or not what was promised
             scripts/endpoints: of `run` the command was fine, but something could not be deleted
GATE_MISSED  locust: the budget ended the run
             analysis: a limit that was missed, a run that is worse than its baseline (of `gate`)
STOPPED      locust: stopped before its end by Ctrl-C, SIGTERM or the web UI; what was measured is kept, --resume goes on
             scripts/endpoints: stopped by a signal; what was created is deleted
"""

import sys

OK = 0
BAD_INPUT = 1  # mend the input and run again
NOT_TRUSTED = 2  # the run or its data cannot be trusted
GATE_MISSED = 3  # an SLO, budget or regression gate was missed (only where 2 does not hold)
STOPPED = 4  # the run was stopped before its end and is incomplete (only where no other holds)


def complain(message: str) -> None:
    """Tell the user of bad input: one line on stderr, `error: place: what; remedy`."""
    sys.stderr.write(f"error: {' '.join(message.splitlines())}\n")
    sys.stderr.flush()
