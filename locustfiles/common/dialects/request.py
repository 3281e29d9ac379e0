"""Requests: (target, prompt) -> the HTTP request of one call, without signature.

`parameters` of a target, overridden by those of a prompt, are translated; any other key goes into
the body as it is, at the level named last:

| dialect | max_tokens | temperature | top_p | stop | other keys |
|---|---|---|---|---|---|
| converse | inferenceConfig.maxTokens | .temperature | .topP | .stopSequences | top if a member of Converse, else |
| | | | | | additionalModelRequestFields |
| claude | max_tokens (required) | temperature | top_p | stop_sequences | top |
| nova | inferenceConfig.maxTokens | .temperature | .topP | .stopSequences | top |
| llama | max_gen_len | temperature | top_p | refused: the body has none | top |
| mistral, mistral-chat, deepseek, | max_tokens | temperature | top_p | stop | top |
| chat-completions | | | | | |
| titan-text | textGenerationConfig.maxTokenCount | .temperature | .topP | .stopSequences | top |
| cohere-command, cohere-command-r | max_tokens | temperature | p | stop_sequences | top |
| tgi | parameters.max_new_tokens | .temperature | .top_p, left out at 1 | .stop | parameters |
| lmi | parameters.max_new_tokens | .temperature | .top_p | .stop_sequences | parameters |
| openai-chat | max_tokens; on Bedrock | temperature | top_p | stop | top |
| | max_completion_tokens | | | | |
| openai-completions | max_tokens | temperature | top_p | stop | top |
| openai-responses | max_output_tokens | temperature | top_p | refused: the API has none | top |
| anthropic-messages | max_tokens (required) | temperature | top_p | stop_sequences | top |
| titan-, nova-, cohere-, marengo-, hf-embedding, openai-embeddings; openai-, cohere-, hf-rerank | refused, as the other three | | | | top |
| rerank | refused, as the other three | | | | numberOfResults or top_n, additionalModelRequestFields; else refused |
| apply-guardrail, guardrail-checks | refused, as the other three | | | | top, if a member; else refused |
| count-tokens | as in the request that is counted | | | | |
| raw | where `body` has "{max_tokens}" | and so on | | | refused |

An object among the other keys is merged into an object of the same name (`inferenceConfig: {topK: 20}`).
TGI and LMI: temperature 0 means greedy, sent as `do_sample: false` without temperature and top_p
(either would turn sampling on again); another temperature, or a top_p below 1, sends `do_sample: true`.
A Bedrock target's `guardrail`, `latency` and `service_tier` are members of Converse's body, headers of InvokeModel, and so
are `projectIdentifier`, `requestMetadata` and InvokeModel's `trace` among the parameters. Latency and tier have prices of
their own, so among the parameters they are refused.
"""

import dataclasses
import json

from locustfiles.common.dialects.async_address import async_address
from locustfiles.common.dialects.bedrock_addresses import bedrock_address, beside_the_body, present, quoted
from locustfiles.common.dialects.body_parts import Split
from locustfiles.common.dialects.embedded import images_of
from locustfiles.common.dialects.front_addresses import front_address
from locustfiles.common.dialects.history import CONVERSING, History
from locustfiles.common.dialects.parsed import THINK
from locustfiles.common.dialects.priced_parameters import check_price
from locustfiles.common.dialects.table import DIALECTS, answering, counted_dialect
from locustfiles.common.dialects.taken import check_documents, check_form, check_tools
from locustfiles.common.prompts.media import media_bytes
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.asked_effort import asked_effort
from locustfiles.contract.scenario.bedrock_apis import Api
from locustfiles.contract.scenario.families import Family
from locustfiles.contract.scenario.raw import RawAnswer
from locustfiles.contract.scenario.routes import RouteDialect
from locustfiles.contract.scenario.targets import (
    BedrockTarget,
    Dialect,
    OpenAITarget,
    SageMakerTarget,
    Target,
)

