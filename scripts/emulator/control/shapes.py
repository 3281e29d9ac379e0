"""Bodies of the control plane, checked by botocore's description of SageMaker as the service checks them."""

import functools
import json

import botocore.loaders
import botocore.model

from scripts.emulator.control import refusals
from scripts.emulator.errors import AwsError, BadBody, invalid
from scripts.emulator.service_model import violations


@functools.cache
def description() -> botocore.model.ServiceModel:
    """A few tenths of a second, the first time."""
    return botocore.model.ServiceModel(
        botocore.loaders.Loader().load_service_model("sagemaker", "service-2"), "sagemaker"
    )


def read(operation: str, data: bytes) -> dict:
    """The body of a request. Raises AwsError."""
    try:
        body = json.loads(data or b"{}")
    except ValueError:
        raise refusals.unreadable() from None
    if not isinstance(body, dict):
        raise refusals.unreadable()
    shape = description().operation_model(operation).input_shape
    found: list[str] = []
    try:
        violations(shape, body, found)
    except BadBody:
        raise refusals.unreadable() from None
    if found:
        raise AwsError(400, "ValidationException", refusals.lowered(invalid(found).message))
    return body


def told(operation: str, value: dict) -> dict:
    """Of an answer the members that the operation declares."""
    shape = description().operation_model(operation).output_shape
    return {name: each for name, each in value.items() if name in shape.members and each is not None} if shape else {}
