"""Request bodies, one function a dialect; what each does with parameters is the table in `dialects`."""

import typing

from locustfiles.common.body_parts import Split, known, merged, messages_of, turns_of
from locustfiles.common.message_bodies import claude, converse, nova
from locustfiles.common.payloads import BadPayload, Prompt, texts_of
from locustfiles.common.raw import fill, has_place
from locustfiles.common.targets import OpenAITarget, Target
from locustfiles.common.yaml_file import BadScenario


def document_of(dialect: str, target: Target, prompt: Prompt, split: Split) -> dict:
    """The JSON object of the body. Raises BadPayload or BadScenario."""
    return _DOCUMENTS[dialect](target, prompt, split)


# --- text in, text out ---


def _llama(target: Target, prompt: Prompt, split: Split) -> dict:
    if split.stop is not None:
        raise BadScenario(f"target `{target.name}`: Llama's body has no stop sequences; remove `parameters.stop`")
    document = {"prompt": prompt.text}
    document |= known(max_gen_len=split.max_tokens, temperature=split.temperature, top_p=split.top_p)
    return merged(document, split.rest, prompt)


def _sampling(split: Split) -> dict:
    return known(max_tokens=split.max_tokens, temperature=split.temperature, top_p=split.top_p, stop=split.stop)


def _model_of(target: Target) -> dict:
    """OpenAI's routes name the model in the body; AWS's name it in the path."""
    return {"model": target.model_id} if isinstance(target, OpenAITarget) else {}


def _completion(target: Target, prompt: Prompt, split: Split) -> dict:
    """Mistral's and DeepSeek's body, and OpenAI's completions, which alone say in the body that they stream."""
    document = _model_of(target) | {"prompt": prompt.text} | _sampling(split)
    if target.stream and target.service != "bedrock":
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    return merged(document, split.rest, prompt)


def _titan_text(target: Target, prompt: Prompt, split: Split) -> dict:
    config = known(
        maxTokenCount=split.max_tokens, temperature=split.temperature, topP=split.top_p, stopSequences=split.stop
    )
    document = {"inputText": prompt.text} | known(textGenerationConfig=config or None)
    return merged(document, split.rest, prompt)


def _cohere_sampling(split: Split) -> dict:
    return known(max_tokens=split.max_tokens, temperature=split.temperature, p=split.top_p, stop_sequences=split.stop)


def _cohere_command(target: Target, prompt: Prompt, split: Split) -> dict:
    document = {"prompt": prompt.text} | _cohere_sampling(split)
    return merged(document | ({"stream": True} if target.stream else {}), split.rest, prompt)


def _text_generation(stop: str) -> typing.Callable[[Target, Prompt, Split], dict]:
    """TGI's body, which LMI takes too but for the name of `stop`."""

    def body(target: Target, prompt: Prompt, split: Split) -> dict:
        greedy = split.temperature == 0
        temperature = None if greedy else split.temperature
        top_p = None if greedy else split.top_p
        samples = temperature is not None or (top_p is not None and top_p < 1)
        if stop == "stop" and top_p is not None and top_p >= 1:
            top_p = None  # TGI refuses 1, which means no limit
        parameters = known(max_new_tokens=split.max_tokens, temperature=temperature, top_p=top_p)
        if greedy or samples:
            parameters["do_sample"] = samples
        parameters |= known(**{stop: split.stop})
        # token counts come in the details; without them an answer has none
        parameters |= {"details": True, "return_full_text": False}
        return {"inputs": prompt.text, "parameters": parameters | split.rest, "stream": target.stream}

    return body


# --- chats ---


def _chat(target: Target, prompt: Prompt) -> list[dict]:
    if target.system is None:
        return messages_of(prompt)
    system, turns = turns_of(target, prompt)
    return [{"role": "system", "content": system[0]}, *turns]


def _mistral_chat(target: Target, prompt: Prompt, split: Split) -> dict:
    return merged({"messages": _chat(target, prompt)} | _sampling(split), split.rest, prompt)


def _openai_chat(target: Target, prompt: Prompt, split: Split) -> dict:
    document = _model_of(target) | {"messages": _chat(target, prompt)} | _sampling(split)
    if target.service == "bedrock":
        if "max_tokens" in document:
            document["max_completion_tokens"] = document.pop("max_tokens")
    elif target.stream:
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    return merged(document, split.rest, prompt)


def _cohere_command_r(target: Target, prompt: Prompt, split: Split) -> dict:
    system, turns = turns_of(target, prompt)
    if turns[-1]["role"] != "user":
        raise BadPayload(f"prompt `{prompt.id}`: the last message must be of role user for cohere-command-r")
    *history, (_, message) = [
        ("USER" if m["role"] == "user" else "CHATBOT", "\n".join(texts_of(m["content"]))) for m in turns
    ]
    document = {"message": message} | _cohere_sampling(split)
    document |= known(
        preamble="\n\n".join(system) or None,
        chat_history=[{"role": role, "message": text} for role, text in history] or None,
    )
    return merged(document, split.rest, prompt)


# --- embeddings, raw ---


def _embedding(key: str, as_list: bool = False, **defaults: str) -> typing.Callable[[Target, Prompt, Split], dict]:
    def body(target: Target, prompt: Prompt, split: Split) -> dict:
        stray = next((name for name in ("max_tokens", "temperature", "top_p", "stop") if name in split.all), None)
        if stray:
            raise BadScenario(f"target `{target.name}`: an embedding has no `{stray}`; remove it from `parameters:`")
        return merged({key: [prompt.text] if as_list else prompt.text} | defaults, split.rest, prompt)

    return body


def _raw(target: Target, prompt: Prompt, split: Split) -> dict:
    values = {f"{{{name}}}": value for name, value in split.all.items()}
    if prompt.messages is None:
        values |= {"{prompt}": prompt.text, "{messages}": messages_of(prompt)}
    elif has_place(target.body, "{messages}"):
        values["{messages}"] = prompt.messages
    else:
        raise BadPayload(
            f'target `{target.name}`: prompt `{prompt.id}` has `messages`, but `body` takes "{{prompt}}"; '
            "write it as `prompt`, or \"{messages}\" into `body`"
        )
    try:
        return fill(target.body, values)
    except ValueError as e:
        raise BadScenario(f"target `{target.name}`: {e}") from None


_DOCUMENTS: dict[str, typing.Callable[[typing.Any, Prompt, Split], dict]] = {
    "converse": converse,
    "claude": claude,
    "nova": nova,
    "llama": _llama,
    "mistral": _completion,
    "mistral-chat": _mistral_chat,
    "titan-text": _titan_text,
    "titan-embedding": _embedding("inputText"),
    "cohere-command": _cohere_command,
    "cohere-command-r": _cohere_command_r,
    "cohere-embedding": _embedding("texts", as_list=True, input_type="search_document"),
    "deepseek": _completion,
    "tgi": _text_generation("stop"),
    "lmi": _text_generation("stop_sequences"),
    "openai-chat": _openai_chat,
    "openai-completions": _completion,
    "hf-embedding": _embedding("inputs"),
    "raw": _raw,
}
