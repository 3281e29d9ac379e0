"""An encoder of AWS event-stream frames, written from the format's description and apart from the product's decoder."""

import base64
import binascii
import json


def frame(payload: bytes, headers: dict[str, str | bytes]) -> bytes:
    """A frame; a header of type str is encoded as a string, one of type bytes is put in as it is (type byte first)."""
    block = b""
    for name, value in headers.items():
        block += len(name.encode()).to_bytes(1, "big") + name.encode()
        if isinstance(value, str):
            block += b"\x07" + len(value.encode()).to_bytes(2, "big") + value.encode()
        else:
            block += value
    lengths = (12 + len(block) + len(payload) + 4).to_bytes(4, "big") + len(block).to_bytes(4, "big")
    message = lengths + binascii.crc32(lengths).to_bytes(4, "big") + block + payload
    return message + binascii.crc32(message).to_bytes(4, "big")


def event(kind: str, payload: dict | bytes) -> bytes:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    content = "application/octet-stream" if isinstance(payload, bytes) else "application/json"
    return frame(raw, {":event-type": kind, ":content-type": content, ":message-type": "event"})


def exception(kind: str, payload: dict) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(json.dumps(payload).encode(), headers)


def chunk(inner: dict) -> bytes:
    """A chunk of InvokeModelWithResponseStream, padded as Bedrock pads it."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(inner).encode()).decode(), "p": "abcdefgh"})


def part(raw: bytes) -> bytes:
    return event("PayloadPart", raw)
