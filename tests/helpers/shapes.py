"""Walks what came over the wire against botocore's own description of the service: types, required members,
enums, unknown members."""

import base64
import json
import math
import re

import botocore.session

SERVICES = {
    "sagemaker": "sagemaker-runtime",
    "bedrock": "bedrock-runtime",
    "router": "sagemaker-inference-router-runtime",
    "gateway": "sagemaker-gateway-runtime",
}
PADDING = re.compile("a?b?c?d?e?f?g?h?i?j?k?l?m?n?o?p?q?r?s?t?u?v?w?x?y?z?[A-Z]*[0-9]*")

# What AWS sends and its models do not describe: errors of the front door, before an operation is reached.
COMMON_ERRORS = {
    "MissingAuthenticationTokenException": 403,
    "IncompleteSignatureException": 403,
    "InvalidSignatureException": 403,
    "UnrecognizedClientException": 403,
    "ExpiredTokenException": 403,
    "AccessDeniedException": 403,
    "ThrottlingException": 429,
}
COMMON_HEADERS = {
    "date",
    "connection",
    "content-type",
    "content-length",
    "transfer-encoding",
    "x-amzn-requestid",
    "x-amzn-errortype",
}
INVOKE_HEADERS = {
    "x-amzn-bedrock-invocation-latency",
    "x-amzn-bedrock-input-token-count",
    "x-amzn-bedrock-output-token-count",
    "x-amzn-bedrock-cache-read-input-token-count",
    "x-amzn-bedrock-cache-write-input-token-count",
}


class Mismatch(AssertionError):
    """The wire and the service's description differ; the text names the member."""


def operation_model(service: str, operation: str):
    return botocore.session.get_session().get_service_model(SERVICES[service]).operation_model(operation)


def walk(shape, value, where: str) -> None:
    """Raises Mismatch where a JSON value does not have its shape."""
    kind = shape.type_name
    checks = {"structure": _structure, "list": _list, "map": _map, "string": _string, "blob": _blob}
    if getattr(shape, "is_document_type", False):
        return
    if kind in checks:
        checks[kind](shape, value, where)
    elif kind in ("integer", "long"):
        _require(isinstance(value, int) and not isinstance(value, bool), where, kind, value)
        _require(
            shape.metadata.get("min", -math.inf) <= value <= shape.metadata.get("max", math.inf),
            where,
            "a value in range",
            value,
        )
    elif kind in ("float", "double", "timestamp"):  # JSON 1.1 has seconds
        _require(isinstance(value, int | float) and not isinstance(value, bool), where, kind, value)
    elif kind == "boolean":
        _require(isinstance(value, bool), where, kind, value)
    else:
        raise Mismatch(f"{where}: no check for {kind}")


def _require(fact: bool, where: str, expected: str, value) -> None:
    if not fact:
        raise Mismatch(f"{where}: expected {expected}, found {value!r}")


def _structure(shape, value, where: str) -> None:
    _require(isinstance(value, dict), where, "structure", value)
    names = {m.serialization.get("name", n): m for n, m in shape.members.items() if "location" not in m.serialization}
    for required in shape.required_members:
        if "location" not in shape.members[required].serialization:
            _require(required in value, where, f"member {required}", value)
    for name, member in value.items():
        _require(name in names, where, f"one of {sorted(names)}", name)
        walk(names[name], member, f"{where}.{name}")
    if getattr(shape, "is_tagged_union", False):
        _require(len(value) == 1, where, "exactly one member of a union", value)


def _list(shape, value, where: str) -> None:
    _require(isinstance(value, list), where, "list", value)
    for i, member in enumerate(value):
        walk(shape.member, member, f"{where}[{i}]")


def _map(shape, value, where: str) -> None:
    _require(isinstance(value, dict), where, "map", value)
    for key, member in value.items():
        walk(shape.value, member, f"{where}.{key}")


def _string(shape, value, where: str) -> None:
    _require(isinstance(value, str), where, "string", value)
    _require(not shape.enum or value in shape.enum, where, f"one of {shape.enum}", value)


