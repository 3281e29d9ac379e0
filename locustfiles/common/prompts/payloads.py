"""Payload files: JSON lines in, prompts out, and each user's own seeded order of them.

One line is one prompt, `{"prompt": "…"}`, `{"inputs": "…"}` or
`{"messages": [{"role": "user", "content": "…"}]}` (a content may be parts: `{"type": "text", "text": "…"}`, images as
`images` has them and, as a prompt-cache point, `{"cachePoint": {"type": "default"}}`), with optional `id`,
`prompt_tokens`, `parameters`, `base64_img` (an image that is sent behind the text) and `ground_truth` and `question`
(kept in the file for other tools, not sent).
"""

import dataclasses
import json
import pathlib
import random
import typing

from locustfiles.common.prompts.asked import NOTHING, Asked
from locustfiles.common.prompts.foreign_lines import foreign
from locustfiles.common.prompts.images import image_in, image_of
from locustfiles.contract.bad_input import BadInput

_TEXT_KEYS = ("prompt", "inputs")
_IMAGE_KEY = "base64_img"
_KEYS = (*_TEXT_KEYS, "messages", "id", "prompt_tokens", "parameters", _IMAGE_KEY, "ground_truth", "question")
_ROLES = ("system", "user", "assistant")
_CACHE_POINTS = [{"cachePoint": {"type": "default"} | ttl} for ttl in ({}, {"ttl": "5m"}, {"ttl": "1h"})]


class BadPayload(BadInput):
    """A payload file, or a prompt for this target, that cannot be used; the text names place and remedy."""


@dataclasses.dataclass(frozen=True, slots=True)
class Prompt:
    """One line of a payload file: `text` or `messages`, the other is None."""

    id: str
    text: str | None
    # {"role": system | user | assistant, "content": str | [{"type": "text", "text": str} | image_url | {"cachePoint": {…}}]}
    messages: list[dict] | None
    prompt_tokens: int | None = None  # what the file says; a service's own count goes before it
    parameters: dict = dataclasses.field(default_factory=dict)  # these override the target's
    asked: Asked = NOTHING

    @property
    def texts(self) -> list[str]:
        """Its text, or those of its messages."""
        if self.text is not None:
            return [self.text]
        return [text for m in self.messages or () for text in texts_of(m["content"])]

    @property
    def cached(self) -> bool:
        """Whether a prompt-cache point is in the messages."""
        return self._has("cachePoint")

    @property
    def cache_ttls(self) -> set[str | None]:
        """For how long its cache points keep what is before them; None is the service's usual time."""
        contents = (m["content"] for m in self.messages or () if type(m["content"]) is list)
        return {part["cachePoint"].get("ttl") for content in contents for part in content if "cachePoint" in part}

    @property
    def pictured(self) -> bool:
        """Whether an image is in the messages."""
        return self._has("image_url")

    def _has(self, key: str) -> bool:
        return any(key in part for m in self.messages or () if type(m["content"]) is list for part in m["content"])


def load_payload(path: str | pathlib.Path) -> list[Prompt]:
    """Read a payload file. Raises BadPayload with file, line and remedy."""
    path = pathlib.Path(path)
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as e:
        raise BadPayload(f"{path}: cannot be read ({e.strerror}); check the path") from None
    except UnicodeDecodeError as e:
        before = e.object[: e.start].count(b"\n")
        raise BadPayload(f"{path}:{before + 1}: not UTF-8 text; save the file as UTF-8") from None
    prompts: list[Prompt] = []
    lines_of: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            prompt = prompt_of(line, number)
        except ValueError as e:
            remedy = "" if ";" in str(e) else "; mend the line"
            raise BadPayload(f"{path}:{number}: {e}{remedy}") from None
        if prompt.id in lines_of:
            raise BadPayload(
                f"{path}:{number}: id `{prompt.id}` is also that of line {lines_of[prompt.id]}; "
                "give each line its own (a line without `id` has its line number)"
            )
        lines_of[prompt.id] = number
        prompts.append(prompt)
    if not prompts:
        raise BadPayload(f'{path}: no prompt in it; add lines like {{"prompt": "…"}}')
    return prompts


def texts_of(content: str | list[dict]) -> list[str]:
    """The texts of a message's content."""
    return [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]


class Draws:
    """An endless iterator over prompts: a seeded shuffle of all of them, then the next shuffle.

    No prompt comes twice before each has come once. `seed_text` names the run's seed, the worker
    and the user, so that no two users walk the file in step.
    """

    def __init__(self, prompts: typing.Sequence[Prompt], seed_text: str) -> None:
        if not prompts:
            raise ValueError("no prompts to draw from")
        self._random = random.Random(seed_text)
        self._order = list(prompts)
        self._next = len(self._order)

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> Prompt:
        if self._next == len(self._order):
            self._random.shuffle(self._order)
            self._next = 0
        self._next += 1
        return self._order[self._next - 1]


