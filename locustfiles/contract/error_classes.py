"""Error classes of a request, from protocol facts, never from message text.

The first fact that decides wins: the service's exception type, then the HTTP status; of an error inside an answer of
status 200 it is the status that the error's body carries. What the
transport or a reader saw (a refused connection, a broken stream, a body that cannot be read) is
named by them directly with the class.

| class | from |
|---|---|
| throttled | ThrottlingException, TooManyRequestsException, ServiceQuotaExceededException, rate_limit_error, other 429 |
| not_ready | ModelNotReadyException (although it is a 429) |
| model_timeout | ModelTimeoutException, GatewayTimeoutException (a SageMaker gateway's 504), 408 |
| model_error | ModelError, ModelErrorException, ModelStreamErrorException, 424 |
| unavailable | ServiceUnavailable(Exception), overloaded_error, 503, 529 |
| server | InternalServerException, InternalFailure, InternalDependencyException, InternalStreamFailure, other 5xx |
| auth | 401, 403 and the signature, token and access exceptions |
| client | ValidationException, ValidationError, ResourceNotFoundException, ConflictException, other 4xx |
| connect | no connection: refused, DNS, connect timeout, TLS handshake |
| read_timeout | the request's deadline passed before the last byte |
| stream_broken | socket or frame ended early; a stream without its closing event |
| bad_response | an answer of status 200 that cannot be read, an error body without a status inside it, a bad CRC |
| empty | a text operation that ended well without output |
| cancelled | our own stop, or, with code ClientCancelled, a client that leaves on purpose; outside the error rate |
| internal | our own bug; makes the stage INVALID |
| unknown | a failure of which an imported file does not say the class; a load test never records it |
"""

import enum


class ErrorClass(enum.StrEnum):
    THROTTLED = "throttled"
    NOT_READY = "not_ready"
    MODEL_TIMEOUT = "model_timeout"
    MODEL_ERROR = "model_error"
    UNAVAILABLE = "unavailable"
    SERVER = "server"
    AUTH = "auth"
    CLIENT = "client"
    CONNECT = "connect"
    READ_TIMEOUT = "read_timeout"
    STREAM_BROKEN = "stream_broken"
    BAD_RESPONSE = "bad_response"
    EMPTY = "empty"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


class OwnCode(enum.StrEnum):
    """The `error_code` of what nobody but the reader of an answer sees; all others are the service's."""

    CLIENT_CANCELLED = (
        "ClientCancelled"  # of class cancelled: the client left on purpose, as `cancel:` asks; not our own stop
    )
    ANSWER_TOO_LARGE = "AnswerTooLarge"
    CONTENT_ENCODING = "ContentEncoding"
    IMPLAUSIBLE_USAGE = "ImplausibleUsage"
    UNREADABLE_USAGE = "UnreadableUsage"  # of a success: its `error_message` says what stands where a count should


def stopped_by_us(error: str | None, code: str | None) -> bool:
    """Whether our own stop ended a request, and no client that left on purpose."""
    return error == ErrorClass.CANCELLED and code != OwnCode.CLIENT_CANCELLED


#: classes of which the service bills nothing (an assumption that the report states)
UNBILLED = frozenset(
    {
        ErrorClass.THROTTLED,
        ErrorClass.NOT_READY,
        ErrorClass.AUTH,
        ErrorClass.CLIENT,
        ErrorClass.CONNECT,
        ErrorClass.UNAVAILABLE,
    }
)

#: what to do where a target's first call ends so
REMEDIES = {
    ErrorClass.AUTH: "check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, session token, clock; of an OpenAI route the key in "
    "`api_key_env`) and the permissions",
    ErrorClass.CLIENT: "check endpoint or model id, region, parameters and the length of the prompts",
    ErrorClass.THROTTLED: "wait, or have the quota raised",
    ErrorClass.NOT_READY: "wait until the model is loaded",
    ErrorClass.READ_TIMEOUT: "raise `request_timeout_s`, or ask for fewer tokens",
    ErrorClass.EMPTY: "raise `max_tokens`, or check the dialect",
    ErrorClass.BAD_RESPONSE: "check the dialect and `stream:`",
    ErrorClass.STREAM_BROKEN: "see its logs, and what may cut the answer on the way: a proxy's or a container's own time limit",
}

