"""The grace period: the seconds that a platform gives a process from SIGTERM to SIGKILL, and what is done in them.

|<-------- requests in flight may end -------->|<- records to the master ->|<- written, closed ->|
SIGTERM                                 cut: `cancelled`                                      SIGKILL

A drain without one takes as long as a request may (`request_timeout_s`), which is more than platforms give by themselves.
"""

import math
import os
import time

from locustfiles.contract.bad_input import BadInput

VARIABLE = "SWARMLEDGER_GRACE_S"
DEFAULT_S = 30.0  # Kubernetes' and ECS's own
LEAST_S, MOST_S = 2.0, 86400.0
SAVE_S = 8.0  # behind the cut: to hand in, to write and to close; of short periods half
WRITE_S = 3.0  # of these, once nobody's records are waited for; of short periods a fifth
_until: list[float] = []  # the end of it, monotonic, once it has begun


def given() -> float | None:
    """Seconds; None where nobody said. Raises BadInput."""
    said = os.environ.get(VARIABLE, "").strip()
    if not said:
        return None
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not LEAST_S <= seconds <= MOST_S:
        raise BadInput(
            f"{VARIABLE} {said}: no number of seconds from {LEAST_S:g} to {MOST_S:g}; give what the platform waits between "
            "SIGTERM and SIGKILL"
        )
    return seconds


def cut_after_s(period_s: float) -> float:
    """From SIGTERM on: when what is still in flight is cut."""
    return max(period_s / 2, period_s - SAVE_S)


def needed_s(drain_s: float) -> float:
    """The period in which nothing is cut. drain_s: as long as a request may take to end."""
    return drain_s + SAVE_S if drain_s >= SAVE_S else 2 * drain_s


def begin(period_s: float) -> None:
    """SIGTERM has come. A second one gives no more time."""
    if not _until:
        _until.append(time.monotonic() + period_s)


def has_begun() -> bool:
    """Whether SIGTERM has come."""
    return bool(_until)


def in_flight_s(seconds: float) -> float:
    """As long as requests in flight may take from now on; `seconds` where no period has begun."""
    if not has_begun():
        return seconds
    period_s = given() or DEFAULT_S
    left_s = _until[0] - time.monotonic() - period_s + cut_after_s(period_s)
    return min(seconds, max(0.0, round(left_s, 1)))


def is_over() -> bool:
    """Whether nobody's records are waited for any more: all that is left is for writing what is here."""
    return bool(_until) and _until[0] - time.monotonic() < min(WRITE_S, (given() or DEFAULT_S) / 5)


def at_most(seconds: float) -> float:
    """As long as that may be waited for at the end of a process; a second is kept for its exit."""
    return min(seconds, max(0.0, _until[0] - time.monotonic() - 1)) if _until else seconds


def said(drain_s: float, period_s: float) -> tuple[bool, str]:
    """Whether a whole drain fits into the period, and the sentence that says so."""
    needed = needed_s(drain_s)
    takes = f"SIGTERM drains: requests in flight end within {drain_s:g} s, all is saved within {needed:g} s"
    if needed <= period_s:
        return True, f"{takes}; {VARIABLE} gives {period_s:g} s"
    return False, (
        f"{takes}, but {VARIABLE} gives {period_s:g} s: what is still in flight {cut_after_s(period_s):g} s after SIGTERM is cut "
        f"and recorded as cancelled; give {math.ceil(needed)} s there and on the platform (terminationGracePeriodSeconds, "
        "stopTimeout, stop_grace_period), or a shorter request_timeout_s"
    )
