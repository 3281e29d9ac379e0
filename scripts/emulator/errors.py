"""AWS errors as each service words and frames them."""

import dataclasses

from scripts.emulator.frames import compact

BEDROCK_NAMESPACE = ":http://internal.amazon.com/coral/com.amazon.bedrock/"
CORAL_NAMESPACE = ":http://internal.amazon.com/coral/com.amazon.coral.service/"


@dataclasses.dataclass(eq=False)
class AwsError(Exception):
    """One error answer. `members` are the error shape's members beyond the message, spelled as on the wire."""

    status: int
    code: str
    message: str
    members: dict = dataclasses.field(default_factory=dict)
    authentication: bool = (
        False  # raised before the service sees the request: lower-case `message`, coral's own namespace
    )

    def body(self, service: str) -> bytes:
        key = "Message" if service == "sagemaker" and not self.authentication else "message"
        return compact({**self.members, key: self.message})

    def type_header(self, service: str) -> str:
        if self.authentication:
            return self.code + CORAL_NAMESPACE
        return self.code + (BEDROCK_NAMESPACE if service == "bedrock" else "")


class BadBody(Exception):
    """A request body that the model or the container cannot read; the text is the container's own message."""


def endpoint_not_found(name: str, account: str) -> AwsError:
    return AwsError(400, "ValidationError", f"Endpoint {name} of account {account} not found.")


def only_async(name: str) -> AwsError:
    return AwsError(
        400, "ValidationError", f"Endpoint {name} is an asynchronous endpoint; use the asynchronous operation."
    )


def component_not_found(name: str) -> AwsError:
    return AwsError(400, "ValidationError", f"Inference Component Name {name} not found.")


def variant_not_found(variant: str) -> AwsError:
    return AwsError(400, "ValidationError", f"Variant {variant} not found.")


def target_model_missing(request_id: str) -> AwsError:
    return AwsError(400, "ValidationError", f"Request {request_id} is missing a target model header.")


def target_model_not_found(name: str, bucket: str) -> AwsError:
    """A multi-model endpoint looks for the model where all of its models lie."""
    return AwsError(
        400,
        "ValidationError",
        f"Failed to download model data(bucket: {bucket}, key: {name}). Please ensure that there is an object located at "
        "the URL and that the role passed to CreateModel has permissions to download the model.",
    )


def no_multi_model(endpoint: str) -> AwsError:
    text = f"Endpoint {endpoint} is not a multi-model endpoint and does not support target model header."
    return AwsError(400, "ValidationError", text)


def malformed_session(value: str, pattern: str) -> AwsError:
    return AwsError(
        400,
        "ValidationError",
        f"1 validation error detected: Value '{value}' at 'sessionId' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}",
    )


def model_not_found() -> AwsError:
    return AwsError(400, "ValidationException", "The provided model identifier is invalid.")


def guardrail_not_found() -> AwsError:
    return AwsError(
        400, "ValidationException", "The guardrail identifier or version provided in the request does not exist."
    )


def no_counting() -> AwsError:
    return AwsError(400, "ValidationException", "The provided model doesn't support counting tokens.")


def no_streaming() -> AwsError:
    return AwsError(400, "ValidationException", "The model is unsupported for streaming")


def container_error(endpoint: str, region: str, account: str, status: int, text: str) -> AwsError:
    """What SageMaker answers when the container answered `status` with the body `text`."""
    side = "client" if status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    return AwsError(
        424,
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{text}". See https://{region}.console.aws.amazon.com/cloudwatch/home'
        f"?region={region}#logEventViewer:group={group} in account {account} for more information.",
        {
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{group}",
        },
    )


def malformed_request(reason: str) -> AwsError:
    """Bedrock's answer to a body that the model's schema refuses."""
    return AwsError(
        400, "ValidationException", f"Malformed input request: {reason}, please reformat your input and try again."
    )


def refused(text: str) -> AwsError:
    """Bedrock's answer to a body that is well formed and yet not to be answered."""
    return AwsError(400, "ValidationException", text)