def prompt_of(line: str, number: int) -> Prompt:
    """One line as a prompt. Raises ValueError with what is wrong and the remedy."""
    row = _object(line)
    unknown = next((key for key in row if key not in _KEYS), None)
    if unknown is not None:
        raise ValueError(foreign(row) or f"unknown key `{unknown}`; known are {', '.join(_KEYS)}")
    kinds = [key for key in (*_TEXT_KEYS, "messages") if key in row]
    if not kinds:
        raise ValueError('no prompt text; add `"prompt": "…"`')
    if len(kinds) > 1:
        raise ValueError(f"both `{kinds[0]}` and `{kinds[1]}`; keep one")
    if kinds[0] == "messages":
        text, messages = None, _messages(row["messages"])
    else:
        text, messages = _text(row[kinds[0]], kinds[0]), None
    if row.get(_IMAGE_KEY) is not None:
        text, messages = None, _with_image(row, text)
    tokens = row.get("prompt_tokens")
    if tokens is not None and (type(tokens) is not int or tokens < 1):
        raise ValueError("`prompt_tokens` must be a whole number of at least 1")
    return Prompt(_id(row.get("id"), number), text, messages, tokens, _parameters(row.get("parameters")))


def _with_image(row: dict, text: str | None) -> list[dict]:
    """One message of the line's text and the image behind it, as FMBench sends them."""
    if text is None or not isinstance(row[_IMAGE_KEY], str):
        raise ValueError(f"`{_IMAGE_KEY}` must be the base64 of an image beside `inputs` or `prompt`")
    parts = [{"type": "text", "text": text}, image_of(row[_IMAGE_KEY]).part]
    return [{"role": "user", "content": parts}]


def _object(line: str) -> dict:
    try:
        row = json.loads(line, parse_constant=_no_constant)
        json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair cannot be sent
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair (\\ud800 to \\udfff) in a text; write the whole character") from None
    except (ValueError, RecursionError) as e:
        what = e.msg if isinstance(e, json.JSONDecodeError) else "nested too deep or a value out of range"
        raise ValueError(f"not valid JSON ({what}); one JSON object on each line") from None
    if not isinstance(row, dict):
        raise ValueError('not a JSON object; write the line as {"prompt": "…"}')
    return row


def _no_constant(name: str) -> typing.Never:
    raise ValueError(name)


def _id(value: object, number: int) -> str:
    if value is None:
        return str(number)
    if type(value) is int or (isinstance(value, str) and value.strip()):
        return str(value)
    raise ValueError("`id` must be a text or a whole number")


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"`{key}` must be a text")
    if not value.strip():
        raise ValueError(f"`{key}` is empty; write the prompt or remove the line")
    return value


def _messages(value: object) -> list[dict]:
    if not isinstance(value, list) or not value:
        raise ValueError('`messages` must be a list such as [{"role": "user", "content": "…"}]')
    for place, message in enumerate(value):
        where = f"messages[{place}]"
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise ValueError(f"`{where}` must have `role` and `content` and nothing else")
        if message["role"] not in _ROLES:
            raise ValueError(f"`{where}.role` must be one of {', '.join(_ROLES)}")
        if not isinstance(message["content"], list):
            _text(message["content"], f"{where}.content")
        elif not message["content"]:
            raise ValueError(f"`{where}.content` is empty; write the text or remove the message")
        for part in message["content"] if isinstance(message["content"], list) else ():
            _part(part, f"{where}.content")
    if all(message["role"] != "user" for message in value):
        raise ValueError("`messages` has no message of role user; add one")
    return value


def _part(part: object, where: str) -> None:
    if isinstance(part, dict) and set(part) == {"type", "text"} and part["type"] == "text":
        _text(part["text"], where)
    elif part not in _CACHE_POINTS and not (isinstance(part, dict) and image_in(part)):
        raise ValueError(
            f'`{where}` takes a text or parts like {{"type": "text", "text": "…"}}, {{"type": "image_url", "image_url": '
            '{"url": "data:image/png;base64,…"}} and {"cachePoint": {"type": "default"}}'
        )


def _parameters(value: object) -> dict:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError('`parameters` must be an object such as {"max_tokens": 100}')
    max_tokens = value.get("max_tokens", 1)
    if type(max_tokens) is not int or max_tokens < 1:
        raise ValueError("`parameters.max_tokens` must be a whole number of at least 1")
    for key in ("temperature", "top_p"):
        if type(value.get(key, 1)) not in (int, float):
            raise ValueError(f"`parameters.{key}` must be a number")
    stop = value.get("stop", [])
    if not isinstance(stop, str) and not (isinstance(stop, list) and all(isinstance(s, str) for s in stop)):
        raise ValueError("`parameters.stop` must be a text or a list of texts")
    return value