AnswerDialect = Api | Family | Dialect | RouteDialect
ANTHROPIC_VERSION = "2023-06-01"  # the only one that Anthropic's API has had since

_SAID = ("system", "messages", "input")  # where messages are in a body
# scenario and payload decide
_OURS = frozenset(
    {"stream", "inputs", "messages", "prompt", "inputText", "texts", "message", "input", "query", "documents"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """The request of one call; it may be kept and sent again."""

    service: str
    operation: str  # the API operation's name
    path: str  # as botocore quotes it
    headers: dict[str, str]
    body: bytes
    stream: bool
    dialect: AnswerDialect  # whose answer comes back
    echo: str | None = None  # the prompt, where the container was asked to repeat it before its answer
    answer: RawAnswer | None = None  # where things are in a `raw` answer
    in_reasoning: bool = False  # DeepSeek's prompt ends in the tag that opens its reasoning
    media_bytes: int | None = None  # of images, documents, sound and video in it, decoded; None: there are none
    images: int | None = None  # of an embedding: how many images it is of; None of all else
    effort: str | None = None  # that it asks the model to make


def build(target: Target, prompt: Prompt, history: History | None = None) -> Body:
    """The request of `prompt` to `target`; history: what was said before it.

    Raises BadPayload for a prompt that the dialect cannot take, BadScenario for parameters that it cannot.
    """
    parameters = target.parameters | prompt.parameters if prompt.parameters else target.parameters
    if target.hold_length and prompt.asked.completion_tokens:
        held = True if target.hold_length == "ignore_eos" else prompt.asked.completion_tokens
        parameters = parameters | {target.hold_length: held}
    dialect, effort = dialect_of(target), asked_effort(parameters)
    if isinstance(target, BedrockTarget) and target.api == "count-tokens":
        _check(counted_dialect(target), target, prompt, parameters)
    else:
        _check(dialect, target, prompt, parameters)
    operation, path, headers = _address(target)
    if isinstance(target, BedrockTarget) and target.api == "invoke":
        beside, parameters = beside_the_body(target, parameters)
        headers |= beside
    prompt = history.before(prompt) if history else prompt
    document = DIALECTS[dialect].body(target, prompt, Split(parameters))
    if history is not None:
        document = history.placed(document)
    echo = None
    if dialect in ("tgi", "lmi") and document["parameters"]["return_full_text"] is True:
        echo = prompt.text
    try:
        body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as e:
        what = f"target `{target.name}`: the body for prompt `{prompt.id}` is not JSON ({e})"
        raise BadScenario(f"{what}; put dates into quotes, and leave out .nan and .inf") from None
    if isinstance(target, SageMakerTarget) and target.async_inference:
        base = path.removesuffix("/invocations")
        operation, path, headers = async_address(target, target.async_inference, base, prompt, body)
    answer = target.answer if isinstance(target, SageMakerTarget) else None
    thinks = dialect == "deepseek" and (prompt.text or "").rstrip().endswith(THINK[0])
    images = images_of(prompt) if DIALECTS[dialect].media else None
    media = _media_bytes(dialect, prompt, document)
    sent = (operation, path, headers, body, target.stream, dialect, echo, answer, thinks, media, images, effort)
    return Body(target.service, *sent)


def _media_bytes(dialect: AnswerDialect, prompt: Prompt, document: dict) -> int | None:
    """Of what is sent, with all that stands before it."""
    if prompt.messages is None:
        return None
    if DIALECTS[dialect].media:
        return media_bytes(prompt.messages)
    if dialect in ("raw", "apply-guardrail"):
        return media_bytes([document])
    return media_bytes([document.get(place) for place in _SAID])


def dialect_of(target: Target) -> AnswerDialect:
    """Which body the target takes and answers with."""
    if isinstance(target, SageMakerTarget | OpenAITarget):
        return target.dialect
    if target.api != "invoke":
        return target.api
    assert target.family is not None  # the scenario refuses an unknown one
    return target.family


def _check(dialect: AnswerDialect, target: Target, prompt: Prompt, parameters: dict) -> None:
    """Raises BadPayload or BadScenario for what the dialect has no place for."""
    ours = _OURS.intersection(parameters)
    if ours:
        raise BadScenario(
            f"target `{target.name}`: `parameters.{min(ours)}` is not for the body; "
            "remove it (`stream:` belongs to the target, prompts to the payload file)"
        )
    check_price(target, prompt, parameters)
    check_tools(dialect, target, prompt, parameters)
    if target.system is not None and not DIALECTS[dialect].chat:
        other = ", or use `api: converse`" if isinstance(target, BedrockTarget) else ""
        raise BadScenario(f"target `{target.name}`: {dialect} has no system prompt; write it into the prompts{other}")
    if isinstance(target, BedrockTarget) and target.cache_system and not DIALECTS[dialect].caches:
        raise BadScenario(f"target `{target.name}`: `cache_system` is not for {dialect}; use `api: converse`")
    check_documents(dialect, target, prompt)
    if prompt.messages is None:
        return
    if prompt.turns and dialect not in CONVERSING:
        raise BadPayload(
            f"target `{target.name}`: prompt `{prompt.id}` is a conversation (`turns`), which {dialect} does not take; "
            f"use one of {', '.join(CONVERSING)}, or payloads without `turns`"
        )
    if DIALECTS[dialect].media:
        return  # its body looks at each part
    if not DIALECTS[dialect].chat and dialect != "raw":
        raise BadPayload(
            f"target `{target.name}`: prompt `{prompt.id}` has `messages`, but {dialect} takes text; "
            f"write it as `prompt`, or use one of {', '.join(answering('chat'))}"
        )
    if prompt.pictured and not DIALECTS[dialect].images and dialect != "raw":
        raise BadPayload(
            f"target `{target.name}`: prompt `{prompt.id}` has an image, which {dialect} does not take; remove it, or use one of "
            f"{', '.join(answering('images'))}"
        )
    if prompt.cached and not DIALECTS[dialect].caches:
        raise BadPayload(
            f"target `{target.name}`: prompt `{prompt.id}` has a `cachePoint`, which {dialect} does not take; remove it"
        )
    check_form(dialect, target, prompt)


def _address(target: Target) -> tuple[str, str, dict[str, str]]:
    """Operation, path and headers; header names from botocore's models of both services."""
    headers = {"Content-Type": "application/json"}
    if isinstance(target, OpenAITarget):
        if target.dialect == "anthropic-messages":
            headers["anthropic-version"] = ANTHROPIC_VERSION
        return *target.route, headers
    if isinstance(target, BedrockTarget):
        return bedrock_address(target)
    if target.endpoint is None:
        return front_address(target)
    headers |= present(
        ("X-Amzn-SageMaker-Custom-Attributes", target.custom_attributes),
        ("X-Amzn-SageMaker-Inference-Component", target.inference_component),
        ("X-Amzn-SageMaker-Target-Variant", target.variant),
        ("X-Amzn-SageMaker-Target-Model", target.target_model),
        ("X-Amzn-SageMaker-Target-Container-Hostname", target.target_container),
        ("X-Amzn-SageMaker-Prefix-Aware-Id", target.prefix_aware_id),
        ("X-Amzn-SageMaker-Inference-Id", target.inference_id),
        ("X-Amzn-SageMaker-Session-Id", target.session_id),
    )
    path = f"/endpoints/{quoted(target.endpoint)}/invocations"
    if not target.stream:
        headers["Accept"] = "application/json"
        return "InvokeEndpoint", path, headers
    if target.target_model is not None or target.session_id == "NEW_SESSION":
        what = "from a `target_model`" if target.target_model is not None else "with `session_id: NEW_SESSION`"
        raise BadScenario(f"target `{target.name}`: SageMaker does not stream {what}; remove it or set `stream: false`")
    # without an Accept the container picks what its stream is: events (TGI) or JSON lines (LMI)
    return "InvokeEndpointWithResponseStream", f"{path}-response-stream", headers
