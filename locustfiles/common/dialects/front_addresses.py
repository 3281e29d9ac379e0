"""Where requests to SageMaker's inference routers and global inference gateways go; names from botocore's models of both."""

import os

from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import SageMakerTarget

Address = tuple[str, str, dict[str, str]]  # operation, path, headers


def front_address(target: SageMakerTarget) -> Address:
    """Of a target without an endpoint of its own. Raises BadScenario."""
    return _of_router(target) if target.inference_router else _of_gateway(target)


def _of_router(target: SageMakerTarget) -> Address:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-Amzn-SageMaker-Routing-Target-Name": target.routing_target,
        "X-Amzn-SageMaker-Custom-Attributes": target.custom_attributes,
        "X-Amzn-SageMaker-Prefix-Aware-Id": target.prefix_aware_id,
        "X-Amzn-SageMaker-Inference-Id": target.inference_id,
    }
    given = {name: value for name, value in headers.items() if value is not None}
    return "InvokeInferenceRouter", f"/inference-routers/{target.inference_router}/invocations", given


def _of_gateway(target: SageMakerTarget) -> Address:
    headers = {"Content-Type": "application/json"}
    if target.identity_token_env:
        headers["X-Amzn-SageMaker-Customer-Identity-Token"] = _token(target, target.identity_token_env)
    path = f"/global-inference-gateway/{target.gateway}/invocations"
    if target.stream:
        return "InvokeGlobalInferenceGatewayWithResponseStream", f"{path}-response-stream", headers
    return "InvokeGlobalInferenceGateway", path, headers | {"Accept": "application/json"}


def _token(target: SageMakerTarget, variable: str) -> str:
    token = os.environ.get(variable, "").strip()
    if not token or not (token.isascii() and token.isprintable()):
        what = "holds characters that no token has" if token else "is not set"
        raise BadScenario(
            f"target `{target.name}`: {variable} {what}; set it to the identity token that the gateway checks"
        )
    return token
