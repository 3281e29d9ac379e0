"""Whose metrics a target's are: the namespaces, dimensions and names by which CloudWatch keeps them."""

import re
import typing
import urllib.parse

from analysis.runs.run_reader import Run
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget, Target

BEDROCK, MANTLE, SAGEMAKER = "AWS/Bedrock", "AWS/BedrockMantle", "AWS/SageMaker"
INSTANCES, COMPONENTS = "/aws/sagemaker/Endpoints", "/aws/sagemaker/InferenceComponents"
#: of a resolution under a minute: CloudWatch keeps them so fine for three hours
FINE = {"ConcurrentRequestsPerModel", "ConcurrentRequestsPerCopy"}
Statistics = dict[str, tuple[str, ...]]
_TOTALS = ("Sum", "SampleCount")
_SPREAD = (*_TOTALS, "p50", "p99")
_LEVEL = ("Average", "Maximum")
#: name -> the statistics that are asked for
BEDROCK_METRICS: Statistics = {
    "Invocations": _TOTALS, "InvocationThrottles": _TOTALS, "InvocationClientErrors": _TOTALS, "InvocationServerErrors": _TOTALS,
    "InvocationLatency": _SPREAD, "TimeToFirstToken": _TOTALS, "InputTokenCount": _TOTALS, "OutputTokenCount": _TOTALS,
    "CacheReadInputTokens": _TOTALS, "CacheWriteInputTokens": _TOTALS, "EstimatedTPMQuotaUsage": _TOTALS,
}  # fmt: skip
#: all that there is: https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle-metrics.html
MANTLE_METRICS: Statistics = dict.fromkeys(
    ("Inferences", "InferenceClientErrors", "TotalInputTokens", "TotalOutputTokens"), ("Sum",)
)
SAGEMAKER_METRICS: Statistics = {
    "Invocations": _TOTALS, "Invocation4XXErrors": _TOTALS, "Invocation5XXErrors": _TOTALS, "ModelLatency": _SPREAD,
    "OverheadLatency": _TOTALS, "FirstChunkLatency": _TOTALS,
}  # fmt: skip
#: requests that an asynchronous endpoint processed: by the name that others found in CloudWatch, and by that of AWS's page
PROCESSED = ("InvocationsProcessed", "InvocationsProcesssed")
#: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html: neither Invocations nor OverheadLatency
QUEUED_METRICS: Statistics = dict.fromkeys(PROCESSED, ("Sum",)) | {
    "Invocation4XXErrors": _TOTALS, "Invocation5XXErrors": _TOTALS, "ModelLatency": _TOTALS, "TotalProcessingTime": _SPREAD,
    "TimeInBacklog": _TOTALS,
}  # fmt: skip
#: of a whole endpoint, whichever variant
_BACKLOG: Statistics = {"ApproximateBacklogSize": _LEVEL}
#: name -> the units that it may be kept in, as AWS's page says microseconds and milliseconds of it in different versions: it is asked
#: for in each, and CloudWatch answers in the one alone
UNITS: dict[str, tuple[str, ...]] = {"TimeInBacklog": ("Microseconds", "Milliseconds")}
_CONCURRENT: Statistics = {"ConcurrentRequestsPerModel": _LEVEL}
_COPIES: Statistics = {"ConcurrentRequestsPerCopy": _LEVEL}
_USED: Statistics = dict.fromkeys(
    ("CPUUtilization", "MemoryUtilization", "GPUUtilization", "GPUMemoryUtilization", "GPUUtilizationNormalized"),
    ("Average",),
)
#: name -> statistic: CloudWatch knows of the periods in which one of them is told. A queue's length is, where nothing is processed, too
TOLD_BY = dict.fromkeys(("Invocations", "InvocationThrottles", *MANTLE_METRICS, *PROCESSED), "Sum") | {
    "ApproximateBacklogSize": "Average"
}
_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:[a-z-]+/(.+)")
_DESTINATION = re.compile(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):\d*:(endpoint|inference-component)/(.+)")
#: https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-openai-compatible.html
_CHAT_ROUTE = re.compile(r"/endpoints/([^/]+)(?:/inference-components/([^/]+))?/openai/v1/?")
_OF_MANTLE = "bedrock-mantle publishes no latency, throttles or server errors"
ALL_TRAFFIC = "AllTraffic"  # the variant's name, where nobody gave another
Place = tuple[tuple[str, str], ...]


class Series(typing.NamedTuple):
    """A metric of one set of dimensions, name by name. unit: the one that is asked for; None: whichever it has."""

    namespace: str
    name: str
    dimensions: Place
    statistics: tuple[str, ...]
    unit: str | None = None


class Whose(typing.NamedTuple):
    """What a target's requests are of. why_none: where CloudWatch is not asked."""

    service: str  # bedrock, mantle, sagemaker, queued (an asynchronous endpoint); empty where it is not asked
    places: tuple[Place, ...]  # dimensions; of several variants or destinations a set each
    why_none: str = ""
    guessed: tuple[str, ...] = ()  # endpoints of which no record names a variant: taken to be ALL_TRAFFIC
    lacks: str = ""  # what its metrics do not have, and why
    abroad: bool = False  # whether requests of it went to regions that are not asked

    @property
    def told(self) -> str:
        """`AWS/SageMaker EndpointName=e VariantName=AllTraffic`"""
        space = {"bedrock": BEDROCK, "mantle": MANTLE}.get(self.service, SAGEMAKER)
        return f"{space} " + ", ".join(" ".join(f"{n}={v}" for n, v in place) for place in self.places)


