"""Which of a run's requests were under way between two times, without a look at all of them for each stage."""

import numpy as np
import pandas as pd


class UnderWay:
    """The requests of dated records, in the order in which they were sent."""

    def __init__(self, records: pd.DataFrame) -> None:
        sent, ended = records["sent"].to_numpy(), records["ended"].to_numpy()
        if len(sent) and (sent[1:] < sent[:-1]).any():
            order = np.argsort(sent, kind="stable")
            sent, ended = sent[order], ended[order]
        self._sent, self._ended = sent, ended
        self._latest = np.maximum.accumulate(ended) if len(ended) else ended  # end of those sent until then

    def between(self, a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
        """(sent, ended) of all that were under way in [a, b), and of some that were not."""
        these = slice(int(np.searchsorted(self._latest, a)), int(np.searchsorted(self._sent, b)))
        return self._sent[these], self._ended[these]
