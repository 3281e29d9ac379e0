"""A scenario's inference routers and gateways, served: a router before two endpoints of its own."""

import typing

from locustfiles.contract.scenario.scenario import Scenario

LOCAL_BUCKET = "swarmledger-local"  # where asynchronous endpoints put their answers
#: environment variable of an address of AWS's service, by boto3's name of it
VARIABLES = {
    "bedrock-runtime": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "bedrock-agent-runtime": "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME",
    "sagemaker-runtime": "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
    "sagemaker-inference-router-runtime": "AWS_ENDPOINT_URL_SAGEMAKER_INFERENCE_ROUTER_RUNTIME",
    "sagemaker-gateway-runtime": "AWS_ENDPOINT_URL_SAGEMAKER_GATEWAY_RUNTIME",
    "s3": "AWS_ENDPOINT_URL_S3",
}


def behind(target) -> list[str]:
    """The endpoints that answer a SageMaker target."""
    if target.endpoint:
        return [target.endpoint]
    return [f"{target.inference_router}-{target.routing_target}-{n}" for n in (1, 2)] if target.inference_router else []


def _bedrocks(target) -> str:
    return "bedrock-agent-runtime" if target.api == "rerank" else "bedrock-runtime"


def fronts_of(scenario: Scenario) -> dict[str, typing.Any]:
    """Their keys of a configuration."""
    routers: dict[str, dict[str, list[str]]] = {}
    gateways: set[str] = set()
    buckets: set[str] = set()
    for target in scenario.targets:
        if target.service == "sagemaker" and target.inference_router and target.routing_target:
            routers.setdefault(target.inference_router, {})[target.routing_target] = behind(target)
        elif target.service == "sagemaker" and target.gateway:
            gateways.add(target.gateway)
        elif target.service == "sagemaker" and target.async_inference and target.async_inference.input_location:
            buckets.add(target.async_inference.input_location.removeprefix("s3://").split("/")[0])
    found: dict[str, typing.Any] = {"routers": routers, "gateways": sorted(gateways), "buckets": sorted(buckets)}
    return {key: value for key, value in found.items() if value}


def variables(targets: typing.Sequence[typing.Any]) -> list[str]:
    """Those that lead these targets elsewhere."""
    asked = {t.runtime if t.service == "sagemaker" else _bedrocks(t) for t in targets}
    asked |= {"s3" for t in targets if getattr(t, "async_inference", None)}
    usual = {"bedrock-runtime", "sagemaker-runtime"}
    return [name for service, name in VARIABLES.items() if service in asked | usual]
