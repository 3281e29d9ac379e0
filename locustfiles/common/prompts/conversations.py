"""Conversations of a payload: what is sent turn by turn, and what was answered when they were recorded.

A turn is `{"user": "…"}` (a text or parts, as a message has them) or `{"tool": {"name": "…", "content": "…"}}` (a list of
them where several tools were called): the recorded result of a tool, with `input`, what the tool was then called with, where
that is known. Either may have `assistant`, the recorded answer's text, `think_s` and `parameters`.
"""

import dataclasses
import typing

from locustfiles.common.prompts.line_values import parameters_of

_KEYS = ("user", "tool", "assistant", "think_s", "parameters")
_TOOL_KEYS = ("name", "content", "input")
_FORM = '[{"user": "…"}, {"user": "…"}]'


@dataclasses.dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered; `input`: of the recorded call, None where it is not known."""

    name: str
    content: str
    input: dict | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """What is sent next: `user`, the content of a message, or else `results`."""

    user: str | list[dict] | None = None
    results: tuple[ToolResult, ...] = ()
    answer: str | None = None  # as it was recorded
    think_s: float | None = None  # before it is sent
    parameters: dict = dataclasses.field(default_factory=dict)  # the line's with its own

    @property
    def message(self) -> dict:
        """As a user's message; the results of tools as their texts."""
        content = self.user if self.user is not None else "\n".join(result.content for result in self.results)
        return {"role": "user", "content": content}

    @property
    def calls_known(self) -> bool:
        """Whether the calls of tools that its results answer were recorded, too."""
        return all(result.input is not None for result in self.results)


def turns_of(value: object, check_content: typing.Callable[[object, str], None], own: dict) -> tuple[Turn, ...]:
    """`turns` of a line whose `parameters` are `own`; check_content(content, its place) is of a message's. Raises ValueError
    with what is wrong and the remedy."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"`turns` must be a list such as {_FORM}")
    turns = []
    for place, turn in enumerate(value):
        where = f"turns[{place}]"
        if not isinstance(turn, dict) or ("user" in turn) == ("tool" in turn):
            raise ValueError(f"`{where}` must be an object with `user` or `tool`, as in {_FORM}")
        unknown = next((key for key in turn if key not in _KEYS), None)
        if unknown is not None:
            raise ValueError(f"unknown key `{where}.{unknown}`; known are {', '.join(_KEYS)}")
        if "user" in turn:
            check_content(turn["user"], f"{where}.user")
        try:
            parameters = own | parameters_of(turn.get("parameters"))
        except ValueError as e:
            raise ValueError(f"`{where}`: {e}") from None
        results = _results(turn["tool"], f"{where}.tool") if "tool" in turn else ()
        turns.append(Turn(turn.get("user"), results, _answer(turn, where), _think_s(turn, where), parameters))
    if turns[0].user is None:
        raise ValueError("`turns[0]` must have `user`: nothing has called a tool before it")
    return tuple(turns)


def _answer(turn: dict, where: str) -> str | None:
    answer = turn.get("assistant")
    if answer is not None and not (isinstance(answer, str) and answer.strip()):
        raise ValueError(f"`{where}.assistant` must be the recorded answer's text; write it or remove the key")
    return answer


def _think_s(turn: dict, where: str) -> float | None:
    think_s = turn.get("think_s")
    if think_s is not None and (type(think_s) not in (int, float) or not 0 <= think_s < float("inf")):
        raise ValueError(f"`{where}.think_s` must be a number of seconds of at least 0")
    return think_s


def _results(value: object, where: str) -> tuple[ToolResult, ...]:
    given = value if isinstance(value, list) else [value]
    if not given:
        raise ValueError(f"`{where}` is empty; write what the tool answered")
    results = []
    for one in given:
        if not isinstance(one, dict) or not {"name", "content"} <= one.keys() <= set(_TOOL_KEYS):
            raise ValueError(f'`{where}` must be like {{"name": "…", "content": "…"}}, with `input` at most')
        name, content, called_with = one["name"], one["content"], one.get("input")
        if not (isinstance(name, str) and name.strip()):
            raise ValueError(f"`{where}.name` must be the tool's name")
        if not (isinstance(content, str) and content.strip()):
            raise ValueError(f"`{where}.content` must be the text that the tool answered")
        if called_with is not None and not isinstance(called_with, dict):
            raise ValueError(f"`{where}.input` must be an object, what the tool was called with")
        results.append(ToolResult(name, content, called_with))
    return tuple(results)
