"""Whose metrics a target's are: the namespaces, dimensions and names by which CloudWatch keeps them."""

import re
import typing
import urllib.parse

from analysis.runs.run_reader import Run
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget, Target

BEDROCK, SAGEMAKER = "AWS/Bedrock", "AWS/SageMaker"
INSTANCES, COMPONENTS = "/aws/sagemaker/Endpoints", "/aws/sagemaker/InferenceComponents"
#: of a resolution under a minute: CloudWatch keeps them so fine for three hours
FINE = {"ConcurrentRequestsPerModel", "ConcurrentRequestsPerCopy"}
Statistics = dict[str, tuple[str, ...]]
_TOTALS = ("Sum", "SampleCount")
_SPREAD = (*_TOTALS, "p50", "p99")
#: name -> the statistics that are asked for
BEDROCK_METRICS: Statistics = {
    "Invocations": _TOTALS, "InvocationThrottles": _TOTALS, "InvocationClientErrors": _TOTALS, "InvocationServerErrors": _TOTALS,
    "InvocationLatency": _SPREAD, "TimeToFirstToken": _TOTALS, "InputTokenCount": _TOTALS, "OutputTokenCount": _TOTALS,
    "CacheReadInputTokens": _TOTALS, "CacheWriteInputTokens": _TOTALS, "EstimatedTPMQuotaUsage": _TOTALS,
}  # fmt: skip
SAGEMAKER_METRICS: Statistics = {
    "Invocations": _TOTALS, "Invocation4XXErrors": _TOTALS, "Invocation5XXErrors": _TOTALS, "ModelLatency": _SPREAD,
    "OverheadLatency": _TOTALS, "FirstChunkLatency": _TOTALS,
}  # fmt: skip
_CONCURRENT: Statistics = {"ConcurrentRequestsPerModel": ("Average", "Maximum")}
_COPIES: Statistics = {"ConcurrentRequestsPerCopy": ("Average", "Maximum")}
_USED: Statistics = dict.fromkeys(
    ("CPUUtilization", "MemoryUtilization", "GPUUtilization", "GPUMemoryUtilization", "GPUUtilizationNormalized"),
    ("Average",),
)
_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:[a-z-]+/(.+)")


class Series(typing.NamedTuple):
    """A metric of one set of dimensions, name by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistics: tuple[str, ...]


class Whose(typing.NamedTuple):
    """What a target's requests are of. why_none: where CloudWatch is not asked."""

    service: str  # bedrock, sagemaker; empty where it is not asked
    places: tuple[tuple[tuple[str, str], ...], ...]  # dimensions; of several variants a set each
    why_none: str = ""

    @property
    def told(self) -> str:
        """`AWS/SageMaker EndpointName=e VariantName=AllTraffic`"""
        space = BEDROCK if self.service == "bedrock" else SAGEMAKER
        return f"{space} " + ", ".join(" ".join(f"{n}={v}" for n, v in place) for place in self.places)


def whose(run: Run, target: Target) -> Whose:
    """The metrics of a target's requests."""
    if isinstance(target, BedrockTarget):
        return _of_model(target.model_id)
    if isinstance(target, SageMakerTarget):
        return _of_endpoint(run, target)
    assert isinstance(target, OpenAITarget)
    host = urllib.parse.urlsplit(target.base_url).hostname or ""
    if "bedrock-runtime" in host:
        return _of_model(target.model_id)
    return Whose("", (), "its server is not in CloudWatch")


def _of_model(model_id: str) -> Whose:
    """An ARN's metrics are its own or its id's: both are looked for."""
    arn = _ARN.fullmatch(model_id)
    ids = (model_id, arn[1]) if arn else (model_id,)
    return Whose("bedrock", tuple((("ModelId", one),) for one in ids))


def _of_endpoint(run: Run, target: SageMakerTarget) -> Whose:
    if target.endpoint is None:
        front = "an inference router" if target.inference_router else "a gateway"
        return Whose("", (), f"{front} stands before its endpoints, whose metrics are not read")
    if target.async_inference:
        why = "its endpoint is asynchronous, whose queue's metrics are not read"
        return Whose("", (), why)
    if component := target.inference_component:
        return Whose("sagemaker", ((("InferenceComponentName", component),),))
    seen = run.records["variant"][run.records["target"] == target.name].dropna() if "variant" in run.records else ()
    variants = [target.variant] if target.variant else sorted({str(v) for v in seen}) or ["AllTraffic"]
    places = tuple((("EndpointName", target.endpoint), ("VariantName", variant)) for variant in variants)
    return Whose("sagemaker", places)


def series_of(found: Whose) -> list[Series]:
    """Everything that is asked for."""
    if not found.service:
        return []
    if found.service == "bedrock":
        groups: list[tuple[str, Statistics]] = [(BEDROCK, BEDROCK_METRICS)]
    else:
        parts = found.places[0][0][0] == "InferenceComponentName"
        groups = [(SAGEMAKER, SAGEMAKER_METRICS), (SAGEMAKER, _COPIES if parts else _CONCURRENT)]
        groups += [(COMPONENTS if parts else INSTANCES, _USED)]
    return [
        Series(space, name, place, statistics)
        for place in found.places
        for space, names in groups
        for name, statistics in names.items()
    ]
