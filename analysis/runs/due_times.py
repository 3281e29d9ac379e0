"""Times and failures as a user perceives them: of calls where requests are retried, from when a request was due in the open loop.

A user who asks while the generator is late waits from then on; a time that ran from the send would leave that out
(coordinated omission).
"""

import numpy as np

from analysis.runs.retried_calls import TIMES
from analysis.runs.rows import Rows


def from_due(records: Rows) -> Rows:
    """Records or calls with their times from when they were due; those of the closed loop as they are."""
    delay = np.nan_to_num(records["schedule_delay_ms"].to_numpy())
    return records.assign(**{c: records[c].to_numpy() + delay for c in TIMES}) if delay.any() else records
