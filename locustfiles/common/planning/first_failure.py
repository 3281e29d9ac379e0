"""What is said of a target whose first call failed: the service's own words, and what to mend."""

import re
import typing

from locustfiles.common.dialects.error_bodies import PAGE
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.remedies import LIMITS, LOOK, address_of, remedy_of
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget, Target

DIALECTS_ARE_IN = "which container speaks which dialect: configs/README.md"
#: what servers say of a body that lacks their own first key -> dialects whose body has it
_WANTED = {"inputs": "tgi or lmi", "messages": "openai-chat", "prompt": "openai-completions"}
_ROUTED = {"input": "openai-responses or openai-embeddings"}  # of servers that are asked by themselves
_CONTAINER = re.compile(r"container status (\d{3})\b")
_CONTAINER_REMEDIES = {
    (
        401,
        403,
    ): "the container itself wants a key or a token: look into its environment, and whether its model is gated",
    (404, 405): "the container has no such path or model: check the dialect and `target_model`, and its logs",
    (408, 429): "the container is too busy, or not ready: try again, and see its queue's and time limits",
    (
        400,
        415,
        422,
    ): "the container refuses the request as it is: check the dialect, `parameters` and the length of the prompts",
}
#: codes of a throttle that no waiting ends
_USED_UP = ("insufficient_quota", "billing_not_active")
_BOTH = (
    "openai-chat or openai-completions"  # of a body with neither key vLLM's /invocations says that `prompt` is missing
)
_ALREADY = {"hf-embedding": "inputs"}  # dialects that nothing above leads to, and their key
_ECHO = re.compile(r"['\"]input['\"]\s*:")  # FastAPI shows after this what it was sent, the prompt's own words included
_MISSING = re.compile(
    r"(?i)missing|required|(?:not|cannot) be empty|must be (?:provided|specified|present)|expected|keyerror|none is not"
)
#: how servers name a field that they do not know
_UNKNOWN = re.compile(
    r"(?i)(?:unsupported|unknown|unrecognized|unexpected|extra|additional)[^'\"`]{0,60}['\"`](?P<a>\w+)['\"`]"
    r"|['\"`](?P<b>\w+)['\"`][^'\"`]{0,40}(?:extra|not (?:permitted|supported|allowed)|unknown|unexpected|unrecognized)"
)
_FORBIDDEN = re.compile(r"(?i)extra_forbidden.*?loc[^\[(]*[\[(][^\])]*['\"](?P<a>\w+)['\"][,)\]]")


class Failed(typing.Protocol):
    """A failed call's record, or as much of it as a sentence needs."""

    @property
    def error(self) -> str | None: ...
    @property
    def error_code(self) -> str | None: ...
    @property
    def error_message(self) -> str | None: ...
    @property
    def http_status(self) -> int | None: ...


def what_failed(made: Failed) -> str:
    """`ValidationException: The model does not exist`, in the service's own words."""
    if _is_silent(made):
        return f"{made.error}: the connection is accepted, and no byte of an answer came within request_timeout_s"
    what = made.error_code or (f"HTTP {made.http_status}" if made.http_status else made.error or "no answer")
    words = made.error_message.rstrip(".") if made.error_message else ""
    return f"{what}: {words}" if words else what


def is_used_up(made: Failed) -> bool:
    """A throttle by an account's quota that has nothing left."""
    return made.error == ErrorClass.THROTTLED and made.error_code in _USED_UP


def _is_silent(made: Failed) -> bool:
    """A server, or what stands before it, that takes a request and says nothing."""
    return made.error == ErrorClass.READ_TIMEOUT and made.http_status is None


def sentence(target: Target, made: Failed) -> str:
    """What failed and what to mend, in one line."""
    return f"target `{target.name}`: {what_failed(made)}; {remedy(target, made)}"


def remedy(target: Target, made: Failed) -> str:
    """The class's remedy, with what the service's words tell besides."""
    error = ErrorClass(made.error) if made.error else None
    words = made.error_message or ""
    if error == ErrorClass.CONNECT:
        where = f" ({target.base_url})" if isinstance(target, OpenAITarget) else ""
        found = f"check {address_of(target)}{where}, and that the endpoint is up"
    elif is_used_up(made):
        found = "nothing of the account's quota is left, which no waiting mends: have it raised, or see to its billing"
    elif _is_silent(made):
        found = f"check {address_of(target)}, and that the server serves and is not stuck, or raise `request_timeout_s`"
    else:
        found = remedy_of(target, error, made.http_status) if error else LOOK
    if error == ErrorClass.MODEL_ERROR and (of := _CONTAINER.search(words)):
        found = _of_container(int(of[1])) or found
    if PAGE in words and not isinstance(target, OpenAITarget):
        found = f"AWS answers with no such page: check {address_of(target)}, or {found}"
    refused = error in (ErrorClass.CLIENT, ErrorClass.MODEL_ERROR, ErrorClass.BAD_RESPONSE, ErrorClass.SERVER)
    if refused and (field := _unknown_field(words)):
        return f"leave the field out by `parameters: {{{field}: null}}`, or {found}"
    if refused and (dialects := _other_dialects(target, words)):
        return f"the server asks for another body: try `dialect: {dialects}` ({DIALECTS_ARE_IN}), or {found}"
    if error in (ErrorClass.BAD_RESPONSE, ErrorClass.EMPTY, ErrorClass.STREAM_BROKEN, ErrorClass.MODEL_ERROR):
        return f"{found} ({DIALECTS_ARE_IN})" if isinstance(target, SageMakerTarget | OpenAITarget) else found
    return found


def _of_container(status: int) -> str | None:
    """SageMaker tells every failure of a container as its own 424; by the container's status they are not alike."""
    for of, what in _CONTAINER_REMEDIES.items():
        if status in of:
            return what
    return LIMITS.get(status)


def _unknown_field(words: str) -> str | None:
    found = _FORBIDDEN.search(words) or _UNKNOWN.search(words)
    if "stream_options" in words:
        return "stream_options"
    return found and next((name for name in found.groupdict().values() if name), None)


def _other_dialects(target: Target, words: str) -> str | None:
    """The dialects whose body has the key that the server misses, if ours is none of them. Bedrock's models have one each."""
    if isinstance(target, BedrockTarget):
        return None
    words = _ECHO.split(words)[0]
    if not _MISSING.search(words):
        return None
    own, wanted = target.dialect, _WANTED | (_ROUTED if isinstance(target, OpenAITarget) else {})
    asked = (
        d
        for key, d in wanted.items()
        if re.search(rf"\b{key}\b", words) and str(own) not in d.split(" or ") and _ALREADY.get(str(own)) != key
    )
    found = next(asked, None)
    return _BOTH if found == "openai-completions" and own != "openai-chat" else found
