"""One round of questions to the observer: what there is to tell of, for each kind of answer."""

import typing

import pandas as pd

Document = dict[str, typing.Any]


class Round(typing.NamedTuple):
    """What there is to tell of."""

    load: Document
    figures: Document
    records: pd.DataFrame
    asked: typing.Any = None
