"""Where requests to asynchronous endpoints go; header names from botocore's models of both operations."""

import hashlib

from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.scenario.async_inference import MOST_INLINE_BYTES, AsyncInference
from locustfiles.contract.scenario.targets import SageMakerTarget

INPUT_LOCATION = "X-Amzn-SageMaker-InputLocation"


def async_address(
    target: SageMakerTarget, asked: AsyncInference, path: str, prompt: Prompt, body: bytes
) -> tuple[str, str, dict[str, str]]:
    """Operation, path and headers. path: of the endpoint or router. Raises BadPayload for a body that the request itself cannot hold."""
    headers = {
        "X-Amzn-SageMaker-Content-Type": "application/json",
        "X-Amzn-SageMaker-Accept": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": target.custom_attributes,
        "X-Amzn-SageMaker-S3OutputPathExtension": asked.output_path_extension,
        "X-Amzn-SageMaker-RequestTTLSeconds": _text(asked.request_ttl_s),
        "X-Amzn-SageMaker-InvocationTimeoutSeconds": _text(asked.invocation_timeout_s),
    }
    if asked.input_location:
        name = hashlib.sha256(body).hexdigest()
        headers[INPUT_LOCATION] = f"{asked.input_location.rstrip('/')}/{name}.json"
    elif len(body) > MOST_INLINE_BYTES:
        raise BadPayload(
            f"target `{target.name}`: the body for prompt `{prompt.id}` has {len(body):,} bytes, of which a request holds "
            f"{MOST_INLINE_BYTES:,}; use `async_inference: {{input: s3, input_location: …}}`"
        )
    operation = "InvokeEndpointAsync"
    if target.inference_router:
        operation, headers["X-Amzn-SageMaker-Routing-Target-Name"] = "InvokeInferenceRouterAsync", target.routing_target
    return operation, f"{path}/async-invocations", {name: value for name, value in headers.items() if value is not None}


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
