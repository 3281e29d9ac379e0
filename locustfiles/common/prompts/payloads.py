"""Payload files: JSON lines in, prompts out, and each user's own seeded order of them.

One line is one prompt, `{"prompt": "…"}`, `{"inputs": "…"}`, `{"query": "…", "documents": ["…"]}` or
`{"messages": [{"role": "user", "content": "…"}]}` (`messages` and `forms` say what may be in them), or a conversation as
`conversations` has it, `{"turns": […], "system": "…"}`; with optional `id`, `prompt_tokens`, `parameters`, `base64_img` (an image
that is sent behind the text) and `ground_truth` and `question` (kept in the file for other tools, not sent).
"""

import dataclasses
import pathlib
import typing

from locustfiles.common.prompts.asked import NOTHING, Asked
from locustfiles.common.prompts.conversations import Turn, turns_of
from locustfiles.common.prompts.foreign_lines import foreign
from locustfiles.common.prompts.forms import Form, forms_of
from locustfiles.common.prompts.images import image_of
from locustfiles.common.prompts.line_values import id_of, object_of, parameters_of, text_of
from locustfiles.common.prompts.media import with_files
from locustfiles.common.prompts.messages import check_content, checked_messages, texts_of
from locustfiles.common.prompts.shuffled_blocks import ShuffledBlocks
from locustfiles.contract.bad_input import BadInput

_TEXT_KEYS = ("prompt", "inputs", "query")
_IMAGE_KEY = "base64_img"
_PLAIN = {"type", "text", "cachePoint", "cache_control"}  # keys of parts that are texts and cache points
_KINDS = (*_TEXT_KEYS, "messages", "turns")
_KEYS = (*_KINDS, *f"system id prompt_tokens parameters documents {_IMAGE_KEY} ground_truth question".split())


class BadPayload(BadInput):
    """A payload file, or a prompt for this target, that cannot be used; the text names place and remedy."""


@dataclasses.dataclass(frozen=True, slots=True)
class Prompt:
    """One line of a payload file: `text` or `messages`, the other is None. Of a conversation it is what its first turn sends."""

    id: str
    text: str | None
    # {"role": system | user | assistant, "content": str | [{"type": "text", "text": str} | image_url | {"cachePoint": {…}}]}, or
    # as one API has its own
    messages: list[dict] | None
    prompt_tokens: int | None = None  # what the file says; a service's own count goes before it
    parameters: dict = dataclasses.field(default_factory=dict)  # these override the target's
    line: int | None = dataclasses.field(default=None, compare=False)  # of its file
    files: tuple[pathlib.Path, ...] = ()  # whose bytes are in the messages
    documents: tuple[str, ...] | None = None  # to be ranked by `text`, the query
    turns: tuple[Turn, ...] = ()  # of a conversation

    def turn(self, number: int) -> "Prompt":
        """What a conversation's turn (from 1) says by itself, below its system prompt."""
        return self._sending(number, [self.turns[number - 1].message])

    def so_far(self, number: int, unsaid: typing.Collection[int] = ()) -> "Prompt":
        """What the user and the tools have said up to that turn, but for turns that are `unsaid`, without the answers."""
        said = [turn.message for n, turn in enumerate(self.turns[:number], 1) if n not in unsaid]
        return self._sending(number, said)

    def _sending(self, number: int, said: list[dict]) -> "Prompt":
        tokens, asked = (self.prompt_tokens, self.asked) if number == 1 else (None, NOTHING)
        messages, parameters = [*self.led_by, *said], self.turns[number - 1].parameters
        return dataclasses.replace(self, messages=messages, prompt_tokens=tokens, parameters=parameters, asked=asked)

    @property
    def requests(self) -> list["Prompt"]:
        """Itself, or of a conversation each turn by itself."""
        return [self.turn(n + 1) for n in range(len(self.turns))] or [self]

    asked: Asked = NOTHING

    @property
    def texts(self) -> list[str]:
        """Its text, or those of its messages."""
        if self.text is not None:
            return [self.text, *(self.documents or ())]
        return [text for m in self.messages or () for text in texts_of(m.get("content"))]

    @property
    def forms(self) -> frozenset[Form]:
        """The APIs' forms in which its messages can be sent."""
        return forms_of(self.messages)

    @property
    def led_by(self) -> list[dict]:
        """The system messages before all others."""
        messages = self.messages or []
        return messages[: next((n for n, m in enumerate(messages) if m.get("role") != "system"), len(messages))]

    @property
    def told_later(self) -> bool:
        """Whether a system message stands behind others."""
        return any(m.get("role") == "system" for m in (self.messages or [])[len(self.led_by) :])

    @property
    def cached(self) -> bool:
        """Whether a prompt-cache point is in the messages."""
        return any("cachePoint" in part for part in self._parts)

    @property
    def cache_ttls(self) -> set[str | None]:
        """For how long its cache points and Anthropic's marks keep what is before them; None is the service's usual time."""
        marks = (part.get("cachePoint") or part.get("cache_control") for part in self._parts)
        return {mark.get("ttl") for mark in marks if isinstance(mark, dict)}

    @property
    def pictured(self) -> bool:
        """Whether an image that all chats take is in the messages."""
        return any(part.get("type") == "image_url" for part in self._parts)

    @property
    def plain(self) -> bool:
        """Whether it is texts alone, which a tokenizer can count."""
        messages = self.messages or []
        own = any(m.keys() - {"role", "content", "name"} or type(m.get("content")) is dict for m in messages)
        return not own and all(part.keys() <= _PLAIN for part in self._parts)

    @property
    def _parts(self) -> typing.Iterator[dict]:
        """Of the contents that are no plain text."""
        contents = (m.get("content") for m in self.messages or ())
        return (part for content in contents if type(content) is list for part in content)


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
            prompt = prompt_of(line, number, path.parent)
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


