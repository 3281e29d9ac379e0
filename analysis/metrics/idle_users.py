"""How many users of a closed loop were between two requests: thinking between the turns of a conversation, or pausing.

By their records and not by the scenario, for each conversation may bring its own times to think.
"""

import numpy as np

from analysis.runs.rows import Rows
from analysis.runs.texts import codes_of
from analysis.runs.window_share import in_flight


def idle_users(records: Rows, a: float, b: float) -> float:
    """Time-weighted mean number during [a, b). records: of a stage, every phase.

    A user that is silent before its first request or behind its last counts so long as one was silent between two at most; one whose
    conversation is not over, to the end.
    """
    worker, user = codes_of(records["worker"])[0], records["user"].to_numpy()
    sent, ended = records["sent"].to_numpy(), records["ended"].to_numpy()
    order = np.lexsort((sent, user, worker))
    worker, user, sent, ended = (each[order] for each in (worker, user, sent, ended))
    same = (worker[1:] == worker[:-1]) & (user[1:] == user[:-1])
    begins, until = ended[:-1][same], sent[1:][same]
    longest = float((until - begins).max()) if len(begins) else 0.0
    first = np.concatenate(([True], ~same))[: len(sent)]
    last = np.concatenate((~same, [True]))[: len(sent)]
    patience = np.where(_amid(records)[order][last], np.inf, longest)
    spans = [
        (begins, until),
        (sent[first] - longest, sent[first]),
        (ended[last], np.minimum(ended[last] + patience, max(b, float(ended.max())))),
    ]
    return sum(in_flight(start, end, a, b) for start, end in spans)


def _amid(records: Rows) -> np.ndarray:
    """Which are answers that another turn is to follow."""
    well = (records["error"].isna() & records["session_ended"].isna()).to_numpy()
    return well & (records["turn"].to_numpy(dtype=float) < records["turns"].to_numpy(dtype=float))