_BY_TYPE = {
    "throttling": ErrorClass.THROTTLED,
    "throttlingexception": ErrorClass.THROTTLED,
    "throttledexception": ErrorClass.THROTTLED,
    "toomanyrequestsexception": ErrorClass.THROTTLED,
    "servicequotaexceededexception": ErrorClass.THROTTLED,
    "modelnotreadyexception": ErrorClass.NOT_READY,
    "modeltimeoutexception": ErrorClass.MODEL_TIMEOUT,
    "gatewaytimeoutexception": ErrorClass.MODEL_TIMEOUT,
    "modelerror": ErrorClass.MODEL_ERROR,
    "modelerrorexception": ErrorClass.MODEL_ERROR,
    "modelstreamerror": ErrorClass.MODEL_ERROR,
    "modelstreamerrorexception": ErrorClass.MODEL_ERROR,
    "serviceunavailable": ErrorClass.UNAVAILABLE,
    "serviceunavailableexception": ErrorClass.UNAVAILABLE,
    "internalserverexception": ErrorClass.SERVER,
    "internalerror": ErrorClass.SERVER,
    "internalfailure": ErrorClass.SERVER,
    "internaldependencyexception": ErrorClass.SERVER,
    "internalstreamfailure": ErrorClass.SERVER,
    "validationexception": ErrorClass.CLIENT,
    "validationerror": ErrorClass.CLIENT,
    "resourcenotfoundexception": ErrorClass.CLIENT,
    "conflictexception": ErrorClass.CLIENT,
    "accessdeniedexception": ErrorClass.AUTH,
    "accessdenied": ErrorClass.AUTH,
    "unrecognizedclientexception": ErrorClass.AUTH,
    "invalidsignatureexception": ErrorClass.AUTH,
    "signaturedoesnotmatch": ErrorClass.AUTH,
    "incompletesignature": ErrorClass.AUTH,
    "missingauthenticationtokenexception": ErrorClass.AUTH,
    "missingauthenticationtoken": ErrorClass.AUTH,
    "expiredtoken": ErrorClass.AUTH,
    "expiredtokenexception": ErrorClass.AUTH,
    "invalidclienttokenid": ErrorClass.AUTH,
    "notauthorized": ErrorClass.AUTH,
}

#: Anthropic's, and those of OpenAI's Responses: they decide in mid-stream, where no status comes with them
_BY_WORD = {
    "rate_limit_error": ErrorClass.THROTTLED,
    "rate_limit_exceeded": ErrorClass.THROTTLED,
    "overloaded_error": ErrorClass.UNAVAILABLE,
    "timeout_error": ErrorClass.MODEL_TIMEOUT,
    "api_error": ErrorClass.SERVER,
    "server_error": ErrorClass.SERVER,
    "authentication_error": ErrorClass.AUTH,
    "permission_error": ErrorClass.AUTH,
}

_BY_STATUS = {
    401: ErrorClass.AUTH,
    403: ErrorClass.AUTH,
    408: ErrorClass.MODEL_TIMEOUT,
    424: ErrorClass.MODEL_ERROR,
    429: ErrorClass.THROTTLED,
    503: ErrorClass.UNAVAILABLE,
    529: ErrorClass.UNAVAILABLE,  # Anthropic is overloaded
}


def type_name(raw: str | None) -> str | None:
    """`ThrottlingException:http://internal…` and `com.amazonaws…#ThrottlingException` -> the bare name."""
    if not raw:
        return None
    return raw.split(":", 1)[0].rsplit("#", 1)[-1].strip() or None


def is_known(exception_type: str | None) -> bool:
    """Whether a type of this name decides the class by itself."""
    name = (type_name(exception_type) or "").lower()
    return name in _BY_TYPE or name in _BY_WORD


def classify(exception_type: str | None, status: int | None) -> ErrorClass:
    """The class of an error that the service answered with.

    exception_type: `x-amzn-errortype`, `:exception-type`, `:error-code` or the body's `__type`;
    status: the HTTP status, None inside a stream.
    """
    name = type_name(exception_type)
    if name and name.lower() in _BY_TYPE:
        return _BY_TYPE[name.lower()]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and 400 <= status < 500:
        return ErrorClass.CLIENT
    if status is not None and status >= 500:
        return ErrorClass.SERVER
    if name and name.lower() in _BY_WORD:
        return _BY_WORD[name.lower()]
    # an exception event of a name nobody knows: the model's stream failed
    return ErrorClass.MODEL_ERROR if name else ErrorClass.BAD_RESPONSE