class Draws:
    """An endless iterator over prompts: a seeded shuffle of all of them, then the next shuffle.

    No prompt comes twice before each has come once. `seed_text` names the run's seed, the worker
    and the user, so that no two users walk the file in step.
    """

    def __init__(self, prompts: typing.Sequence[Prompt], seed_text: str) -> None:
        if not prompts:
            raise ValueError("no prompts to draw from")
        self._prompts, self._numbers = prompts, ShuffledBlocks([1] * len(prompts), seed_text)

    def __iter__(self) -> typing.Self:
        return self

    def __next__(self) -> Prompt:
        return self._prompts[next(self._numbers)]


def prompt_of(line: str, number: int, folder: pathlib.Path = pathlib.Path()) -> Prompt:
    """One line as a prompt; files that it names are looked up from the folder. Raises ValueError with what is wrong and the remedy."""
    row = object_of(line)
    unknown = next((key for key in row if key not in _KEYS), None)
    if unknown is not None:
        raise ValueError(foreign(row) or f"unknown key `{unknown}`; known are {', '.join(_KEYS)}")
    kinds = [key for key in _KINDS if key in row]
    if not kinds:
        raise ValueError('no prompt text; add `"prompt": "…"`')
    files: list[pathlib.Path] = []
    if len(kinds) > 1:
        raise ValueError(f"both `{kinds[0]}` and `{kinds[1]}`; keep one")
    for kind in ("messages", "turns"):
        if kind in row:
            row[kind], files = with_files(row[kind], folder)
    text, messages, turns = _said(row, kinds[0])
    documents = _documents(row.get("documents"), kinds[0])
    if row.get(_IMAGE_KEY) is not None:
        text, messages = None, _with_image(row, text)
    tokens = row.get("prompt_tokens")
    if tokens is not None and (type(tokens) is not int or tokens < 1):
        raise ValueError("`prompt_tokens` must be a whole number of at least 1")
    parameters = turns[0].parameters if turns else parameters_of(row.get("parameters"))
    id_ = id_of(row.get("id"), number)
    return Prompt(id_, text, messages, tokens, parameters, number, tuple(files), documents, turns)


def _said(row: dict, kind: str) -> tuple[str | None, list[dict] | None, tuple[Turn, ...]]:
    """What the line sends, by its text, its messages or its turns."""
    if "system" in row and kind != "turns":
        raise ValueError("`system` stands beside `turns` alone; write it as a message of role system")
    if kind == "messages":
        return None, checked_messages(row["messages"]), ()
    if kind != "turns":
        return text_of(row[kind], kind), None, ()
    turns = turns_of(row["turns"], check_content, parameters_of(row.get("parameters")))
    system = [{"role": "system", "content": text_of(row["system"], "system")}] if "system" in row else []
    return None, [*system, turns[0].message], turns


def _with_image(row: dict, text: str | None) -> list[dict]:
    """One message of the line's text and the image behind it, as FMBench sends them."""
    if text is None or not isinstance(row[_IMAGE_KEY], str):
        raise ValueError(f"`{_IMAGE_KEY}` must be the base64 of an image beside `inputs` or `prompt`")
    parts = [{"type": "text", "text": text}, image_of(row[_IMAGE_KEY]).part]
    return [{"role": "user", "content": parts}]


def _documents(value: object, kind: str) -> tuple[str, ...] | None:
    """What is to be ranked by a `query`."""
    if kind != "query" and value is None:
        return None
    if (
        kind != "query"
        or not isinstance(value, list)
        or not value
        or not all(isinstance(d, str) and d.strip() for d in value)
    ):
        raise ValueError(
            '`query` and `documents` belong together: {"query": "…", "documents": ["…", "…"]}, the list of texts'
        )
    return tuple(value)