def invalid(violations: list[str]) -> AwsError:
    """Bedrock's answer to a body that breaks its description."""
    count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
    return refused(f"{count}: {'; '.join(violations)}")


def too_many(asked: int, limit: int, claude: str | None) -> AwsError:
    """More output is asked for than the model gives; Claude's own body is refused in its own words."""
    if claude:
        return refused(
            f"max_tokens: {asked} > {limit}, which is the maximum allowed number of output tokens for {claude}"
        )
    return refused(
        f"The maximum tokens you requested exceeds the model limit of {limit}. Try again with a maximum tokens value "
        f"that is lower than {limit}."
    )


def unknown_operation(path: str) -> AwsError:
    return AwsError(404, "UnknownOperationException", f"no operation at {path}")


def throttled(service: str, unit: str = "requests") -> AwsError:
    """Quota in requests or tokens per time exceeded."""
    text = "Rate exceeded" if service == "sagemaker" else f"Too many {unit}, please wait before trying again."
    return AwsError(429, "ThrottlingException", text)


def not_ready(service: str) -> AwsError:
    text = "Model is not ready for inference. Wait and try your request again."
    return AwsError(429, "ModelNotReadyException", text)


def quota_exceeded(service: str) -> AwsError:
    """SageMaker has no such error; its quota shows as throttling."""
    if service == "sagemaker":
        return throttled(service)
    return AwsError(400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account.")


def model_timeout(service: str) -> AwsError:
    """SageMaker has no 408: a model that takes too long is a model error without the container's status."""
    if service == "sagemaker":
        reason = "Your invocation timed out while waiting for a response from container primary."
        text = f'Received server error (0) from primary with message "{reason}"'
        return AwsError(424, "ModelError", text, {"OriginalStatusCode": 0, "OriginalMessage": ""})
    return AwsError(
        408,
        "ModelTimeoutException",
        "The request took too long to process. Processing time exceeded the model timeout length.",
    )


def server_error(service: str) -> AwsError:
    if service == "sagemaker":
        return AwsError(500, "InternalFailure", "An internal failure occurred.")
    return AwsError(
        500,
        "InternalServerException",
        "The system encountered an unexpected error during processing. Try your request again.",
    )


def unavailable(service: str) -> AwsError:
    if service == "sagemaker":
        return AwsError(503, "ServiceUnavailable", "The service is currently unavailable.")
    return AwsError(503, "ServiceUnavailableException", "Bedrock is unable to process your request.")


def internal_dependency(service: str) -> AwsError:
    """SageMaker's 530; Bedrock has none and answers its 500."""
    if service == "sagemaker":
        return AwsError(530, "InternalDependencyException", "A dependency of the service failed.")
    return server_error(service)


def client_error(service: str) -> AwsError:
    if service == "sagemaker":
        return AwsError(
            400, "ValidationError", "1 validation error detected: the request is not valid for this endpoint."
        )
    return AwsError(400, "ValidationException", "The request is not valid for this model.")


def not_found(service: str) -> AwsError:
    if service == "sagemaker":
        return AwsError(400, "ValidationError", "The endpoint is not in service.")
    return AwsError(404, "ResourceNotFoundException", "The requested resource could not be found.")


def access_denied(service: str) -> AwsError:
    action = "bedrock:InvokeModel" if service == "bedrock" else "sagemaker:InvokeEndpoint"
    return AwsError(
        403,
        "AccessDeniedException",
        f"User is not authorized to perform: {action} because no identity-based policy allows the action",
    )


def overloaded(a) -> AwsError:
    """The model's queue is full: a container's own 429 reaches SageMaker's caller as a model error; others throttle."""
    if a.operation.service != "sagemaker":
        return throttled(a.operation.service)
    return a.container_error(429, '{"error":"Model is overloaded","error_type":"overloaded"}')


def too_long(prompt_tokens: int, limit: int) -> AwsError:
    """Bedrock's answer to a prompt that leaves no room for an answer."""
    return AwsError(
        400,
        "ValidationException",
        f"Input is too long for requested model: {prompt_tokens} tokens, the limit is {limit}.",
    )
