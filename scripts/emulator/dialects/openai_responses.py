"""OpenAI's Responses, as OpenAI and vLLM serve them: reasoning, text and calls of functions are items of the output."""

import typing

from scripts.emulator.dialects import NUMBER, Call, Piece, chat, named, positive, want
from scripts.emulator.dialects.billed import cache_counts, tier
from scripts.emulator.dialects.media import media_tokens
from scripts.emulator.dialects.reasoning import first_said, said, thinks, thought
from scripts.emulator.dialects.tools import Made, made, newest, openai_offer
from scripts.emulator.errors import BadBody

STREAM_TYPE = "text/event-stream; charset=utf-8"
_DEFAULT_MAX_TOKENS = 512
_TEXT = {"type": "output_text", "text": "", "annotations": []}
_ROLES = {"developer": "system"}


def read(body: dict) -> Call:
    if "messages" in body:
        raise BadBody("Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to 'input'.")
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else want(body, "input", list, required=True)
    functions = [_function(tool) for tool in want(body, "tools", list, []) if tool.get("type") == "function"]
    told = {"previous_response_id": body.get("previous_response_id"), "store": body.get("store") is not False}
    prompt, messages = chat([_message(item) for item in items], want(body, "instructions", str, ""), functions)
    return Call(
        prompt=prompt,
        messages=messages,
        max_tokens=positive(body, "max_output_tokens", _DEFAULT_MAX_TOKENS),
        temperature=want(body, "temperature", NUMBER),
        top_p=want(body, "top_p", NUMBER),
        stream=want(body, "stream", bool, False),
        media_tokens=media_tokens(items),
        offer=openai_offer({**body, "tools": functions, "messages": _called(items)}),
        schema=_schema(want(want(body, "text", dict, {}), "format", dict, {})),
        options={"service_tier": want(body, "service_tier", str), "told": told},
    )


def _function(tool: dict) -> dict:
    """As chats have it."""
    return {"type": "function", "function": {key: tool.get(key) for key in ("name", "description", "parameters")}}


def _schema(form: dict) -> dict | bool | None:
    if form.get("type") == "json_schema":
        return want(form, "schema", dict, required=True)
    return {"type": "object"} if form.get("type") == "json_object" else None


def _message(item: typing.Any) -> dict:
    """An item of the input as a chat's message."""
    if not isinstance(item, dict):
        raise BadBody("#/input: expected type: JSONObject")
    match item.get("type", "message"):
        case "message":
            role = item.get("role")
            return {"role": _ROLES.get(role, role) if isinstance(role, str) else role, "content": item.get("content")}
        case "function_call":
            return {"role": "assistant", "content": f"{item.get('name')}{item.get('arguments', '')}"}
        case "function_call_output":
            return {"role": "tool", "content": item.get("output", "")}
        case "reasoning":
            return {"role": "assistant", "content": [p for p in item.get("content") or () if isinstance(p, dict)]}
    raise BadBody(f"Invalid value: '{item.get('type')}' for 'input[].type'.")


def _called(items: list) -> list[dict]:
    """The functions that the conversation has called, as a chat tells them."""
    names = [i.get("name") for i in items if isinstance(i, dict) and i.get("type") == "function_call"]
    return [{"tool_calls": [{"function": {"name": name}} for name in names]}]


# --- the answer ---


def _id(a, of: str, number: int = 0) -> str:
    return f"{of}_{a.request_id.replace('-', '')}{number:02}"


def _response(a, status: str, output: list[dict]) -> dict:
    return {
        "id": _id(a, "resp"),
        "object": "response",
        "created_at": a.created,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "max_output_tokens": a.call.max_tokens,
        "model": a.target_name,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": a.call.temperature,
        "tool_choice": "auto",
        "tools": [],
        "top_p": a.call.top_p,
        "metadata": {},
        "usage": _usage(a) if a.reports_usage and status in ("completed", "incomplete") else None,
        **a.call.options["told"],
        **tier(a),
    }


def _usage(a) -> dict:
    cached = cache_counts(a, "cached_tokens", "cache_write_tokens") or {"cached_tokens": 0}
    return {
        "input_tokens": a.prompt_tokens,
        "input_tokens_details": cached,
        "output_tokens": a.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": min(a.reasoning_tokens, a.completion_tokens)},
        "total_tokens": a.prompt_tokens + a.completion_tokens,
    }


def _reasoning(a, text: str | None) -> dict:
    content = [] if text is None else [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "id": _id(a, "rs"), "summary": [], "content": content}


def _text(a, text: str | None) -> dict:
    content = [] if text is None else [_TEXT | {"text": text}]
    status = "in_progress" if text is None else "completed"
    return {"type": "message", "id": _id(a, "msg"), "role": "assistant", "status": status, "content": content}


