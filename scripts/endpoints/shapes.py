"""Requests checked by botocore's description of SageMaker: names, types, ranges and choices, where they stand and what to write."""

import functools
import os
import re
import typing

import botocore.loaders
import botocore.model

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.nearest import nearest

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,), "map": (dict,), "list": (list,), "string": (str,), "boolean": (bool,),
    "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float),
}  # fmt: skip
_WORDS = {
    "structure": "a mapping",
    "map": "a mapping",
    "list": "a list",
    "string": "a text",
    "boolean": "true or false",
}
_FEW = 8  # choices that are all named


@functools.cache
def loader() -> botocore.loaders.Loader:
    """One for all: it keeps what it has read, and SageMaker's description takes a tenth of a second."""
    return botocore.loaders.create_loader(os.environ.get("AWS_DATA_PATH"))


@functools.cache
def _description() -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def check(operation: str, body: dict[str, typing.Any], place: str) -> None:
    """Raises BadInput for the first thing that the operation does not take. place: of this part in the spec."""
    shape = _description().operation_model(operation).input_shape
    if said := _structure(shape, body, operation):
        where, what, remedy = said
        raise BadInput(f"{place}: {where}: {what}; {remedy}")


Said = tuple[str, str, str] | None  # where, what is wrong, the remedy


def _walk(shape, value: typing.Any, where: str) -> Said:
    kind = shape.type_name
    if kind in _TYPES and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return where, f"a {type(value).__name__} where AWS takes {_WORDS.get(kind, 'a number')}", "mend it"
    if kind == "structure":
        return _structure(shape, value, where)
    inner: typing.Iterable[tuple[str, typing.Any, typing.Any]] = ()
    if kind == "list":
        inner = ((f"{where}[{n}]", shape.member, each) for n, each in enumerate(value))
    elif kind == "map":
        inner = ((f"{where}.{key}", shape.value, each) for key, each in value.items())
    found = (_walk(member, each, at) for at, member, each in inner)
    return next((said for said in found if said), None) or _limits(shape, value, where)


def _structure(shape, value: dict, where: str) -> Said:
    for name, each in value.items():
        if name not in shape.members:
            close = nearest(name, shape.members)
            few = ", ".join(shape.members) if len(shape.members) <= _FEW else "see AWS's API reference"
            return where, f"AWS knows no `{name}`", f"did you mean `{close}`?" if close else f"it takes {few}"
        if said := _walk(shape.members[name], each, f"{where}.{name}"):
            return said
    lost = next((name for name in shape.required_members if name not in value), None)
    return (where, f"`{lost}` is missing", "add it") if lost else None


def _limits(shape, value: typing.Any, where: str) -> Said:
    rules = shape.metadata
    low, high, pattern = rules.get("min"), rules.get("max"), rules.get("pattern")
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        return where, f"`{value}` is none that AWS has", _choice(value, shape.enum)
    sized = shape.type_name in ("string", "list", "map")
    size = len(value) if sized else value
    if not isinstance(size, bool) and ((low is not None and size < low) or (high is not None and size > high)):
        unit = {"string": " characters", "list": " entries", "map": " entries"}.get(shape.type_name, "")
        return where, f"{size}{unit} is out of range", f"AWS takes {_span(low, high)}"
    if shape.type_name == "string" and pattern and not _matches(pattern, value):
        return where, "it does not have the form that AWS takes", f"it must match {pattern}"
    return None


def _span(low: float | None, high: float | None) -> str:
    if high is None:
        return f"{low} and more"
    return f"up to {high}" if low is None else f"{low} to {high}"


def _choice(value: str, known: list[str]) -> str:
    if len(known) <= _FEW:
        return f"one of {', '.join(known)}"
    close = nearest(value, known)
    same = sorted(name for name in known if name.split(".")[:2] == value.split(".")[:2])
    if same:
        return f"of its kind there are {', '.join(same)}"
    return f"did you mean `{close}`?" if close else "see AWS's API reference"


def _matches(pattern: str, value: str) -> bool:
    for theirs, ours in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):  # of tags
        pattern = pattern.replace(theirs, ours)
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # Java's, and not Python's
        return True
