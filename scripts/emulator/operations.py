"""The operations: routes, services, and what stands around a body on the wire: headers, frames, errors."""

import dataclasses
import functools
import re
import typing
import urllib.parse

from scripts.emulator import anthropic_errors, frames, front_errors, openai_errors
from scripts.emulator.errors import AwsError

EVENT_STREAM = "application/vnd.amazon.eventstream"
_ROUTE = re.compile(
    r"/(endpoints|model|inference-routers|global-inference-gateway)/([^/]+)/([a-z-]+|openai/v1/chat/completions)"
)


class Wording(typing.NamedTuple):
    """How a route of OpenAI's, or of that form, names a request and says what went wrong with it."""

    id_header: str  # where its own servers answer
    refusal: typing.Callable[[AwsError], tuple[int, bytes]]  # status and body
    event: typing.Callable[[str, str], bytes]  # in mid-stream, by the name of Bedrock's exception event and the message


_CHAT = Wording("x-request-id", openai_errors.status_and_body, openai_errors.last_event)
_RESPONSES = Wording("x-request-id", openai_errors.status_and_body, openai_errors.named_event)
_MESSAGES = Wording("request-id", anthropic_errors.status_and_body, anthropic_errors.event)


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One API operation. `converse` operations have the same body for every model; those with a `wording` name the model in the
    body and answer as OpenAI does, whoever serves them."""

    name: str
    service: str  # also the signing name
    streams: bool
    converse: bool = False
    wording: Wording | None = None
    front: str | None = None  # `router`, `gateway` or `queue`: what stands before SageMaker's endpoints and models

    @property
    def openai(self) -> bool:
        return self.wording is not None

    def whole_headers(self, a) -> list[tuple[str, str]]:
        if self.service == "pricing":
            return [self.request_id(a), ("Content-Type", "application/x-amz-json-1.1")]
        headers = [self.request_id(a), ("Content-Type", a.content_type())]
        if self.service == "sagemaker":
            headers += _container_headers(a)
            headers += [("X-Amzn-SageMaker-New-Session-Id", a.new_session)] if a.new_session else []
        elif not self.converse and not self.openai:
            headers.append(("X-Amzn-Bedrock-Invocation-Latency", str(a.elapsed_ms())))
            headers += _counts(a) if a.reports_usage and a.prompt_tokens is not None else []
            headers += _served(a)
        return headers

    def stream_headers(self, a) -> list[tuple[str, str]]:
        headers = [self.request_id(a), ("Content-Type", a.content_type() if self.openai else EVENT_STREAM)]
        if self.service == "sagemaker" and self.front is None:
            headers += _container_headers(a)
            headers += [] if self.openai else [("X-Amzn-SageMaker-Content-Type", a.content_type())]
        elif self.service == "bedrock" and not self.converse and not self.openai:
            headers.append(("X-Amzn-Bedrock-Content-Type", "application/json"))
            headers += _served(a)
        return headers

    def request_id(self, a) -> tuple[str, str]:
        """The header that names the request."""
        own = self.wording.id_header if self.wording and self.service == "openai" else None
        return own or "x-amzn-RequestId", a.request_id

    def error(self, a, error: AwsError) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body of an error answer."""
        headers = [self.request_id(a), ("Content-Type", "application/json")]
        error = front_errors.reworded(self.front, error) if self.front else error
        if self.wording:
            status, body = self.wording.refusal(error)
            return status, headers, body
        if self.service == "pricing":  # JSON 1.1 names the error in the body
            key = "message" if error.authentication else "Message"
            return (
                400 if error.status < 500 else 500,
                self.whole_headers(a),
                frames.compact({"__type": error.code, key: error.message}),
            )
        return error.status, [*headers, ("x-amzn-ErrorType", error.type_header(self.service))], error.body(self.service)

    def frame(self, event: str, payload: bytes) -> bytes:
        """One event on the wire; OpenAI's payloads are server-sent events already."""
        return payload if self.openai else frames.event(event, payload)

    def exception(self, name: str, message: str) -> bytes:
        """The event that ends a stream in an error."""
        if self.wording:
            return self.wording.event(name, message)
        if self.front:  # a gateway, which knows one event that says so
            name = "InternalStreamFailure"
        key = "Message" if self.service == "sagemaker" else "message"
        members = {"ErrorCode": "StreamBroken"} if name == "ModelStreamError" else {}
        return frames.exception(name, frames.compact({**members, key: message}))


def _counts(a) -> list[tuple[str, str]]:
    """Token counts; an embedding has no output."""
    counts = {"Output": a.completion_tokens if a.call.max_tokens else None, "Input": a.input_tokens()}
    counts |= {"Cache-Read-Input": a.cache_read, "Cache-Write-Input": a.cache_write}
    return [(f"X-Amzn-Bedrock-{name}-Token-Count", str(n)) for name, n in counts.items() if n is not None]


def _container_headers(a) -> list[tuple[str, str]]:
    """The variant, and custom attributes, which the containers here hand back."""
    headers = list(a.served_by.items())
    name = "X-Amzn-SageMaker-Custom-Attributes"
    return headers + [(name, a.request.headers[n]) for n in (name.lower(),) if n in a.request.headers]


