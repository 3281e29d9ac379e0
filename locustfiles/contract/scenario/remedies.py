"""What to do about a target's call, in words that `check` and the run share: its class's remedy, and what its settings add."""

from locustfiles.contract.error_classes import REMEDIES, ErrorClass
from locustfiles.contract.scenario.targets import OpenAITarget, SageMakerTarget, Target

LOOK = "see whether the endpoint is in service, and its logs"
#: of a target that is asked to stream and answers in one piece
IN_ONE_PIECE = "answers in one piece although `stream: true` is asked: there is no TTFT and no TPOT; set `stream: false`, or have it stream"
NO_COUNTS = "the service reports no token counts; add the target's `tokenizer:`, which counts them"

#: of a status that says it all: limits of servers, and of proxies and gateways before them
LIMITS = {
    413: "send shorter prompts, or raise the greatest size of a request's body, in the server or in a proxy before it",
    414: "raise the greatest length of a request's first line, in the server or in a proxy before it",
    431: "shorten the key that the request carries, or raise the greatest size of headers, in the server or in a proxy before it",
    504: "a proxy or gateway gave up waiting: raise its time limit, or ask for fewer tokens; then see the logs of the server behind it",
}


def address_of(target: Target) -> str:
    """What says where the target's endpoint is."""
    return "`base_url`" if isinstance(target, OpenAITarget) else "the region, `endpoint_url` and AWS_ENDPOINT_URL_*"


def remedy_of(target: Target, error: ErrorClass, http_status: int | None) -> str:
    """Of a first call that ended in this class."""
    remedy = REMEDIES.get(error, LOOK)
    if limit := LIMITS.get(http_status or 0):
        return f"{limit}; POST {url_of(target)} was asked" if isinstance(target, OpenAITarget) else limit
    if isinstance(target, OpenAITarget):
        return _of_route(target, error, http_status) or remedy
    if error == ErrorClass.BAD_RESPONSE and isinstance(target, SageMakerTarget) and target.dialect != "raw":
        return f"{remedy}; a container that answers with bare text is read by `dialect: raw` with `answer: {{plain_text: true}}`"
    return remedy


def _of_route(target: OpenAITarget, error: ErrorClass, http_status: int | None) -> str | None:
    """A server of one's own has no region; what was asked is the first thing to look at."""
    asked = f"POST {url_of(target)} was asked"
    if error == ErrorClass.AUTH:
        if target.auth != "api_key":
            return f"check the AWS credentials and what they may call, `region` and `signing_name` ({target.signed_as}); {asked}"
        return f"check the key in {target.key_variable} (`api_key_env`) and what it may call; {asked}"
    if error == ErrorClass.CLIENT and http_status in (404, 405):
        return f"check `base_url`, which ends before {target.route.path}, most often in /v1, and `model_id`; {asked}"
    if error == ErrorClass.CLIENT:
        return f"check `model_id`, `parameters`, the length of the prompts and `base_url`; {asked}"
    if error == ErrorClass.BAD_RESPONSE:
        return f"check `base_url`, the dialect and `stream:`; {asked}"
    if error == ErrorClass.SERVER:
        return f"see its logs; some servers answer so where they lack the model of `model_id`; {asked}"
    return None


def url_of(target: OpenAITarget) -> str:
    """Where its calls go."""
    return target.base_url.rstrip("/") + target.route.path
