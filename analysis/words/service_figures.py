"""What the service itself tells of a stage, beside what the client saw in the same minutes: a row of service.csv."""

import dataclasses

from analysis.words.figure_fields import count, number, text

_SAME = "of the requests that ended in the same minutes"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """Which minutes of CloudWatch are a stage's."""

    metrics_of: str | None = text("namespace and dimensions of the metrics; empty where none are read")
    basis: str | None = text(
        "inside: whole periods within the measured window; alone: of a shorter one the periods in which no other stage "
        "sent to the same endpoint or model, settling and hold included; empty: none"
    )
    periods: int | None = count("periods that are taken")
    period_s: float | None = number("length of a period", "s")
    from_s: float | None = number("begin of the first of them, from the run's start", "s")
    until_s: float | None = number("end of the last", "s")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClientSide:
    """What this client recorded in them."""

    client_requests: int | None = count(f"{_SAME[3:]}, as the client saw them")
    client_successes: int | None = count("those that ended whole, with output")
    client_throttled: int | None = count("those that were throttled")
    client_latency_mean_ms: float | None = number(f"latency {_SAME}, mean of successes", "ms", "lower")
    client_latency_p50_ms: float | None = number("its median", "ms", "lower")
    client_latency_p99_ms: float | None = number("its 99th percentile", "ms", "lower")
    client_ttft_mean_ms: float | None = number(f"time to first token {_SAME}, mean of successes", "ms", "lower")
    client_prompt_tokens: int | None = count(
        f"prompt tokens {_SAME}, without cached ones; empty where a success has no count"
    )
    client_completion_tokens: int | None = count(f"output tokens {_SAME}; empty where a success has no count")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSide:
    """What CloudWatch has of them."""

    service_requests: int | None = count(
        "Invocations, of bedrock-mantle Inferences, of an asynchronous endpoint InvocationsProcessed"
    )
    service_throttles: int | None = count("InvocationThrottles of Bedrock; 0 where others have figures and this none")
    service_client_errors: int | None = count(
        "InvocationClientErrors, of bedrock-mantle InferenceClientErrors, of SageMaker Invocation4XXErrors, throttles included"
    )
    service_server_errors: int | None = count("InvocationServerErrors, of SageMaker Invocation5XXErrors")
    service_latency_mean_ms: float | None = number(
        "InvocationLatency, of SageMaker ModelLatency plus OverheadLatency, of an asynchronous endpoint TotalProcessingTime, mean",
        "ms", "lower",
    )  # fmt: skip
    model_latency_mean_ms: float | None = number("of SageMaker: ModelLatency, mean", "ms", "lower")
    overhead_latency_mean_ms: float | None = number("of SageMaker: OverheadLatency, mean", "ms", "lower")
    backlog_time_mean_ms: float | None = number(
        "of an asynchronous endpoint: TimeInBacklog, before a request is worked on, mean", "ms", "lower"
    )
    service_p50_low_ms: float | None = number(
        "the lowest median of a period, of InvocationLatency, of SageMaker of ModelLatency alone, of an asynchronous endpoint of "
        "TotalProcessingTime: percentiles of periods do not add up, that of all of them lies between the lowest and the highest",
        "ms", "lower",
    )  # fmt: skip
    service_p50_high_ms: float | None = number("the highest", "ms", "lower")
    service_p99_low_ms: float | None = number("the lowest 99th percentile of a period", "ms", "lower")
    service_p99_high_ms: float | None = number("the highest", "ms", "lower")
    service_ttft_mean_ms: float | None = number("TimeToFirstToken, of SageMaker FirstChunkLatency, mean", "ms", "lower")
    service_prompt_tokens: int | None = count("InputTokenCount, of bedrock-mantle TotalInputTokens")
    service_completion_tokens: int | None = count("OutputTokenCount, of bedrock-mantle TotalOutputTokens")
    service_cache_read_tokens: int | None = count("CacheReadInputTokens")
    service_cache_write_tokens: int | None = count("CacheWriteInputTokens")
    concurrent_mean: float | None = number("ConcurrentRequestsPerModel or …PerCopy, queued ones included, mean")
    concurrent_max: float | None = number("its highest")
    backlog_mean: float | None = number(
        "of an asynchronous endpoint: ApproximateBacklogSize, requests that wait or are worked on, mean"
    )
    backlog_max: float | None = number("its highest")
    cpu_percent: float | None = number("CPUUtilization, mean; 100 is one core")
    memory_percent: float | None = number("MemoryUtilization, mean")
    gpu_percent: float | None = number("GPUUtilization, mean; 100 is one GPU")
    gpu_memory_percent: float | None = number("GPUMemoryUtilization, mean; 100 is one GPU")
    gpu_share: float | None = number(
        "the same of all GPUs: GPUUtilizationNormalized, else GPUUtilization over the instance type's GPUs"
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Service against client, where both are known of the same requests."""

    network_queue_ms: float | None = number(
        "mean latency of the client minus the service's: network, TLS, and queues before the service's clock starts; of an asynchronous "
        "endpoint until the answer was found in S3, up to `poll_s` after it was there; empty where the two counted more than 10 % and "
        "2 requests apart", "ms", "lower",
    )  # fmt: skip
    ttft_network_queue_ms: float | None = number("the same of the time to first token", "ms", "lower")
    prompt_tokens_more: int | None = count("prompt tokens that the service counted more than the client")
    completion_tokens_more: int | None = count("output tokens that it counted more")
    throttles_more: int | None = count(
        "throttles that it counted more: others', and retries that a client does not tell"
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class QuotaShare:
    """What the stage took of the account's quotas."""

    tokens_quota: str | None = text(
        "name of the model's quota of tokens a minute; of bedrock-mantle's two, of input and of output, the one that is fuller"
    )
    tokens_per_minute_quota: float | None = number("its value", "1/min")
    tokens_per_minute_peak: float | None = number(
        "EstimatedTPMQuotaUsage of the busiest minute, of bedrock-mantle its TotalInputTokens or TotalOutputTokens",
        "1/min",
    )
    tokens_quota_share: float | None = number(
        "of the quota; throttling goes by what is reserved when a request begins (prompt and `max_tokens`), which may be more"
    )
    requests_per_minute_quota: float | None = number(
        "the model's quota of requests a minute, where it has one", "1/min"
    )
    requests_quota_share: float | None = number("what the busiest minute took of it")
    instances_quota: float | None = number("quota of the instance type for endpoints")
    instances_quota_share: float | None = number("what the target's instances are of it")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSide:
    """What Prometheus scraped from the server in the measured window: vLLM, TGI, SGLang; GPUs by NVIDIA's DCGM exporter."""

    waiting_mean: float | None = number("requests that wait in the container, mean")
    waiting_max: float | None = number("the most")
    running_mean: float | None = number("requests that are worked on, mean")
    running_max: float | None = number("the most")
    kv_cache_mean_share: float | None = number("share of the KV cache in use, mean")
    kv_cache_max_share: float | None = number("the highest")
    preemptions: float | None = number("requests that were put back for want of KV cache")
    container_queue_mean_ms: float | None = number("time in the container's queue, mean", "ms", "lower")
    container_latency_mean_ms: float | None = number("latency in the container, mean", "ms", "lower")
    container_ttft_mean_ms: float | None = number("time to first token in the container, mean", "ms", "lower")
    container_prompt_tokens: float | None = number("prompt tokens that it counted, as far as scrapes tell")
    container_completion_tokens: float | None = number("output tokens that it counted, as far as scrapes tell")
    dcgm_gpu_share: float | None = number("GPUs at work, mean over all of them")
    dcgm_memory_share: float | None = number("GPU memory in use, mean over all of them")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFigures:
    """All of a stage. `window_from` and `window_until` are the manifest's: rows of another window are not of this run."""

    stage: int = count("number of the visit of (target, payload, users or rate)", required=True)
    target: str = text("the scenario's target", required=True)
    payload: str = text("the payload file's stem", required=True)
    users: int | None = count("planned users, closed loop")
    rate: float | None = number("planned requests/s, open loop", "1/s")
    window_from: float | None = number("begin of the measured window, Unix seconds", "s")
    window_until: float | None = number("its end", "s")
    minutes: Minutes = dataclasses.field(default=Minutes())
    client: ClientSide = dataclasses.field(default=ClientSide())
    service: ServiceSide = dataclasses.field(default=ServiceSide())
    differences: Differences = dataclasses.field(default=Differences())
    quota: QuotaShare = dataclasses.field(default=QuotaShare())
    container: ContainerSide = dataclasses.field(default=ContainerSide())
    missing: str | None = text("what is not known, and why")
