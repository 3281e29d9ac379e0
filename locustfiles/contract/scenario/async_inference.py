"""How an asynchronous endpoint is asked, and where its answer is waited for."""

import typing

import pydantic

from locustfiles.contract.scenario.field_types import HeaderText
from locustfiles.contract.strict_yaml import Strict

MOST_INLINE_BYTES = 128_000  # of a body in the request itself
#: keys of a target that InvokeEndpointAsync has no place for
_STRAY = (
    "inference_component", "variant", "target_model", "target_container", "prefix_aware_id", "session_id", "inference_id",
)  # fmt: skip
S3Prefix = typing.Annotated[
    HeaderText, pydantic.Field(max_length=900, pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")
]
Extension = typing.Annotated[HeaderText, pydantic.Field(max_length=512, pattern=r"^[a-zA-Z0-9!_.*'()/-]+$")]


class AsyncInference(Strict):
    """The request is queued; its answer is an object in S3."""

    input: typing.Literal["inline", "s3"] = "inline"  # where the body is: in the request, or in an object
    input_location: S3Prefix | None = None  # `s3`: where these objects are put
    poll_s: typing.Annotated[float, pydantic.Field(ge=0.05, le=60)] = 0.5  # between two looks for the answer
    request_ttl_s: typing.Annotated[int, pydantic.Field(ge=60, le=21_600)] | None = None  # in the queue at most
    invocation_timeout_s: typing.Annotated[int, pydantic.Field(ge=1, le=3600)] | None = None  # in the model at most
    output_path_extension: Extension | None = None  # below the endpoint's own path of answers

    @pydantic.model_validator(mode="after")
    def _input_placed(self) -> typing.Self:
        if self.input == "s3" and self.input_location is None:
            raise ValueError("`input: s3` needs `input_location:`, such as s3://my-bucket/inputs; add it")
        if self.input == "inline" and self.input_location is not None:
            raise ValueError("`input_location` is for `input: s3`; add that, or remove it")
        return self


def check_async(keys: typing.Mapping[str, typing.Any], stream: bool) -> None:
    """Raises ValueError for a target of an asynchronous endpoint with keys that do not fit to it."""
    if keys.get("gateway") is not None:
        raise ValueError("gateways have no queue; remove `async_inference`")
    if keys.get("inference_router") is not None and keys["async_inference"].input == "inline":
        raise ValueError("a router's queue takes no body, but objects alone; write `input: s3` and `input_location:`")
    if stream:
        raise ValueError("asynchronous endpoints do not stream; set `stream: false`")
    if keys.get("inference_id") is not None:
        raise ValueError("`inference_id` names the answer's object, which each request would overwrite; remove it")
    stray = next((key for key in _STRAY if keys.get(key) is not None), None)
    if stray:
        raise ValueError(f"`{stray}` is not for a target with `async_inference`; remove it")
