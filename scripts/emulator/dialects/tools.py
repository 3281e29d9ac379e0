"""Calls of tools: which of those that a request offers an answer calls, and what of its tokens belongs to which call.

A tool that is demanded is called; where the request leaves it open, the target's `tool_calls` decides, but families that
know no demand call what is offered. Tools that the
conversation has called already come last, so that a client which goes on until no tool is called comes to an end.
"""

import json
import typing

from scripts.emulator.dialects import Call, Offer, Tool, want
from scripts.emulator.errors import BadBody


class Made(typing.NamedTuple):
    """One call of an answer: its number among the calls, and its input as JSON text."""

    number: int
    tool: Tool
    text: str

    def value(self) -> dict:
        """The input; empty where the token limit cut it off."""
        try:
            return json.loads(self.text)
        except ValueError:
            return {}


#: families of Bedrock that take no `toolChoice`: what is offered to them is meant to be called
_NO_CHOICE = ("llama", "mistral", "cohere-command", "cohere-command-r")


def choose(call: Call, target) -> None:
    """Decide which tools the answer calls."""
    offer = call.offer
    if offer is None or not offer.tools:
        return
    freely = target.tool_calls or int(getattr(target, "family", None) in _NO_CHOICE)
    fresh = [tool for tool in offer.tools if tool.name not in offer.called]
    count = max(freely, 1) if offer.demanded else freely if fresh else 0
    pool = fresh or offer.tools[-1:]
    call.tools = [pool[i % len(pool)] for i in range(count if offer.parallel else min(count, 1))]
    call.tools = call.tools[: call.max_tokens]


def converse_offer(body: dict) -> Offer | None:
    """Of Converse's bodies, and Nova's. Raises BadBody."""
    config = want(body, "toolConfig", dict, {})
    specs = [t["toolSpec"] for t in want(config, "tools", list, []) if isinstance(t, dict) and "toolSpec" in t]
    tools = [Tool(want(spec, "name", str, required=True), _inner(spec)) for spec in specs]
    choice = want(config, "toolChoice", dict, {})
    name = want(choice["tool"], "name", str, required=True) if isinstance(choice.get("tool"), dict) else None
    called = _called(body, lambda b: b["toolUse"]["name"])
    return offered(tools, name, "any" in choice or "tool" in choice, True, called)


def _inner(spec: dict) -> typing.Any:
    schema = want(spec, "inputSchema", dict, required=True).get("json")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise BadBody("#/toolConfig: inputSchema.json.type must be one of the following: object")
    return schema


def offered(
    tools: list[Tool], name: str | None, demanded: bool, parallel: bool, called: frozenset[str]
) -> Offer | None:
    """name: the only tool that may be called. Raises BadBody where a tool is demanded that is not there."""
    if name is not None:
        tools = [tool for tool in tools if tool.name == name][:1]
    if demanded and not tools:
        raise BadBody(f"the tool choice {name or 'any'} names no tool of this request")
    return Offer(tools, demanded, parallel, frozenset() if name else called) if tools else None


def _called(body: dict, name_of: typing.Callable[[dict], str]) -> frozenset[str]:
    """The names of the tools that the conversation has called."""
    contents = [m.get("content") for m in body.get("messages") or () if isinstance(m, dict)]
    names = set()
    for block in (b for content in contents if isinstance(content, list) for b in content):
        try:
            names.add(name_of(block))
        except (LookupError, TypeError):
            continue
    return frozenset(n for n in names if isinstance(n, str))


def claude_offer(body: dict) -> Offer | None:
    """Of Claude's Messages; a tool of Anthropic's own has no schema. Raises BadBody."""
    tools = []
    for tool in want(body, "tools", list, []):
        if not isinstance(tool, dict):
            raise BadBody("#/tools: expected type: JSONObject")
        tools.append(Tool(want(tool, "name", str, required=True), tool.get("input_schema", {"type": "object"})))
    choice = want(body, "tool_choice", dict, {})
    kind = want(choice, "type", str, "auto")
    if kind not in ("auto", "any", "tool", "none"):
        raise BadBody(f"#/tool_choice/type: {kind} is not a valid enum value")
    if kind == "none":
        return None
    name = want(choice, "name", str, required=True) if kind == "tool" else None
    called = _called(body, lambda b: b["name"] if b["type"] == "tool_use" else None)  # type: ignore[arg-type,return-value]
    return offered(tools, name, kind in ("any", "tool"), not choice.get("disable_parallel_tool_use"), called)


def openai_offer(body: dict) -> Offer | None:
    """Of OpenAI's chats: `tool_choice` none, auto, required (Mistral: any), a function's name, or a choice of some.
    Raises BadBody."""
    tools = []
    for tool in want(body, "tools", list, []):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict):
            raise BadBody("#/tools: each needs a `function`")
        tools.append(Tool(want(function, "name", str, required=True), function.get("parameters") or {"type": "object"}))
    choice, name = body.get("tool_choice") or "auto", None
    if isinstance(choice, dict):
        if "allowed_tools" in choice:
            allowed = choice["allowed_tools"]
            names = [t.get("function", t).get("name") for t in allowed.get("tools", ())]
            tools, choice = [t for t in tools if t.name in names], allowed.get("mode", "auto")
        else:
            name = (choice.get("function") or choice).get("name")
            choice = "required"
            if not isinstance(name, str):
                raise BadBody("#/tool_choice: names no function")
    if choice not in ("none", "auto", "required", "any"):
        raise BadBody(f"#/tool_choice: {choice} is not one of none, auto, required and a function")
    if choice == "none":
        return None
    calls = [c for m in body.get("messages") or () if isinstance(m, dict) for c in m.get("tool_calls") or ()]
    called = frozenset(c["function"]["name"] for c in calls if isinstance(c, dict) and "name" in c.get("function", {}))
    return offered(tools, name, choice in ("required", "any"), body.get("parallel_tool_calls") is not False, called)


# --- of an answer in progress ---


def made(a) -> list[Made]:
    """The calls so far."""
    calls, start = [], a.reasoning_tokens
    for index, (tool, end) in enumerate(zip(a.call.tools, a.call_ends, strict=False)):
        if len(a.tokens) > start:
            calls.append(Made(index, tool, "".join(t for t, _ in a.tokens[start:end])))
        start = end
    return calls


def newest(a) -> tuple[int, bool]:
    """The number of the call that the newest token belongs to, and whether it is its first."""
    start = a.reasoning_tokens
    for index, end in enumerate(a.call_ends):
        if len(a.tokens) <= end:
            return index, len(a.tokens) == start + 1
        start = end
    raise IndexError("a token after the last call")
