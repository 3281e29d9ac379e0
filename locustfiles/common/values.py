"""Kinds of plain values in scenarios."""

import typing

import pydantic

Name = typing.Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Text = typing.Annotated[str, pydantic.Field(min_length=1)]
Seconds = typing.Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
Positive = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
Count = typing.Annotated[int, pydantic.Field(ge=1)]
