"""What botocore's description of Bedrock says of a request body, checked as the service does: clients check but a part of it."""

import functools
import re
import typing

import botocore.loaders
import botocore.model

from scripts.emulator.errors import BadBody, invalid

_WORDS = {"structure": "JSONObject", "map": "JSONObject", "list": "JSONArray", "string": "String", "blob": "String"}
_TYPES: dict[str, typing.Any] = {
    "structure": (dict,), "map": (dict,), "list": (list,), "string": (str,), "blob": (str,), "boolean": (bool,),
    "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float),
}  # fmt: skip


@functools.cache
def _input(operation: str) -> botocore.model.StructureShape:
    service = "bedrock-agent-runtime" if operation == "Rerank" else "bedrock-runtime"
    description = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(description, service).operation_model(operation).input_shape


def prepare() -> None:
    """Load the description, which takes a tenth of a second: before the first request, or every stream would be late."""
    content = [{"text": "Hello"}]
    settings = {"maxTokens": 1, "temperature": 0.0, "topP": 1.0, "stopSequences": ["."]}
    body = {"messages": [{"role": "user", "content": content}], "system": content, "inferenceConfig": settings}
    check("Converse", body)


def check(operation: str, body: dict) -> None:
    """Raises BadBody for a value of the wrong type, AwsError with all other violations."""
    found: list[str] = []
    shape = _input(operation)
    for name, value in body.items():
        member = shape.members.get(name)
        if member is not None and "location" not in member.serialization and value is not None:
            _walk(member, value, name, found)
    if found:
        raise invalid(found)


def check_whole(operation: str, body: dict) -> None:
    """The same of a body that must have all that the operation requires."""
    shape = _input(operation)
    missing = [
        n for n in shape.required_members if body.get(n) is None and "location" not in shape.members[n].serialization
    ]
    if missing:
        null = "failed to satisfy constraint: Member must not be null"
        raise invalid([f"Value null at '{name}' {null}" for name in missing])
    check(operation, body)


def violations(shape, body: dict, found: list[str]) -> None:
    """Adds to `found` what breaks the shape of a whole body. Raises BadBody for a value of the wrong type."""
    null = "failed to satisfy constraint: Member must not be null"
    found += [f"Value null at '{name}' {null}" for name in shape.required_members if body.get(name) is None]
    for name, value in body.items():
        if name in shape.members and value is not None:
            _walk(shape.members[name], value, name, found)


def _walk(shape, value: typing.Any, place: str, found: list[str]) -> None:
    if getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if not isinstance(value, _TYPES.get(kind, (object,))) or (isinstance(value, bool) and kind != "boolean"):
        expected = _WORDS.get(kind, "Boolean" if kind == "boolean" else "Number")
        path = place.replace(".member", "").replace(".", "/")
        raise BadBody(f"#/{path}: expected type: {expected}, found: {type(value).__name__}")
    _limits(shape, value, place, found)
    if kind == "structure":
        _structure(shape, value, place, found)
    elif kind == "list":
        for i, inner in enumerate(value, 1):
            _walk(shape.member, inner, f"{place}.{i}.member", found)
    elif kind == "map":
        for key, inner in value.items():
            _walk(shape.value, inner, f"{place}.{key}", found)


def _structure(shape, value: dict, place: str, found: list[str]) -> None:
    known = {m.serialization.get("name", n): m for n, m in shape.members.items()}
    null = "failed to satisfy constraint: Member must not be null"
    found += [f"Value null at '{place}.{n}' {null}" for n in shape.required_members if value.get(n) is None]
    given = [name for name in value if name in known and value[name] is not None]
    if getattr(shape, "is_tagged_union", False) and (len(given) > 1 or not value):
        found.append(
            f"The {shape.name} object at {_from_zero(place)} must set one of the following keys: {', '.join(known)}."
        )
    for name in given:
        _walk(known[name], value[name], f"{place}.{name}", found)


def _limits(shape, value: typing.Any, place: str, found: list[str]) -> None:
    kind, rules = shape.type_name, shape.metadata
    low, high, pattern = rules.get("min"), rules.get("max"), rules.get("pattern")
    broken = None
    if kind in ("string", "list", "map", "blob"):
        what = "size" if kind == "list" else "length"
        if low is not None and len(value) < low:
            broken = f"Member must have {what} greater than or equal to {low}"
        elif high is not None and len(value) > high:
            broken = f"Member must have {what} less than or equal to {high}"
        elif kind == "string" and shape.enum and value not in shape.enum:
            broken = f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        elif kind == "string" and pattern and not _matches(pattern, value):
            broken = f"Member must satisfy regular expression pattern: {pattern}"
    elif kind not in ("structure", "boolean"):
        if low is not None and value < low:
            broken = f"Member must have value greater than or equal to {low}"
        elif high is not None and value > high:
            broken = f"Member must have value less than or equal to {high}"
    if broken:
        shown = value if isinstance(value, str | int | float) else "[]"
        found.append(f"Value '{shown}' at '{place}' failed to satisfy constraint: {broken}")


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # Java's, and not Python's
        return True


def _from_zero(place: str) -> str:
    """A place as Bedrock's own messages have it: `messages.0.content.1`."""
    parts = place.replace(".member", "").split(".")
    return ".".join(str(int(p) - 1) if p.isdigit() else p for p in parts)
