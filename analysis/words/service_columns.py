"""The columns of service.csv, derived from the fields of ServiceFigures; rows of them, and back."""

import dataclasses
import operator
import typing

from analysis.words.columns import Column, columns_of
from analysis.words.figure_fields import TOLD
from analysis.words.service_figures import ServiceFigures

Row = dict[str, typing.Any]


SERVICE_METRICS: tuple[Column, ...] = tuple(columns_of(ServiceFigures))


def service_row(figures: ServiceFigures) -> Row:
    """Column -> value."""
    return {c.name: operator.attrgetter(".".join(c.path))(figures) for c in SERVICE_METRICS}


def service_figures(row: typing.Mapping[str, typing.Any]) -> ServiceFigures:
    """Of a row. Raises KeyError, TypeError and ValueError where it is none."""
    own: Row = {}
    for field in dataclasses.fields(ServiceFigures):
        if TOLD in field.metadata:
            own[field.name] = row[field.name]
        else:
            assert isinstance(field.type, type)
            own[field.name] = field.type(**{f.name: row[f.name] for f in dataclasses.fields(field.type)})
    return ServiceFigures(**own)
