"""Request bodies: (target, prompt) -> the HTTP request of one call, without signature.

`parameters` of a target, overridden by those of a prompt, are translated; any other key goes into
the body as it is, at the level named last:

| dialect | max_tokens | temperature | top_p | stop | other keys |
|---|---|---|---|---|---|
| converse | inferenceConfig.maxTokens | .temperature | .topP | .stopSequences | top if a member of Converse, else |
| | | | | | additionalModelRequestFields |
| claude | max_tokens (required) | temperature | top_p | stop_sequences | top |
| nova | inferenceConfig.maxTokens | .temperature | .topP | .stopSequences | top |
| llama | max_gen_len | temperature | top_p | refused: the body has none | top |
| tgi | parameters.max_new_tokens | .temperature | .top_p, left out at 1 | .stop | parameters |
| lmi | parameters.max_new_tokens | .temperature | .top_p | .stop_sequences | parameters |
| openai-chat | max_tokens | temperature | top_p | stop | top |

An object among the other keys is merged into an object of the same name (`inferenceConfig: {topK: 20}`).
TGI and LMI: temperature 0 means greedy, sent as `do_sample: false` without temperature and top_p
(either would turn sampling on again); another temperature, or a top_p below 1, sends `do_sample: true`.
"""

import dataclasses
import functools
import json
import typing
import urllib.parse

from locustfiles.common.payloads import BadPayload, Prompt
from locustfiles.common.scenario import BadScenario, BedrockTarget, SageMakerTarget, Target

AnswerDialect = typing.Literal["converse", "claude", "nova", "llama", "tgi", "lmi", "openai-chat"]