def whose(run: Run, target: Target, region: str | None = None) -> Whose:
    """The metrics of a target's requests. region: that is asked; None: not known."""
    if isinstance(target, BedrockTarget):
        return _of_model(target.model_id)
    if isinstance(target, SageMakerTarget):
        service = "queued" if target.async_inference else "sagemaker"
        if target.endpoint is None:
            return _of_front(run, target, service, region)
        if component := target.inference_component:
            return Whose(service, (_component(component),))
        return _of_endpoint(run, target.name, service, target.endpoint, target.variant)
    assert isinstance(target, OpenAITarget)
    url = urllib.parse.urlsplit(target.base_url)
    host = url.hostname or ""
    if "bedrock-runtime" in host:
        return _of_model(target.model_id)
    if "bedrock-mantle" in host:
        return Whose("mantle", ((("Model", target.model_id),),), lacks=_OF_MANTLE)
    if "sagemaker" in host and (route := _CHAT_ROUTE.fullmatch(urllib.parse.unquote(url.path))):
        if route[2]:
            return Whose("sagemaker", (_component(route[2]),))
        return _of_endpoint(run, target.name, "sagemaker", route[1], None)
    return Whose("", (), "its server is not in CloudWatch")


def _of_model(model_id: str) -> Whose:
    """An ARN's metrics are its own or its id's: both are looked for."""
    arn = _ARN.fullmatch(model_id)
    ids = (model_id, arn[1]) if arn else (model_id,)
    return Whose("bedrock", tuple((("ModelId", one),) for one in ids))


def _of_endpoint(run: Run, target: str, service: str, endpoint: str, variant: str | None) -> Whose:
    variants = [variant] if variant else sorted({v for _, v in _answered(run, target) if v})
    places = tuple(_variant(endpoint, one) for one in variants or [ALL_TRAFFIC])
    return Whose(service, places, guessed=() if variants else (endpoint,))


def _of_front(run: Run, target: SageMakerTarget, service: str, region: str | None) -> Whose:
    """Of all destinations that its records name."""
    told = {
        (arn, variant) for who, variant in _answered(run, target.name) if (arn := _DESTINATION.fullmatch(who or ""))
    }
    front = "inference router" if target.inference_router else "gateway"
    if not told and target.inference_router:
        return Whose("", (), "no record says to which endpoint its inference router sent it")
    if not told:
        return Whose("", (), "a gateway stands before its endpoints, whose metrics are not read")
    away = " and ".join(sorted({arn[1] for arn, _ in told} - {region})) if region else ""
    lacks = f"its {front} sent requests to {away}, too, whose metrics are not read" if away else ""
    here = [(arn[2], arn[3], variant) for arn, variant in told if region in (None, arn[1])]
    if not here:
        return Whose("", (), f"its {front} sent all requests to {away}; give one region with --region")
    places = {
        _component(name) if kind != "endpoint" else _variant(name, variant or ALL_TRAFFIC)
        for kind, name, variant in here
    }
    named = {name for kind, name, variant in here if kind == "endpoint" and variant}
    guessed = {name for kind, name, _ in here if kind == "endpoint"} - named
    return Whose(service, tuple(sorted(places)), guessed=tuple(sorted(guessed)), lacks=lacks, abroad=bool(away))


def _answered(run: Run, target: str) -> set[tuple[str | None, str | None]]:
    """Who answered a target's requests: destination and variant. Older folders have neither column."""
    mine = (run.records["target"] == target).to_numpy(dtype=bool)
    told = run.records.reindex(columns=["routed_to", "variant"])[mine].drop_duplicates()
    return {(_text(who), _text(variant)) for who, variant in told.itertuples(index=False)}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _variant(endpoint: str, variant: str) -> Place:
    return (("EndpointName", endpoint), ("VariantName", variant))


def _component(name: str) -> Place:
    return (("InferenceComponentName", name),)


def with_variants(found: Whose, known: typing.Mapping[str, typing.Sequence[str]]) -> Whose:
    """known: endpoint -> its variants, in place of those that were guessed; empty: not known."""
    places: list[Place] = []
    for place in found.places:
        name = place[0][1] if place[0][0] == "EndpointName" else ""
        variants = known.get(name) if name in found.guessed else None
        places += [_variant(name, one) for one in variants] if variants else [place]
    return found._replace(places=tuple(dict.fromkeys(places)))


def series_of(found: Whose) -> list[Series]:
    """Everything that is asked for."""
    return list(
        dict.fromkeys(
            Series(space, name, dimensions, statistics, unit)
            for place in found.places
            for space, names, dimensions in _groups(found.service, place)
            for name, statistics in names.items()
            for unit in UNITS.get(name, (None,))
        )
    )


def _groups(service: str, place: Place) -> list[tuple[str, Statistics, Place]]:
    if service == "bedrock":
        return [(BEDROCK, BEDROCK_METRICS, place)]
    if service == "mantle":
        return [(MANTLE, MANTLE_METRICS, place)]
    part = place[0][0] == "InferenceComponentName"
    used = (COMPONENTS if part else INSTANCES, _USED, place)
    if service == "queued":
        return [(SAGEMAKER, QUEUED_METRICS, place), *([] if part else [(SAGEMAKER, _BACKLOG, place[:1])]), used]
    return [(SAGEMAKER, SAGEMAKER_METRICS, place), (SAGEMAKER, _COPIES if part else _CONCURRENT, place), used]
