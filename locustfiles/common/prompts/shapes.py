"""Values against botocore's own description of bedrock-runtime: what Converse takes, to the last member.

A blob stands in JSON as base64, which boto3 takes as bytes and writes as base64 again.
"""

import base64
import binascii
import functools
import typing

_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "structure": (dict, "an object"), "map": (dict, "an object"), "list": (list, "a list"), "string": (str, "a text"),
    "blob": (str, "base64"), "boolean": (bool, "true or false"), "integer": (int, "a whole number"),
    "long": (int, "a whole number"), "float": ((int, float), "a number"), "double": ((int, float), "a number"),
}  # fmt: skip


@functools.cache
def member(operation: str, *path: str) -> typing.Any:
    """The shape of an operation's input, or what is inside of it: `member("Converse", "messages", "[]", "content")`."""
    import botocore.loaders  # the description takes a tenth of a second, and most payloads need none of it
    import botocore.model

    description = botocore.loaders.Loader().load_service_model("bedrock-runtime", "service-2")
    shape = botocore.model.ServiceModel(description, "bedrock-runtime").operation_model(operation).input_shape
    for name in path:
        shape = shape.member if name == "[]" else shape.members[name]
    return shape


def check(shape: typing.Any, value: object, where: str) -> None:
    """Raises ValueError with the place, what is wrong and the remedy."""
    if _is_document(shape):
        return
    kind, words = _KINDS.get(shape.type_name, (object, ""))
    if not isinstance(value, kind) or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise ValueError(f"`{where}` must be {words}")
    least = shape.metadata.get("min", 0)
    if shape.type_name in ("list", "string", "map") and len(typing.cast(list, value)) < least:
        raise ValueError(f"`{where}` is too short; it must have at least {least}")
    if shape.type_name == "structure":
        _structure(shape, typing.cast(dict, value), where)
    elif shape.type_name == "list":
        for place, inner in enumerate(typing.cast(list, value)):
            check(shape.member, inner, f"{where}[{place}]")
    elif shape.type_name == "map":
        for key, inner in typing.cast(dict, value).items():
            check(shape.value, inner, f"{where}.{key}")
    elif shape.type_name == "blob":
        check_base64(typing.cast(str, value), where)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise ValueError(f"`{where}` is `{value}`; it must be one of {', '.join(shape.enum)}")


def _structure(shape: typing.Any, value: dict, where: str) -> None:
    unknown = next((key for key in value if key not in shape.members), None)
    if unknown is not None:
        raise ValueError(f"`{where}` has an unknown key `{unknown}`; known are {', '.join(shape.members)}")
    missing = next((name for name in shape.required_members if value.get(name) is None), None)
    if missing is not None:
        raise ValueError(f"`{where}` has no `{missing}`; add it")
    if shape.is_tagged_union and len(value) != 1:
        raise ValueError(f"`{where}` must have exactly one of {', '.join(shape.members)}; it has {len(value)}")
    for key, inner in value.items():
        check(shape.members[key], inner, f"{where}.{key}")


def check_base64(text: str, where: str) -> None:
    """Raises ValueError for what is none, or of no bytes."""
    try:
        known = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        known = b""
    if not known:
        raise ValueError(
            f'`{where}` is not base64; write the file\'s bytes so, or `{{"file": "PATH"}}` in place of its holder'
        )


def with_bytes(shape: typing.Any, value: typing.Any) -> typing.Any:
    """The value as boto3's callers write it: every blob as bytes, all else as it is."""
    if _is_document(shape):
        return value
    if shape.type_name == "blob" and isinstance(value, str):
        return base64.b64decode(value)
    if shape.type_name == "structure" and isinstance(value, dict):
        known = shape.members
        return {k: with_bytes(known[k], v) if k in known else v for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [with_bytes(shape.member, v) for v in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {k: with_bytes(shape.value, v) for k, v in value.items()}
    return value


def _is_document(shape: typing.Any) -> bool:
    """Any JSON, a tool's input for one."""
    return bool(getattr(shape, "is_document_type", False))