def _served(a) -> list[tuple[str, str]]:
    """The settings that the request asked for, as they were served."""
    names = {"X-Amzn-Bedrock-PerformanceConfig-Latency": "standard", "X-Amzn-Bedrock-Service-Tier": "default"}
    asked = {n: a.request.headers[n.lower()] for n in names if n.lower() in a.request.headers}
    return [(n, names[n] if a.target.standard_only else value) for n, value in asked.items()]


_OPERATIONS = {
    ("endpoints", "invocations"): Operation("InvokeEndpoint", "sagemaker", False),
    ("endpoints", "async-invocations"): Operation("InvokeEndpointAsync", "sagemaker", False),
    ("endpoints", "invocations-response-stream"): Operation("InvokeEndpointWithResponseStream", "sagemaker", True),
    ("endpoints", "openai/v1/chat/completions"): Operation("ChatCompletions", "sagemaker", False, wording=_CHAT),
    ("inference-routers", "async-invocations"): Operation(
        "InvokeInferenceRouterAsync", "sagemaker", False, front="router"
    ),
    ("inference-routers", "invocations"): Operation("InvokeInferenceRouter", "sagemaker", False, front="router"),
    ("global-inference-gateway", "invocations"): Operation(
        "InvokeGlobalInferenceGateway", "sagemaker", False, front="gateway"
    ),
    ("global-inference-gateway", "invocations-response-stream"): Operation(
        "InvokeGlobalInferenceGatewayWithResponseStream", "sagemaker", True, front="gateway"
    ),
    ("model", "converse"): Operation("Converse", "bedrock", False, True),
    ("model", "converse-stream"): Operation("ConverseStream", "bedrock", True, True),
    ("model", "count-tokens"): Operation("CountTokens", "bedrock", False, True),
    ("model", "invoke"): Operation("InvokeModel", "bedrock", False),
    ("model", "invoke-with-response-stream"): Operation("InvokeModelWithResponseStream", "bedrock", True),
}
_OPENAI = {
    "/chat/completions": Operation("ChatCompletions", "openai", False, wording=_CHAT),
    "/completions": Operation("Completions", "openai", False, wording=_CHAT),
    "/responses": Operation("Responses", "openai", False, wording=_RESPONSES),
    "/embeddings": Operation("Embeddings", "openai", False, wording=_CHAT),
    "/rerank": Operation("Rerank", "openai", False, wording=_CHAT),
    "/messages": Operation("Messages", "openai", False, wording=_MESSAGES),
}
_BEDROCK_OPENAI = {
    "/openai/v1/chat/completions": Operation("ChatCompletions", "bedrock", False, wording=_CHAT),
    "/openai/v1/responses": Operation("Responses", "bedrock", False, wording=_RESPONSES),
    "/anthropic/v1/messages": Operation("Messages", "bedrock", False, wording=_MESSAGES),
}
_CHECKS = {"/guardrail-checks/invoke": Operation("InvokeGuardrailChecks", "bedrock", False, True)}
#: of bedrock-agent-runtime, where the body names the model
_AGENTS = {"/rerank": Operation("Rerank", "bedrock", False, True)}
_APPLY = Operation("ApplyGuardrail", "bedrock", False, True)
_GUARDRAIL = re.compile(r"/guardrail/([^/]+)/version/([^/]+)/apply")
_STREAMING = {
    o: dataclasses.replace(o, streams=True)
    for o in (*_OPENAI.values(), *_BEDROCK_OPENAI.values(), *_OPERATIONS.values())
    if o.openai
}


@functools.lru_cache(maxsize=1024)
def route(method: str, raw_path: str, openai_paths: tuple[str, ...] = ("/v1",)) -> tuple[Operation, str] | None:
    """Operation and decoded endpoint name or model id (on an OpenAI route empty: the body names it); None when no
    operation has this path; of ApplyGuardrail the guardrail and its version. openai_paths: what stands before OpenAI's own routes."""
    if method != "POST":
        return None
    own = (_OPENAI.get(raw_path.removeprefix(path)) for path in openai_paths if raw_path.startswith(path))
    named = next((o for o in own if o), None) or _BEDROCK_OPENAI.get(raw_path) or _CHECKS.get(raw_path)
    named = named or _AGENTS.get(raw_path)
    if named:
        return named, ""
    if guardrail := _GUARDRAIL.fullmatch(raw_path):
        return _APPLY, ":".join(urllib.parse.unquote(part) for part in guardrail.groups())
    match = _ROUTE.fullmatch(raw_path)
    if match is None:
        return None
    operation = _OPERATIONS.get((match[1], match[3]))
    return (operation, urllib.parse.unquote(match[2])) if operation else None


def streaming(operation: Operation) -> Operation:
    """The operation of an OpenAI route when the body asks for a stream."""
    return _STREAMING[operation]


_GEOGRAPHY = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|in|sa|global)\.")
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
