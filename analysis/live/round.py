"""One round of questions to the observer: what there is to tell of, for each kind of answer."""

import typing

import pandas as pd

from analysis.live.tally import Tally
from locustfiles.contract.scenario.scenario import Scenario

Document = dict[str, typing.Any]


class Round(typing.NamedTuple):
    """What there is to tell of."""

    load: Document
    figures: Document
    records: pd.DataFrame
    asked: typing.Any = None
    tally: Tally | None = None  # of all records so far; None: no run is watched
    scenario: Scenario | None = None
    behind: bool = False  # there are records that have not been read yet