def _function_call(a, number: int, arguments: str, status: str = "completed") -> dict:
    return {
        "type": "function_call",
        "id": _id(a, "fc", number),
        "call_id": _id(a, "call", number),
        "name": a.call.tools[number].name,
        "arguments": arguments,
        "status": status,
    }


def _output(a) -> list[dict]:
    items = [_reasoning(a, thought(a))] if thought(a) else []
    calls = made(a)
    if said(a) and not calls:
        items.append(_text(a, said(a)))
    return items + [_function_call(a, m.number, m.text) for m in calls]


def _status(a) -> str:
    return "incomplete" if a.stop == "length" else "completed"


def whole(a) -> dict:
    return _response(a, _status(a), _output(a))


# --- its stream ---


def _event(a, kind: str, type_: str, **members: typing.Any) -> Piece:
    number, a.sequence = a.sequence, a.sequence + 1
    return named(kind, {"type": f"response.{type_}", "sequence_number": number, **members})


def _at(a, item: dict) -> dict:
    """Where an item stands in the output."""
    first = 1 if a.reasoning_tokens else 0
    place = {"reasoning": 0, "message": first}.get(item["type"])
    if place is None:
        place = first + int(item["id"][-2:])
    return {"item_id": item["id"], "output_index": place}


def _added(a, item: dict) -> Piece:
    return _event(a, "start", "output_item.added", output_index=_at(a, item)["output_index"], item=item)


def _done(a, item: dict) -> Piece:
    return _event(a, "start", "output_item.done", output_index=_at(a, item)["output_index"], item=item)


def opening(a) -> list[Piece]:
    begun = _response(a, "in_progress", [])
    pieces = [_event(a, "start", "created", response=begun), _event(a, "start", "in_progress", response=begun)]
    if a.reasoning_tokens:
        return [*pieces, _added(a, _reasoning(a, None))]
    return pieces if a.call.tools else [*pieces, *_text_begins(a)]


def _text_begins(a) -> list[Piece]:
    item = _text(a, None)
    return [_added(a, item), _event(a, "start", "content_part.added", **_at(a, item), content_index=0, part=_TEXT)]


def _text_ends(a) -> list[Piece]:
    item, text = _text(a, said(a)), said(a)
    place = _at(a, item) | {"content_index": 0}
    return [
        _event(a, "start", "output_text.done", **place, text=text, logprobs=[]),
        _event(a, "start", "content_part.done", **place, part=_TEXT | {"text": text}),
        _done(a, item),
    ]


def _thought_ends(a) -> list[Piece]:
    item = _reasoning(a, thought(a))
    place = _at(a, item) | {"content_index": 0}
    return [_event(a, "start", "reasoning_text.done", **place, text=thought(a)), _done(a, item)]


def _call_ends(a, call: Made) -> list[Piece]:
    item = _function_call(a, call.number, call.text)
    told = {"name": call.tool.name, "arguments": call.text}
    return [_event(a, "start", "function_call_arguments.done", **_at(a, item), **told), _done(a, item)]


def delta(a, text: str, token_id: int) -> list[Piece]:
    if thinks(a):
        place = _at(a, _reasoning(a, None)) | {"content_index": 0}
        return [_event(a, "delta", "reasoning_text.delta", **place, delta=text)]
    pieces = _thought_ends(a) if first_said(a) else []
    if a.call.tools:
        return pieces + _call_delta(a, text)
    pieces += _text_begins(a) if first_said(a) else []
    place = _at(a, _text(a, None)) | {"content_index": 0}
    return [*pieces, _event(a, "delta", "output_text.delta", **place, delta=text, logprobs=[])]


def _call_delta(a, text: str) -> list[Piece]:
    number, first = newest(a)
    item, pieces = _function_call(a, number, "", "in_progress"), []
    if first:
        pieces = _call_ends(a, made(a)[number - 1]) if number else []
        pieces.append(_added(a, item))
    return [*pieces, _event(a, "delta", "function_call_arguments.delta", **_at(a, item), delta=text)]


def closing(a) -> list[Piece]:
    pieces: list[Piece] = []
    calls = made(a)
    if a.reasoning_tokens and thinks(a):
        pieces = _thought_ends(a)
    elif calls:
        pieces = _call_ends(a, calls[-1])
    elif not a.call.tools:
        pieces = _text_ends(a)
    status = _status(a)
    return [*pieces, _event(a, "close", status, response=_response(a, status, _output(a)))]


def too_long(prompt_tokens: int, max_tokens: int, limit: int) -> str:
    return f"Your input exceeds the context window of this model: {prompt_tokens} and {max_tokens} of {limit} tokens."