_CHAT = ("converse", "claude", "nova", "openai-chat")
_OURS = frozenset({"stream", "inputs", "messages", "prompt"})  # what the scenario and the payload decide
_CONVERSE_MEMBERS = frozenset(
    "system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables "
    "additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig".split()
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


def build(target: Target, prompt: Prompt) -> Body:
    """The request of `prompt` to `target`.

    Raises BadPayload for a prompt that the dialect cannot take, BadScenario for parameters that it cannot.
    """
    parameters = target.parameters | prompt.parameters if prompt.parameters else target.parameters
    dialect = dialect_of(target)
    ours = _OURS.intersection(parameters)
    if ours:
        raise BadScenario(
            f"target `{target.name}`: `parameters.{min(ours)}` is not for the body; "
            "remove it (`stream:` belongs to the target, prompts to the payload file)"
        )
    if prompt.messages is not None and dialect not in _CHAT:
        raise BadPayload(
            f"target `{target.name}`: prompt `{prompt.id}` has `messages`, but {dialect} takes text; "
            f"write it as `prompt`, or use one of {', '.join(_CHAT)}"
        )
    document = _document(dialect, target, prompt, _Split(parameters))
    echo = None
    if dialect in ("tgi", "lmi") and document["parameters"]["return_full_text"] is True:
        echo = prompt.text
    operation, path, headers = _address(target)
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Body(target.service, operation, path, headers, body, target.stream, dialect, echo)


def dialect_of(target: Target) -> AnswerDialect:
    """Which body the target takes and answers with."""
    if isinstance(target, SageMakerTarget):
        return target.dialect
    if target.api == "converse":
        return "converse"
    assert target.family is not None  # the scenario refuses an unknown one
    return target.family


class _Split:
    """Parameters apart: the four that are translated (None when absent) and the rest."""

    def __init__(self, parameters: dict[str, typing.Any]) -> None:
        self.rest = dict(parameters)
        self.max_tokens = self.rest.pop("max_tokens", None)
        self.temperature = self.rest.pop("temperature", None)
        self.top_p = self.rest.pop("top_p", None)
        stop = self.rest.pop("stop", None)
        self.stop: list[str] | None = [stop] if isinstance(stop, str) else stop


def _address(target: Target) -> tuple[str, str, dict[str, str]]:
    """Operation, path and headers; header names from botocore's models of both services."""
    headers = {"Content-Type": "application/json"}
    if isinstance(target, BedrockTarget):
        base = f"/model/{_quote(target.model_id)}"
        if target.api == "converse":
            if target.stream:
                return "ConverseStream", f"{base}/converse-stream", headers
            return "Converse", f"{base}/converse", headers
        if target.stream:
            headers["X-Amzn-Bedrock-Accept"] = "application/json"
            return "InvokeModelWithResponseStream", f"{base}/invoke-with-response-stream", headers
        headers["Accept"] = "application/json"
        return "InvokeModel", f"{base}/invoke", headers
    for name, value in (
        ("X-Amzn-SageMaker-Inference-Component", target.inference_component),
        ("X-Amzn-SageMaker-Target-Variant", target.variant),
        ("X-Amzn-SageMaker-Target-Model", target.target_model),
    ):
        if value is not None:
            headers[name] = value
    path = f"/endpoints/{_quote(target.endpoint)}/invocations"
    if not target.stream:
        headers["Accept"] = "application/json"
        return "InvokeEndpoint", path, headers
    if target.target_model is not None:
        raise BadScenario(
            f"target `{target.name}`: SageMaker does not stream from a `target_model`; remove it or set `stream: false`"
        )
    # without an Accept the container picks what its stream is: events (TGI) or JSON lines (LMI)
    return "InvokeEndpointWithResponseStream", f"{path}-response-stream", headers


@functools.lru_cache(maxsize=256)
def _quote(name: str) -> str:
    return urllib.parse.quote(name, safe="-._~")


def _document(dialect: AnswerDialect, target: Target, prompt: Prompt, split: _Split) -> dict:
    match dialect:
        case "converse":
            return _converse(prompt, split)
        case "claude":
            return _claude(target, prompt, split)
        case "nova":
            return _nova(prompt, split)
        case "llama":
            return _llama(target, prompt, split)
        case "openai-chat":
            return _openai_chat(target, prompt, split)
        case _:
            return _text_generation(dialect, target, prompt, split)


def _known(**values: typing.Any) -> dict[str, typing.Any]:
    return {key: value for key, value in values.items() if value is not None}


def _merged(document: dict, rest: dict, prompt: Prompt) -> dict:
    """`rest` over the document's top level; objects of one name are merged."""
    for key, value in rest.items():
        if key == "system" and key in document:
            raise BadPayload(f"prompt `{prompt.id}` has a system message and `parameters` a `system`; keep one")
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            value = document[key] | value
        document[key] = value
    return document


def _turns(prompt: Prompt) -> tuple[list[str], list[dict]]:
    """The texts of the system messages, and the other messages."""
    if prompt.messages is None:
        return [], [{"role": "user", "content": prompt.text}]
    system = [text for m in prompt.messages if m["role"] == "system" for text in _texts(m["content"])]
    return system, [m for m in prompt.messages if m["role"] != "system"]


def _texts(content: str | list[dict]) -> list[str]:
    return [content] if isinstance(content, str) else [part["text"] for part in content]


def _blocks(messages: list[dict]) -> list[dict]:
    return [{"role": m["role"], "content": [{"text": t} for t in _texts(m["content"])]} for m in messages]


def _converse(prompt: Prompt, split: _Split) -> dict:
    system, messages = _turns(prompt)
    document: dict[str, typing.Any] = {"messages": _blocks(messages)}
    if system:
        document["system"] = [{"text": text} for text in system]
    config = _inference_config(split)
    if config:
        document["inferenceConfig"] = config
    members = {key: value for key, value in split.rest.items() if key in _CONVERSE_MEMBERS}
    models_own = {key: value for key, value in split.rest.items() if key not in _CONVERSE_MEMBERS}
    if models_own:
        document["additionalModelRequestFields"] = models_own
    return _merged(document, members, prompt)


def _inference_config(split: _Split) -> dict:
    return _known(maxTokens=split.max_tokens, temperature=split.temperature, topP=split.top_p, stopSequences=split.stop)


def _nova(prompt: Prompt, split: _Split) -> dict:
    system, messages = _turns(prompt)
    document: dict[str, typing.Any] = {"schemaVersion": "messages-v1", "messages": _blocks(messages)}
    if system:
        document["system"] = [{"text": text} for text in system]
    config = _inference_config(split)
    if config:
        document["inferenceConfig"] = config
    return _merged(document, split.rest, prompt)


def _claude(target: Target, prompt: Prompt, split: _Split) -> dict:
    if split.max_tokens is None:
        raise BadScenario(f"target `{target.name}`: Claude's body needs `max_tokens`; add it to `parameters:`")
    system, messages = _turns(prompt)
    document = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": split.max_tokens, "messages": messages}
    document |= _known(
        system="\n\n".join(system) or None,
        temperature=split.temperature,
        top_p=split.top_p,
        stop_sequences=split.stop,
    )
    return _merged(document, split.rest, prompt)


def _llama(target: Target, prompt: Prompt, split: _Split) -> dict:
    if split.stop is not None:
        raise BadScenario(f"target `{target.name}`: Llama's body has no stop sequences; remove `parameters.stop`")
    document = {"prompt": prompt.text}
    document |= _known(max_gen_len=split.max_tokens, temperature=split.temperature, top_p=split.top_p)
    return _merged(document, split.rest, prompt)


def _text_generation(dialect: AnswerDialect, target: Target, prompt: Prompt, split: _Split) -> dict:
    """TGI's body, which LMI takes too but for the name of `stop`."""
    greedy = split.temperature == 0
    temperature = None if greedy else split.temperature
    top_p = None if greedy else split.top_p
    samples = temperature is not None or (top_p is not None and top_p < 1)
    if dialect == "tgi" and top_p is not None and top_p >= 1:
        top_p = None  # TGI refuses 1, which means no limit
    parameters = _known(max_new_tokens=split.max_tokens, temperature=temperature, top_p=top_p)
    if greedy or samples:
        parameters["do_sample"] = samples
    if split.stop is not None:
        parameters["stop" if dialect == "tgi" else "stop_sequences"] = split.stop
    # token counts come in the details; without them an answer has none
    parameters |= {"details": True, "return_full_text": False}
    return {"inputs": prompt.text, "parameters": parameters | split.rest, "stream": target.stream}


def _openai_chat(target: Target, prompt: Prompt, split: _Split) -> dict:
    messages = prompt.messages if prompt.messages is not None else [{"role": "user", "content": prompt.text}]
    document: dict[str, typing.Any] = {"messages": messages}
    document |= _known(max_tokens=split.max_tokens, temperature=split.temperature, top_p=split.top_p, stop=split.stop)
    if target.stream:
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    return _merged(document, split.rest, prompt)
