"""Values that YAML reads otherwise than they are meant: what to write instead."""

import datetime
import decimal
import re
import typing

import pydantic
import yaml

_NUMBER_KINDS = {
    "float_type",
    "int_type",
    "model_type",
    "model_attributes_type",
    "dict_type",
    "float_parsing",
    "int_parsing",
}
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]{1,2}")
_COMMA = re.compile(r"[-+]?([0-9]+),([0-9]+)")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(\D.*)?")
_OCTAL = re.compile(r"[-+]?0[0-7_]*[0-7]")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


def read_otherwise(node: yaml.Node) -> str | None:
    """Of `1:30` and `010`, which YAML takes for 90 and 8."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return None
    number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
    if number and _BASE_60.fullmatch(node.value):
        return f"`{node.value[:60]}` is a number to the base 60 in YAML, {_base_60(node.value)}; write that, or the text in quotes"
    if number and _OCTAL.fullmatch(node.value):
        value = int(node.value.replace("_", ""), 8)
        return f"`{node.value[:60]}` is a number to the base 8 in YAML, {value}; write {int(node.value.replace('_', ''))}, or {value}"
    return None


def _base_60(text: str) -> str:
    value = decimal.Decimal(0)
    for part in text.replace("_", "").lstrip("+-").split(":"):
        value = value * 60 + decimal.Decimal(part)
    return f"{'-' if text.startswith('-') else ''}{value:f}"


def decimal_comma(node: yaml.MappingNode) -> tuple[str, yaml.Mark] | None:
    """Of `{input: 0,000035}`, which is an `input` of 0 and a key `000035` without a value; and where it stands."""
    for (_, before), (key, value) in zip(node.value, node.value[1:], strict=False):
        parts = [each.value for each in (before, key) if isinstance(each, yaml.ScalarNode) and each.style is None]
        empty = isinstance(value, yaml.ScalarNode) and value.value == "" and value.style is None
        if node.flow_style and empty and len(parts) == 2 and all(re.fullmatch("[0-9]+", part) for part in parts):
            return _point(parts[0], parts[1]), before.start_mark
    return None


def _point(whole: str, part: str) -> str:
    if int(whole) and len(part) == 3:
        return f"`{whole},{part}` has a comma; write {whole}.{part} or {whole}{part}"
    return f"`{whole},{part}` has a comma; write {whole}.{part}"


def what_to_write(error: typing.Any) -> str | None:
    """What is wrong with the value of a validation error, and what was meant; None where its own words will do."""
    given = error.get("input")
    if error["type"].startswith("date_"):
        return f"must be a date{_got(given)}; write YYYY-MM-DD, {_date(str(given)) or 'such as 2026-11-28'}"
    if error["type"] not in _NUMBER_KINDS or not isinstance(given, str):
        return None
    text = given.strip()
    if _EXPONENT.fullmatch(text):
        whole = error["type"] == "int_type"
        return f"`{text}` is a text in YAML, not a number; write {_plain(text) if whole else _plainly(text)}"
    if comma := _COMMA.fullmatch(text):
        return _point(comma[1], comma[2])
    return None


def _plainly(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    pointed = mantissa if "." in mantissa else f"{mantissa}.0"
    sign = "" if exponent[0] in "+-" else "+"
    return f"{pointed}e{sign}{exponent} or {_plain(text)}"


def _plain(text: str) -> str:
    return f"{decimal.Decimal(text).normalize():f}"


def _got(given: object) -> str:
    shown = given if isinstance(given, str | int | float | datetime.date) else None
    return f" (got `{shown}`)" if shown is not None else ""


def _date(text: str) -> str | None:
    """`2024-04-05` of `2024-4-5`"""
    found = _DATE.fullmatch(text.strip())
    try:
        return datetime.date(*(int(found[i]) for i in (1, 2, 3))).isoformat() if found else None
    except ValueError:
        return None


def take_quoted_dates(data: dict[str, typing.Any], e: pydantic.ValidationError) -> bool:
    """Puts dates in place of the ISO dates in quotes that were refused; whether there were some."""
    taken = False
    for error in e.errors():
        given, loc = error["input"], error["loc"]
        if error["type"] != "date_type" or not isinstance(given, str) or not _ISO.fullmatch(given) or not _date(given):
            continue
        if holder := _holder(data, loc):
            holder[loc[-1]] = datetime.date.fromisoformat(given)
            taken = True
    return taken


def _holder(data: typing.Any, loc: tuple[typing.Any, ...]) -> dict[typing.Any, typing.Any] | None:
    """What holds the last key of a location; tags of unions and positions that the data lack are passed over."""
    for part in loc[:-1]:
        if (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            data = data[part]
    return data if isinstance(data, dict) and loc[-1] in data else None
