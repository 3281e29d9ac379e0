"""Parts and messages as Anthropic's and OpenAI's APIs have their own: what each must hold. What else they hold is sent, too."""

import typing

from locustfiles.common.prompts.forms import Form, named
from locustfiles.common.prompts.shapes import check_base64

#: a part's type -> keys that it must have, and what they are
_NEEDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "text": {"text": str},
    "image": {"source": dict},
    "document": {"source": dict},
    "search_result": {"source": str, "title": str, "content": list},
    "thinking": {"thinking": str, "signature": str},
    "redacted_thinking": {"data": str},
    "tool_use": {"id": str, "name": str, "input": dict},
    "server_tool_use": {"id": str, "name": str, "input": dict},
    "tool_result": {"tool_use_id": str},
    "image_url": {"image_url": (dict, str)},
    "audio_url": {"audio_url": dict},
    "video_url": {"video_url": dict},
    "input_audio": {"input_audio": dict},
    "file": {"file": dict},
    "refusal": {"refusal": str},
    "input_text": {"text": str},
    "output_text": {"text": str},
}
#: an item of OpenAI's Responses that is no message
_ITEMS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "function_call": {"call_id": str, "name": str, "arguments": str},
    "function_call_output": {"call_id": str, "output": (str, list)},
    "custom_tool_call": {"call_id": str, "name": str, "input": str},
    "custom_tool_call_output": {"call_id": str, "output": (str, list)},
    "reasoning": {},
    "item_reference": {"id": str},
}
_WORDS: dict[type, str] = {str: "a text", dict: "an object", list: "a list"}
_ELSEWHERE = "fetching it is not the model's time; write the bytes as base64"


def check_part(part: dict, forms: frozenset[Form], where: str) -> None:
    """Raises ValueError with the place, what is wrong and the remedy."""
    kind = part["type"]
    _has(part, _NEEDS.get(kind, {}), where)
    if kind == "text" and not part["text"].strip():
        raise ValueError(f"`{where}.text` is empty; write the text or remove the part")
    if "anthropic" in forms and isinstance(part.get("source"), dict):
        _source(part["source"], f"{where}.source")
    if kind == "tool_result" and isinstance(part.get("content"), list):
        for place, inner in enumerate(part["content"]):
            if not isinstance(inner, dict) or not isinstance(inner.get("type"), str):
                raise ValueError(f"`{where}.content[{place}]` must be an object with `type`, or the content a text")
            check_part(inner, forms, f"{where}.content[{place}]")
    _bytes_of(part, where)


def _has(holder: dict, needs: dict[str, type | tuple[type, ...]], where: str) -> None:
    for key, kind in needs.items():
        if key not in holder:
            raise ValueError(f"`{where}` has no `{key}`; add it")
        if not isinstance(holder[key], kind):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            raise ValueError(f"`{where}.{key}` must be {' or '.join(_WORDS[k] for k in kinds)}")


def _source(source: dict, where: str) -> None:
    """Of Anthropic's images and documents."""
    match source.get("type"):
        case "base64":
            _has(source, {"media_type": str, "data": str}, where)
            check_base64(source["data"], f"{where}.data")
        case "text":
            _has(source, {"media_type": str, "data": str}, where)
        case "content":
            _has(source, {"content": (str, list)}, where)
        case "file":
            _has(source, {"file_id": str}, where)
        case "url":
            raise ValueError(f"`{where}` is an address; {_ELSEWHERE}")
        case other:
            raise ValueError(f"`{where}.type` is `{other}`; it must be one of base64, text, content and file")


def _bytes_of(part: dict, where: str) -> None:
    """The base64 in a part of OpenAI's."""
    for key in ("image_url", "audio_url", "video_url"):
        url = part.get(key)
        if url is not None:
            _data_url(url.get("url") if isinstance(url, dict) else url, f"{where}.{key}")
    if isinstance(audio := part.get("input_audio"), dict):
        _has(audio, {"data": str, "format": str}, f"{where}.input_audio")
        check_base64(audio["data"], f"{where}.input_audio.data")
    holder = part.get("file") if part["type"] == "file" else part
    if isinstance(holder, dict) and isinstance(data := holder.get("file_data"), str):
        check_base64(data.partition(",")[2] if data.startswith("data:") else data, f"{where}.file_data")
    if "file_url" in part:
        raise ValueError(f"`{where}.file_url` is an address; {_ELSEWHERE}")


def _data_url(url: object, where: str) -> None:
    if not isinstance(url, str):
        raise ValueError(f'`{where}` must be a data URL, {{"url": "data:…;base64,…"}}')
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise ValueError(f"`{where}` is no data URL; {_ELSEWHERE}: data:image/png;base64,…")
    check_base64(data, where)


def check_tool_calls(message: dict, where: str) -> None:
    """Of an assistant's message and a tool's, in OpenAI's chats."""
    if message["role"] == "tool":
        _has(message, {"tool_call_id": str}, where)
    calls = message.get("tool_calls")
    if calls is None:
        return
    if message["role"] != "assistant" or not isinstance(calls, list) or not calls:
        raise ValueError(f"`{where}.tool_calls` must be a list of calls in a message of role assistant")
    for place, call in enumerate(calls):
        at = f"{where}.tool_calls[{place}]"
        if not isinstance(call, dict):
            raise ValueError(f"`{at}` must be an object")
        _has(call, {"id": str, "type": str}, at)
        if call["type"] == "function":
            _has(call, {"function": dict}, at)
            _has(call["function"], {"name": str, "arguments": str}, f"{at}.function")


def check_item(item: dict, where: str) -> None:
    """An item of OpenAI's Responses that is no message. Raises ValueError."""
    kind: typing.Any = item["type"]
    if kind in _ITEMS:
        _has(item, _ITEMS[kind], where)
    elif not kind.endswith(("_call", "_call_output")):  # of the API's own tools
        raise ValueError(
            f"`{where}.type` is `{kind}`, no item of {named(('responses',))}; it has {', '.join(_ITEMS)} and its tools' calls"
        )