def _blob(shape, value, where: str) -> None:
    _require(isinstance(value, str), where, "base64", value)
    base64.b64decode(value, validate=True)


def walk_answer(service: str, operation: str, answer) -> int:
    """A whole 200 answer of an operation, headers and body; returns the number of events walked."""
    shape = operation_model(service, operation).output_shape
    _headers(shape, answer, f"{operation} headers")
    payload = shape.serialization.get("payload")
    if payload is None:
        walk(shape, answer.json(), operation)
        return 0
    if shape.members[payload].serialization.get("eventstream"):
        _require(
            answer.headers["content-type"] == "application/vnd.amazon.eventstream",
            operation,
            "an event stream",
            answer.headers,
        )
        frames = answer.frames()
        for frame in frames:
            walk_frame(shape.members[payload], frame, service, operation)
        return len(frames)
    return 0  # a blob: the model's own body


def _headers(shape, answer, where: str) -> None:
    modelled = {
        m.serialization["name"].lower(): n
        for n, m in shape.members.items()
        if m.serialization.get("location") == "header"
    }
    for name in answer.headers:
        _require(
            name in modelled or name in COMMON_HEADERS or (name in INVOKE_HEADERS and "InvokeModel" in shape.name),
            where,
            "a known header",
            name,
        )
    for name, member in modelled.items():
        if member in shape.required_members:
            _require(name in answer.headers, where, f"header {name}", answer.headers)
        if name in answer.headers:
            walk(shape.members[member], answer.headers[name], f"{where}.{name}")
    _require("x-amzn-requestid" in answer.headers, where, "x-amzn-requestid", answer.headers)


def walk_frame(stream_shape, frame, service: str, where: str) -> None:
    """One event or exception of a stream; every header is a string."""
    headers = frame.headers
    _require(all(isinstance(v, str) for v in headers.values()), where, "string headers", headers)
    kind = headers[":message-type"]
    _require(kind in ("event", "exception"), where, "event or exception", kind)
    name = headers[":event-type" if kind == "event" else ":exception-type"]
    _require(name in stream_shape.members, where, f"one of {sorted(stream_shape.members)}", name)
    shape = stream_shape.members[name]
    _require(bool(shape.metadata.get("exception")) == (kind == "exception"), where, f"{name} as {kind}", headers)
    raw = [m for m in shape.members.values() if m.serialization.get("eventpayload")]
    if raw:
        _require(
            headers[":content-type"] == "application/octet-stream" and raw[0].type_name == "blob",
            where,
            "raw bytes",
            headers,
        )
        return
    _require(headers[":content-type"] == "application/json", where, "JSON", headers)
    value = json.loads(frame.payload)
    if service == "bedrock" and kind == "event":  # Bedrock pads every event; its description does not say so
        _require(PADDING.fullmatch(value.pop("p", "?")) is not None, where, "padding `p`", frame.payload)
    walk(shape, value, f"{where}.{name}")


def walk_error(service: str, operation: str, answer) -> str:
    """An error answer: declared on the operation or common to all of AWS, with its status and members; returns
    its code."""
    code = answer.headers["x-amzn-errortype"].split(":")[0]
    _require(
        "x-amzn-requestid" in answer.headers and answer.headers["content-type"] == "application/json",
        code,
        "error headers",
        answer.headers,
    )
    declared = {s.name: s for s in operation_model(service, operation).error_shapes}
    if code in declared:
        _require(
            declared[code].metadata["error"]["httpStatusCode"] == answer.status,
            code,
            "the declared status",
            answer.status,
        )
        body = answer.json()
        _require(any(body.get(k) for k in ("message", "Message")), code, "a message", body)
        if not answer.headers["x-amzn-errortype"].endswith("/com.amazon.coral.service/"):
            walk(declared[code], body, code)
    else:
        _require(
            COMMON_ERRORS.get(code) == answer.status, operation, "a declared or common error", (code, answer.status)
        )
        _require(set(answer.json()) in ({"message"}, {"Message"}), code, "a message alone", answer.body)
    return code
