"""What OpenAI's chats ask: conversations as vLLM takes them, and the form that an answer's text is to have."""

import json
import typing

from scripts.emulator.dialects import VERBATIM, chat, want
from scripts.emulator.errors import BadBody
from scripts.emulator.schemas.shown import shown

#: roles beside those of every chat, and what the model's template knows them as
_ROLES = {"developer": "system", "function": "tool"}


def conversation(body: dict) -> tuple[str, list[dict]]:
    """All text, and the messages as {role, content}. Raises BadBody."""
    messages = want(body, "messages", list, required=True)
    return chat([_message(m) for m in messages], tools=body.get("tools"))


def _message(m: typing.Any) -> dict:
    if not isinstance(m, dict):
        raise BadBody("#/messages: expected type: JSONObject")
    role, content, calls = m.get("role"), m.get("content"), m.get("tool_calls") or ()
    if content is None and (role == "assistant" or "content" in m):
        content = ""
    if isinstance(content, list):  # parts: objects, or plain texts
        content = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    said = [m.get("reasoning_content"), *(_called(c) for c in calls)]
    extra = "".join(text for text in said if isinstance(text, str))
    if extra:
        content = [*([{"text": content}] if isinstance(content, str) else content or ()), {"text": extra}]
    return {"role": _ROLES.get(role, role) if isinstance(role, str) else role, "content": content}


def _called(call: typing.Any) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise BadBody("#/messages: each of `tool_calls` needs a `function`")
    arguments = function.get("arguments", "")
    return f"{function.get('name')}{arguments if isinstance(arguments, str) else json.dumps(arguments)}"


def wanted_schema(body: dict, prompt: str) -> dict | bool | None:
    """The schema of the JSON that is asked for, by OpenAI's `response_format` or by vLLM's own keys. Raises BadBody."""
    form = want(body, "response_format", dict, {})
    outputs = want(body, "structured_outputs", dict, {})
    guided = next((v for v in (body.get("guided_json"), outputs.get("json")) if v is not None), None)
    if guided is not None:
        return _schema(guided, "guided_json")
    if choices := body.get("guided_choice") or outputs.get("choice"):
        return {"enum": choices, VERBATIM: True}
    if pattern := body.get("guided_regex") or outputs.get("regex"):
        return {"type": "string", "pattern": f"^(?:{pattern})$", VERBATIM: True}
    match form.get("type"):
        case "json_schema":
            named = want(form, "json_schema", dict, required=True)
            return _schema(named.get("schema", {"type": "object"}), "response_format")
        case "json_object":
            own = form.get("schema", form.get("value"))  # of llama.cpp, and of TGI
            return shown(prompt) or {"type": "object"} if own is None else _schema(own, "response_format")
        case None | "text":
            return {"type": "object"} if outputs.get("json_object") else None
    raise BadBody(f"#/response_format: {form.get('type')} is not one of text, json_object and json_schema")


def _schema(value: typing.Any, key: str) -> dict | bool:
    """A schema, as it is or as JSON text. Raises BadBody."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise BadBody(f"#/{key}: not valid JSON") from None
    if not isinstance(value, dict | bool):
        raise BadBody(f"#/{key}: expected type: JSONObject")
    return value
