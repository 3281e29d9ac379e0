"""Times and failures as a user perceives them: of calls where requests are retried, from when a request was due in the open loop.

A user who asks while the generator is late waits from then on; a time that ran from the send would leave that out
(coordinated omission).
"""

import pandas as pd

from analysis.runs.retried_calls import TIMES


def from_due(records: pd.DataFrame) -> pd.DataFrame:
    """Records or calls with their times from when they were due; those of the closed loop as they are."""
    delay = records["schedule_delay_ms"].fillna(0.0).to_numpy()
    return records.assign(**{c: records[c].to_numpy() + delay for c in TIMES}) if delay.any() else records
