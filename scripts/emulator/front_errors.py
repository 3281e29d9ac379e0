"""Errors as inference routers and global inference gateways word those of what stands behind them."""

import dataclasses

from scripts.emulator.errors import AwsError

SELF, BEHIND = "Global Inference Gateway", "inference gateway"  # what a gateway's messages begin with: who failed
_ROUTERS = {"ValidationError": "ValidationException", "ServiceUnavailable": "ServiceUnavailableException"}
#: code of an endpoint's error -> status and code of a gateway's; the same message, from the gateway itself
_GATEWAYS = {
    "ValidationError": (400, "ValidationException"),
    "ServiceUnavailable": (503, "ServiceUnavailableException"),
    "ModelNotReadyException": (503, "ServiceUnavailableException"),
    "InternalFailure": (500, "InternalServerException"),
    "InternalDependencyException": (502, "BadGatewayException"),
}
#: status of a model server -> status and code of a gateway's answer
_OF_SERVER = {
    401: (403, "AccessDeniedException"),
    403: (403, "AccessDeniedException"),
    404: (404, "ResourceNotFoundException"),
    408: (504, "GatewayTimeoutException"),
    429: (429, "ThrottlingException"),
    504: (504, "GatewayTimeoutException"),
}


def reworded(front: str, error: AwsError) -> AwsError:
    """front: `router` or `gateway`; a `queue` has no words of its own."""
    if error.authentication or front == "queue":
        return error
    if front == "router":
        return dataclasses.replace(error, code=_ROUTERS.get(error.code, error.code))
    if error.code == "ModelError":
        return _of_server(error)
    if error.message.startswith(SELF):
        return error
    status, code = _GATEWAYS.get(error.code, (error.status, error.code))
    return AwsError(status, code, f"{SELF}: {error.message}")


def _of_server(error: AwsError) -> AwsError:
    """What the model server answered, or did not."""
    status, text = error.members["OriginalStatusCode"], error.members["OriginalMessage"]
    if not status:
        return AwsError(504, "GatewayTimeoutException", f"{SELF}: timed out waiting for the inference gateway")
    other = (400, "ValidationException") if status < 500 else (502, "BadGatewayException")
    return AwsError(*_OF_SERVER.get(status, other), f"{BEHIND} (model server): {status} {text[:256]}")


def no_router(name: str) -> AwsError:
    return AwsError(400, "ValidationException", f"Inference router {name} not found.")


def no_routing_target(name: str, router: str) -> AwsError:
    return AwsError(400, "ValidationException", f"Routing target {name} not found in inference router {router}.")


def no_gateway(gateway: str) -> AwsError:
    return _not_found(gateway, "gateway")


def no_model(model: str) -> AwsError:
    return _not_found(model, "model")


def _not_found(name: str, kind: str) -> AwsError:
    members = {"ResourceId": name, "ResourceType": kind}
    return AwsError(404, "ResourceNotFoundException", f"{SELF}: no {kind} {name}", members)


def too_large(front: str, limit: int) -> AwsError:
    text = f"the request body exceeds the limit of {limit} bytes"
    return AwsError(413, "PayloadTooLargeException", f"{SELF}: {text}" if front == "gateway" else text)


def no_json(content_type: str) -> AwsError:
    return AwsError(
        415, "ValidationException", f"{SELF}: content type {content_type or 'none'} is not application/json"
    )


def no_object(why: str) -> AwsError:
    return AwsError(400, "ValidationException", f"{SELF}: {why}")
