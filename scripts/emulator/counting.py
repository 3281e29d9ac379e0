"""Bedrock's CountTokens: a request of Converse or InvokeModel inside another, of which only the prompt is counted."""

import base64
import binascii
import json

from scripts.emulator import service_model
from scripts.emulator.dialects import Call, converse, want
from scripts.emulator.errors import BadBody


def read(body: dict, family) -> Call:
    """The call that is to be counted. family: whose bodies InvokeModel takes. Raises AwsError or BadBody."""
    service_model.check("CountTokens", body)
    given = want(body, "input", dict, required=True)
    if "converse" in given:
        return converse.read(given["converse"])
    return family.read(_inner(want(want(given, "invokeModel", dict, required=True), "body", str, required=True)))


def _inner(body: str) -> dict:
    """The model's own body, which travels in base64."""
    try:
        inner = json.loads(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        raise BadBody("#/input/invokeModel/body: not a JSON body in base64") from None
    if not isinstance(inner, dict):
        raise BadBody("#/input/invokeModel/body: expected type: JSONObject")
    return inner
