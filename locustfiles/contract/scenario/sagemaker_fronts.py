"""What a SageMaker target asks: an endpoint, an inference router or a global inference gateway; and which keys go with which."""

import typing

import pydantic

from locustfiles.contract.scenario.field_types import Text

#: as AWS's service models have them
RouterName = typing.Annotated[
    Text, pydantic.Field(max_length=63, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")
]  # of a router and of its routing targets
GatewayId = typing.Annotated[Text, pydantic.Field(max_length=64, pattern=r"^[a-z0-9]+$")]

#: boto3's name of the service, by the key that says what is asked
RUNTIMES = {
    "endpoint": "sagemaker-runtime",
    "inference_router": "sagemaker-inference-router-runtime",
    "gateway": "sagemaker-gateway-runtime",
}
GATEWAY_DIALECTS = ("openai-chat", "openai-completions")
ROUTER_TIMEOUT_S = 170.0  # the least that AWS asks clients of a router to wait: it may try two destinations

_OF_ENDPOINTS = ("inference_component", "variant", "target_model", "target_container", "session_id")
_OF_REQUESTS = ("prefix_aware_id", "inference_id", "custom_attributes")
#: what is asked -> the keys that it has no place for
_STRAY = {
    "endpoint": ("routing_target", "model_id", "identity_token_env"),
    "inference_router": (*_OF_ENDPOINTS, "model_id", "identity_token_env"),
    "gateway": (*_OF_ENDPOINTS, *_OF_REQUESTS, "routing_target"),
}
_NEEDED = {"endpoint": None, "inference_router": "routing_target", "gateway": "model_id"}


def check_front(keys: typing.Mapping[str, typing.Any], dialect: str, stream: bool) -> str:
    """The key that says what is asked. Raises ValueError where there is none, or two, or keys that do not fit to it."""
    given = [key for key in RUNTIMES if keys.get(key) is not None]
    if len(given) != 1:
        named = " and ".join(f"`{key}`" for key in given)
        what = (
            f"{named} are two; keep one" if given else "`endpoint` is missing; add it, `inference_router` or `gateway`"
        )
        raise ValueError(what)
    (front,) = given
    stray = next((key for key in _STRAY[front] if keys.get(key) is not None), None)
    if stray:
        raise ValueError(f"`{stray}` is not for a target with `{front}`; remove it")
    needed = _NEEDED[front]
    if needed and keys.get(needed) is None:
        raise ValueError(f"`{front}` needs `{needed}:`; add it")
    if front == "inference_router" and stream:
        raise ValueError("inference routers do not stream; set `stream: false`")
    if front == "gateway" and dialect not in GATEWAY_DIALECTS:
        raise ValueError(f"a gateway takes OpenAI's bodies alone; write `dialect: {' or '.join(GATEWAY_DIALECTS)}`")
    return front
