"""The six operations: routes, services, response headers."""

import dataclasses
import re
import time
import urllib.parse

EVENT_STREAM = "application/vnd.amazon.eventstream"
_ROUTE = re.compile(r"/(endpoints|model)/([^/]+)/([a-z-]+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One API operation. `converse` operations have the same body for every model."""

    name: str
    service: str  # also the signing name
    streams: bool
    converse: bool = False

    def whole_headers(self, a) -> list[tuple[str, str]]:
        headers = [("x-amzn-RequestId", a.request_id), ("Content-Type", a.content_type())]
        if self.service == "sagemaker":
            headers += _container_headers(a) + _new_session(a)
        elif not self.converse:
            headers.append(("X-Amzn-Bedrock-Invocation-Latency", str(a.elapsed_ms())))
            headers += _counts(a) if a.reports_usage and a.prompt_tokens is not None else []
            headers += _echoed(a)
        return headers

    def stream_headers(self, a) -> list[tuple[str, str]]:
        headers = [("x-amzn-RequestId", a.request_id), ("Content-Type", EVENT_STREAM)]
        if self.service == "sagemaker":
            headers += _container_headers(a)
            headers.append(("X-Amzn-SageMaker-Content-Type", a.content_type()))
        elif not self.converse:
            headers.append(("X-Amzn-Bedrock-Content-Type", "application/json"))
            headers += _echoed(a)
        return headers


def _counts(a) -> list[tuple[str, str]]:
    """Token counts; an embedding has no output."""
    counts = {"Output": a.completion_tokens if a.call.max_tokens else None, "Input": a.input_tokens()}
    counts |= {"Cache-Read-Input": a.cache_read, "Cache-Write-Input": a.cache_write}
    return [(f"X-Amzn-Bedrock-{name}-Token-Count", str(n)) for name, n in counts.items() if n is not None]


def _container_headers(a) -> list[tuple[str, str]]:
    """The variant, and custom attributes, which the containers here hand back."""
    headers = [("x-Amzn-Invoked-Production-Variant", a.target.variant)]
    name = "X-Amzn-SageMaker-Custom-Attributes"
    return headers + [(name, a.request.headers[n]) for n in (name.lower(),) if n in a.request.headers]


def _new_session(a) -> list[tuple[str, str]]:
    if a.request.headers.get("x-amzn-sagemaker-session-id") != "NEW_SESSION":
        return []
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    return [("X-Amzn-SageMaker-New-Session-Id", f"{a.request_id}; Expires={expires}")]


def _echoed(a) -> list[tuple[str, str]]:
    """Settings that Bedrock repeats in its answer."""
    names = ("X-Amzn-Bedrock-PerformanceConfig-Latency", "X-Amzn-Bedrock-Service-Tier")
    return [(n, a.request.headers[n.lower()]) for n in names if n.lower() in a.request.headers]


_OPERATIONS = {
    ("endpoints", "invocations"): Operation("InvokeEndpoint", "sagemaker", False),
    ("endpoints", "invocations-response-stream"): Operation("InvokeEndpointWithResponseStream", "sagemaker", True),
    ("model", "converse"): Operation("Converse", "bedrock", False, True),
    ("model", "converse-stream"): Operation("ConverseStream", "bedrock", True, True),
    ("model", "invoke"): Operation("InvokeModel", "bedrock", False),
    ("model", "invoke-with-response-stream"): Operation("InvokeModelWithResponseStream", "bedrock", True),
}


def route(method: str, raw_path: str) -> tuple[Operation, str] | None:
    """Operation and decoded endpoint name or model id; None when no operation has this path."""
    match = _ROUTE.fullmatch(raw_path)
    operation = match and method == "POST" and _OPERATIONS.get((match[1], match[3]))
    return (operation, urllib.parse.unquote(match[2])) if operation else None


_GEOGRAPHY = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|global)\.")
_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:foundation-model|inference-profile)/(.+)")


def model_ids(model_id: str) -> list[str]:
    """The ids under which a model may be configured: as given; out of its ARN; without an inference profile's
    geography."""
    ids = [model_id]
    if arn := _ARN.fullmatch(model_id):
        ids.append(arn[1])
    if prefix := _GEOGRAPHY.match(ids[-1]):
        ids.append(ids[-1][prefix.end() :])
    return ids
