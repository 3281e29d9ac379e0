"""Kinds of plain values in scenarios."""

import re
import typing

import pydantic
import pydantic_core

from locustfiles.contract.strict_yaml import SECRET


def _without_secrets(url: str) -> str:
    """What a URL may hold beside an address does not belong into a run folder, nor is it sent."""
    if re.search(r"[@?#\s]", url):
        raise pydantic_core.PydanticCustomError(
            SECRET, "no user, password, query or fragment in it; the address alone is used"
        )
    return url


def _web_address(url: str) -> str:
    if not re.fullmatch(r"https?://[^/]+(/.*)?", url):
        raise pydantic_core.PydanticCustomError(SECRET, "must be an address such as http://10.0.0.7:8000/v1")
    return url


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise pydantic_core.PydanticCustomError(
            SECRET, "must be the name of an environment variable, not the key itself"
        )
    return name


def _one_line(text: str) -> str:
    """A line break in what becomes part of a header would begin another header."""
    if not text.isprintable():
        raise ValueError("no line breaks or other control characters in it; write it on one line")
    return text


def _in_header(text: str) -> str:
    """AWS's own pattern for what it reads from headers."""
    if not (text.isascii() and text == text.strip()):
        raise ValueError("it is sent in a header: plain ASCII without spaces around it; mend it")
    return text


def _each_once(names: list[str]) -> list[str]:
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        raise ValueError(f"`{twice}` stands twice; remove one")
    return names


Name = typing.Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Prose = typing.Annotated[str, pydantic.Field(min_length=1)]  # may have several lines
Text = typing.Annotated[Prose, pydantic.AfterValidator(_one_line)]
Line = typing.Annotated[str, pydantic.AfterValidator(_one_line)]  # may be empty
HeaderText = typing.Annotated[Text, pydantic.AfterValidator(_in_header)]
Seconds = typing.Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
Positive = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
Address = typing.Annotated[Text, pydantic.AfterValidator(_without_secrets)]
WebAddress = typing.Annotated[Address, pydantic.AfterValidator(_web_address)]
Variable = typing.Annotated[str, pydantic.AfterValidator(_variable)]
Files = typing.Annotated[list[Text], pydantic.Field(min_length=1), pydantic.AfterValidator(_each_once)]
Count = typing.Annotated[int, pydantic.Field(ge=1)]
Percent = typing.Annotated[float, pydantic.Field(ge=0, lt=100, allow_inf_nan=False)]
Share = typing.Annotated[float, pydantic.Field(gt=0, le=1, allow_inf_nan=False)]
