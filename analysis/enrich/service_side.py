"""What CloudWatch has of a stage's periods, and how far it lies from what the client saw."""

import typing

from analysis.enrich.gpus import gpus_of
from analysis.enrich.reader import Reader
from analysis.enrich.whose import PROCESSED
from analysis.words.service_figures import ClientSide, Differences, ServiceSide
from locustfiles.contract.scenario.targets import Target

APART, APART_AT_LEAST = (
    0.1,
    2,
)  # how far two counts of the same requests may lie apart for their means to be set against each other
_MICRO = 1000.0  # µs in a ms


class Side(typing.NamedTuple):
    """samples: of the latency, that it is the mean of. peaks: tokens and requests of the busiest minute; output's, where they count
    apart."""

    figures: ServiceSide
    samples: float | None
    peak_tokens: float | None = None
    peak_requests: float | None = None
    peak_output: float | None = None


def service_side(reader: Reader, service: str, target: Target) -> Side:
    """service: as Whose has it."""
    if service == "bedrock":
        return _bedrock(reader)
    if service == "mantle":
        return _mantle(reader)
    return _queued(reader, target) if service == "queued" else _sagemaker(reader, target)


def _bedrock(reader: Reader) -> Side:
    there = reader.samples("Invocations") is not None or reader.samples("InvocationThrottles") is not None

    def events(name: str) -> int | None:
        """Nothing is published where nothing happened."""
        found = reader.total(name)
        return round(found) if found is not None else 0 if there else None

    figures = ServiceSide(
        service_requests=events("Invocations"),
        service_throttles=events("InvocationThrottles"),
        service_client_errors=events("InvocationClientErrors"),
        service_server_errors=events("InvocationServerErrors"),
        service_latency_mean_ms=reader.mean("InvocationLatency"),
        **_spread(reader, "InvocationLatency", 1.0),
        service_ttft_mean_ms=reader.mean("TimeToFirstToken"),
        service_prompt_tokens=_whole(reader.total("InputTokenCount")),
        service_completion_tokens=_whole(reader.total("OutputTokenCount")),
        service_cache_read_tokens=_whole(reader.total("CacheReadInputTokens")),
        service_cache_write_tokens=_whole(reader.total("CacheWriteInputTokens")),
    )
    requests = reader.peak("Invocations", "InvocationThrottles")
    return Side(figures, reader.samples("InvocationLatency"), reader.peak("EstimatedTPMQuotaUsage"), requests)


def _mantle(reader: Reader) -> Side:
    """Nothing says that it publishes no metric where nothing happened: what is not there is not known."""
    figures = ServiceSide(
        service_requests=_whole(reader.total("Inferences")),
        service_client_errors=_whole(reader.total("InferenceClientErrors")),
        service_prompt_tokens=_whole(reader.total("TotalInputTokens")),
        service_completion_tokens=_whole(reader.total("TotalOutputTokens")),
    )
    return Side(figures, None, reader.peak("TotalInputTokens"), peak_output=reader.peak("TotalOutputTokens"))


def _sagemaker(reader: Reader, target: Target) -> Side:
    model, overhead = (_ms(reader.mean(name)) for name in ("ModelLatency", "OverheadLatency"))
    concurrent = ("ConcurrentRequestsPerModel", "ConcurrentRequestsPerCopy")
    figures = ServiceSide(
        service_requests=_whole(reader.total("Invocations")),
        service_client_errors=_whole(reader.total("Invocation4XXErrors")),
        service_server_errors=_whole(reader.total("Invocation5XXErrors")),
        service_latency_mean_ms=None if model is None or overhead is None else model + overhead,
        model_latency_mean_ms=model,
        overhead_latency_mean_ms=overhead,
        **_spread(reader, "ModelLatency", _MICRO),
        service_ttft_mean_ms=_ms(reader.mean("FirstChunkLatency")),
        concurrent_mean=_first(reader.level(name) for name in concurrent),
        concurrent_max=_first(reader.level(name, "Maximum") for name in concurrent),
        **_instances(reader, target),
    )
    return Side(figures, reader.samples("ModelLatency"))


def _queued(reader: Reader, target: Target) -> Side:
    """TotalProcessingTime is in milliseconds, as all versions of AWS's page have it."""
    waited = [_ms(reader.mean("TimeInBacklog", "Microseconds")), reader.mean("TimeInBacklog", "Milliseconds")]
    figures = ServiceSide(
        service_requests=_whole(_first(reader.total(name) for name in PROCESSED)),
        service_client_errors=_whole(reader.total("Invocation4XXErrors")),
        service_server_errors=_whole(reader.total("Invocation5XXErrors")),
        service_latency_mean_ms=reader.mean("TotalProcessingTime"),
        model_latency_mean_ms=_ms(reader.mean("ModelLatency")),
        backlog_time_mean_ms=_first(waited),
        **_spread(reader, "TotalProcessingTime", 1.0),
        backlog_mean=reader.level("ApproximateBacklogSize"),
        backlog_max=reader.level("ApproximateBacklogSize", "Maximum"),
        **_instances(reader, target),
    )
    return Side(figures, reader.samples("TotalProcessingTime"))


def _instances(reader: Reader, target: Target) -> dict[str, typing.Any]:
    gpu, normal = reader.level("GPUUtilization"), reader.level("GPUUtilizationNormalized")
    gpus = gpus_of(getattr(target, "instance_type", None))
    share = normal / 100 if normal is not None else gpu / 100 / gpus if gpu is not None and gpus else None
    return {
        "cpu_percent": reader.level("CPUUtilization"),
        "memory_percent": reader.level("MemoryUtilization"),
        "gpu_percent": gpu,
        "gpu_memory_percent": reader.level("GPUMemoryUtilization"),
        "gpu_share": share,
    }


def _spread(reader: Reader, name: str, unit: float) -> dict[str, typing.Any]:
    """unit: of the metric, in ms."""
    found: dict[str, float | None] = {}
    for percentile in ("p50", "p99"):
        values = reader.values(name, percentile)
        found[f"service_{percentile}_low_ms"] = min(values) / unit if values else None
        found[f"service_{percentile}_high_ms"] = max(values) / unit if values else None
    return found


def differences(client: ClientSide, side: Side) -> tuple[Differences, str]:
    """Service against client, and why the latency's is not known; empty where it is, or one side is missing."""
    service = side.figures
    n, samples = client.client_successes or 0, side.samples
    alike = samples is not None and abs(samples - n) <= max(APART_AT_LEAST, APART * n)
    why = ""
    if samples is not None and not alike:
        who = "others send to it as well" if samples > n else "the rest may have come late, or gone elsewhere"
        timed = f"the service timed {samples:,.0f} requests where the client had {n:,.0f} successes"
        why = f"{timed} ({who}): their means are of other requests"
    return (
        Differences(
            network_queue_ms=_minus(client.client_latency_mean_ms, service.service_latency_mean_ms) if alike else None,
            ttft_network_queue_ms=_minus(client.client_ttft_mean_ms, service.service_ttft_mean_ms) if alike else None,
            prompt_tokens_more=_minus(service.service_prompt_tokens, client.client_prompt_tokens),
            completion_tokens_more=_minus(service.service_completion_tokens, client.client_completion_tokens),
            throttles_more=_minus(service.service_throttles, client.client_throttled),
        ),
        why,
    )


Number = typing.TypeVar("Number", int, float)


def _minus(one: Number | None, other: Number | None) -> Number | None:
    return None if one is None or other is None else one - other


def _ms(micro: float | None) -> float | None:
    return None if micro is None else micro / _MICRO


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _first(values: typing.Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)
