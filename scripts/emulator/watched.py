"""What the service publishes of each request that ended, in CloudWatch's words.

| namespace | dimensions | metrics |
|---|---|---|
| AWS/Bedrock | ModelId, as it was asked for | Invocations, InvocationLatency and TimeToFirstToken (ms), token counts, throttles, errors |
| AWS/SageMaker | EndpointName and VariantName; InferenceComponentName | Invocations, Model-, Overhead-, FirstChunkLatency (µs), errors |
| AWS/SageMaker | both, of an asynchronous endpoint | InvocationsProcessed, TimeInBacklog, ModelLatency (µs), TotalProcessingTime (ms) |
| AWS/SageMaker | EndpointName of an asynchronous endpoint | ApproximateBacklogSize |
| /aws/sagemaker/Endpoints | EndpointName and VariantName | GPUUtilization, of simulated and real engines |

A request is of the second in which it ended. An engine's GPU is as busy as its batch is full.
"""

import math
import time
import typing

from scripts.emulator.async_queue import QUEUED
from scripts.emulator.metric_store import MetricStore, key

_MICRO = 1e6
_APART = {"CountTokens", "ApplyGuardrail", "InvokeGuardrailChecks"}  # no invocations of a model


class Watched:
    """Puts what ends into a store. slots: endpoint -> sequences that its engine has at once, overhead_s: before it does."""

    def __init__(self, config, store: MetricStore) -> None:
        self._store = store
        self._wall = time.time() - time.perf_counter()
        engines = {name: config.engines[e.engine] for name, e in config.endpoints.items()}
        self._slots = {n: getattr(e, "batch_limit", None) or getattr(e, "slots", None) for n, e in engines.items()}
        self._overhead_s = {n: getattr(e, "overhead_ms", 0.0) / 1000 for n, e in engines.items()}
        self._busy: dict[tuple[str, str], dict[int, float]] = {}  # endpoint, variant -> second -> seconds of requests
        self._backlog: dict[str, dict[int, float]] = {}  # of asynchronous endpoints, with the time in their queue

    def add(self, row: dict, a: typing.Any) -> None:
        """A request's row of the truth, and its Answer."""
        end = row["last_byte"] or time.perf_counter()
        if a.operation.service == "bedrock" and a.target is not None and a.operation.name not in _APART:
            self._bedrock(row, a, end)
        elif a.queued:
            self._processed(row, a.queued, end)
        elif a.operation.name in QUEUED:
            return  # accepted, and counted when it was processed
        elif a.operation.service == "sagemaker" and a.served_by:
            self._sagemaker(row, a, end)

    def _bedrock(self, row: dict, a, end: float) -> None:
        def put(name: str, value: float | None) -> None:
            if value is not None:
                self._store.put(key("AWS/Bedrock", name, {"ModelId": row["target"]}), self._wall + end, value)

        if row["error"] == "ThrottlingException" or row["status"] == 429:
            return put("InvocationThrottles", 1.0)
        if row["status"] != 200 or row["error"]:
            server = row["status"] is None or row["status"] >= 500 or row["status"] == 200
            put("Invocations", 1.0 if server else None)
            return put("InvocationServerErrors" if server else "InvocationClientErrors", 1.0)
        put("Invocations", 1.0)
        put("InvocationLatency", (end - row["arrival"]) * 1000)
        if a.events and row["first_token"]:
            put("TimeToFirstToken", (row["first_token"] - row["arrival"]) * 1000)
        prompt = row["prompt_tokens"]
        if prompt is None:
            return
        read, written = a.cache_read or 0, a.cache_write or 0
        put("InputTokenCount", float(prompt - read - written))
        put("OutputTokenCount", float(row["completion_tokens"]))
        put("CacheReadInputTokens", None if a.cache_read is None else float(read))
        put("CacheWriteInputTokens", None if a.cache_write is None else float(written))
        put("EstimatedTPMQuotaUsage", float(prompt - read + row["completion_tokens"]))

    def _sagemaker(self, row: dict, a, end: float) -> None:
        variant = next(iter(a.served_by.values()))
        places: list[dict[str, str]] = [{"EndpointName": row["target"], "VariantName": variant}]
        if component := a.request.headers.get("x-amzn-sagemaker-inference-component"):
            places.append({"InferenceComponentName": component})

        def put(name: str, value: float) -> None:
            for place in places:
                self._store.put(key("AWS/SageMaker", name, place), self._wall + end, value)

        status = row["status"] or 500
        put("Invocations", 1.0)
        put("InvocationsPerInstance", 1.0)
        put("Invocation4XXErrors", float(400 <= status < 500))
        put("Invocation5XXErrors", float(status >= 500))
        put("InvocationModelErrors", float(status == 424))
        put("MidStreamErrors", float(status == 200 and row["error"] is not None))
        if status == 200 and not row["error"]:
            overhead = min(self._overhead_s.get(row["target"], 0.0), end - row["arrival"])
            put("OverheadLatency", overhead * _MICRO)
            put("ModelLatency", (end - row["arrival"] - overhead) * _MICRO)
            if a.events and row["first_byte"]:
                first = row["first_byte"] - row["arrival"]
                put("FirstChunkLatency", first * _MICRO)
                put("FirstChunkModelLatency", max(0.0, first - overhead) * _MICRO)
                put("FirstChunkOverheadLatency", min(overhead, first) * _MICRO)
            busy = self._busy.setdefault((row["target"], variant), {})
            self._work(busy, row["arrival"] + overhead, end)

    def _processed(self, row: dict, queued: tuple[float, str], end: float) -> None:
        accepted, variant = queued

        def put(name: str, value: float, unit: str = "None") -> None:
            place = {"EndpointName": row["target"], "VariantName": variant}
            self._store.put(key("AWS/SageMaker", name, place), self._wall + end, value, unit)

        status, begin = row["status"] or 500, row["arrival"]
        put("InvocationsProcessed", 1.0)
        put("Invocation4XXErrors", float(400 <= status < 500))
        put("Invocation5XXErrors", float(status >= 500))
        put("TimeInBacklog", (begin - accepted) * _MICRO, "Microseconds")
        if status == 200 and not row["error"]:
            put("ModelLatency", (end - begin) * _MICRO, "Microseconds")
            put("TotalProcessingTime", (end - accepted) * 1000, "Milliseconds")
            self._work(self._busy.setdefault((row["target"], variant), {}), begin, end)
        self._work(self._backlog.setdefault(row["target"], {}), accepted, end)

    def _work(self, busy: dict[int, float], begin: float, end: float) -> None:
        begin, end = self._wall + begin, self._wall + end
        for second in range(math.floor(begin), math.floor(end) + 1):
            busy[second] = busy.get(second, 0.0) + max(0.0, min(end, second + 1) - max(begin, second))

    def busy(self) -> MetricStore:
        """What changes while requests go on: a value a second, from the first one with work to the last."""
        found = MetricStore()
        for endpoint, waiting in self._backlog.items():
            of = key("AWS/SageMaker", "ApproximateBacklogSize", {"EndpointName": endpoint})
            for second in range(min(waiting), max(waiting) + 1):
                found.put(of, second, waiting.get(second, 0.0))
        for (endpoint, variant), busy in self._busy.items():
            place = {"EndpointName": endpoint, "VariantName": variant}
            slots = self._slots.get(endpoint)
            for second in range(min(busy), max(busy) + 1):
                at_once = busy.get(second, 0.0)
                if endpoint not in self._backlog:
                    found.put(key("AWS/SageMaker", "ConcurrentRequestsPerModel", place), second, at_once)
                if slots:
                    share = 100 * min(1.0, at_once / slots)
                    for name in ("GPUUtilization", "GPUUtilizationNormalized"):
                        found.put(key("/aws/sagemaker/Endpoints", name, place), second, share)
        return found
