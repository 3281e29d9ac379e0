"""Data sets in the forms in which they are published -> lines of a payload file.

| form | by | the prompt |
|---|---|---|
| sharegpt | `conversations` of `from` and `value` | the first turn of the user; with all turns, the messages up to the user's last one |
| mt-bench | `turns`, `question_id` | the first turn |
| longbench | `context`, `input` | the context, an empty line, the input |
| openai-batch | `custom_id`, `body` | the body's messages, prompt or input, and its sampling |
| bedrock-batch | `modelInput` | its messages, prompt or inputText, and its sampling |
| data-capture | `captureData` | what the endpoint was sent: its messages, prompt or inputs, and its sampling |
| llm-load-test | `question`, `tok_input_length` | the question after its system prompt; its lengths |
| alpaca | `instruction`, `output` | the instruction, an empty line, the input |
| fmbench | `question`, `base64_img` | the question and the image |
| messages | `messages` | the messages up to the user's last one |

Sources: the data sets' own cards on Hugging Face; OpenAI's and Bedrock's guides to batches; SageMaker's to data capture.
"""

import base64
import collections.abc
import json
import typing

from scripts.make_payloads.rows import Bad, Row

_ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant", "assistant": "assistant", "model": "assistant",
    "bing": "assistant", "bard": "assistant", "system": "system", "developer": "system",
}  # fmt: skip
#: sampling's names in the bodies of APIs and containers -> ours
_SAMPLING = {
    "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens", "max_new_tokens": "max_tokens", "maxTokens": "max_tokens",
    "max_output_tokens": "max_tokens", "max_gen_len": "max_tokens", "maxTokenCount": "max_tokens", "temperature": "temperature",
    "top_p": "top_p", "topP": "top_p", "stop": "stop", "stop_sequences": "stop", "stopSequences": "stop",
}  # fmt: skip


class Form(typing.NamedTuple):
    """`line(row, all_turns)` gives a payload line without its id. Raises Bad."""

    name: str
    keys: frozenset[str]  # by which a row is known
    line: collections.abc.Callable[[Row, bool], Row]


def _text(value: object) -> str:
    """Raises Bad."""
    if not isinstance(value, str) or not value.strip():
        raise Bad("no prompt text")
    return value


def _said(turns: object, role: str, text: str, all_turns: bool) -> Row:
    """A conversation, each of whose turns has these two keys. Raises Bad."""
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise Bad("no turns")
    known = [(_ROLES.get(str(turn.get(role)).lower()), turn.get(text)) for turn in turns]
    if any(of is None for of, _ in known):
        raise Bad("a turn of an unknown role")
    messages = [{"role": of, "content": said} for of, said in known]
    last = max((n for n, message in enumerate(messages) if message["role"] == "user"), default=None)
    if last is None:
        raise Bad("no turn of the user")
    if not all_turns:
        first = next(message for message in messages if message["role"] == "user")
        content = first["content"]
        return {"prompt": _text(content)} if isinstance(content, str) else {"messages": [first]}
    for message in messages[: last + 1]:
        if not isinstance(message["content"], list):
            _text(message["content"])
    return {"messages": messages[: last + 1]}


def _sharegpt(row: Row, all_turns: bool) -> Row:
    return _said(row["conversations"], "from", "value", all_turns)


def _messages(row: Row, all_turns: bool) -> Row:
    """Of chats; what stands before the user's last turn belongs to the prompt."""
    return _said(row["messages"], "role", "content", True)


def _mt_bench(row: Row, all_turns: bool) -> Row:
    if all_turns:
        raise Bad("its turns have no answers between them, so that all of them are no prompt")
    turns = row["turns"]
    return {"prompt": _text(turns[0] if isinstance(turns, list) and turns else None)}


def _joined(*texts: object) -> str:
    return _text("\n\n".join(text for text in texts if isinstance(text, str) and text.strip()))


def _body(body: object) -> Row:
    """A request's body, whatever API's. Raises Bad."""
    if not isinstance(body, dict):
        raise Bad("no body")
    inner = [
        body,
        *(
            body[key]
            for key in ("parameters", "inferenceConfig", "textGenerationConfig")
            if isinstance(body.get(key), dict)
        ),
    ]
    found = {
        _SAMPLING[key]: value for part in inner for key, value in part.items() if key in _SAMPLING and value is not None
    }
    more = {"parameters": found} if found else {}
    if isinstance(body.get("messages"), list):
        system = _plain(body.get("system"))
        first = [{"role": "system", "content": system}] if system else []
        turns = [
            m | {"content": _plain(m.get("content")) or m.get("content")}
            for m in body["messages"]
            if isinstance(m, dict)
        ]
        return _said([*first, *turns], "role", "content", True) | more
    for key in ("prompt", "inputs", "inputText", "input"):
        if isinstance(body.get(key), str):
            return {"prompt": _text(body[key])} | more
    raise Bad("a body with neither messages nor a text")


def _plain(content: object) -> str | None:
    """The text of content that is text alone, in a piece or in parts; None of any other."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
    ):
        return None
    return "\n".join(part["text"] for part in content)


def _captured(row: Row, all_turns: bool) -> Row:
    given = row["captureData"].get("endpointInput") if isinstance(row["captureData"], dict) else None
    if not isinstance(given, dict) or not isinstance(given.get("data"), str):
        raise Bad("no input was captured")
    try:
        data = base64.b64decode(given["data"]) if given.get("encoding") == "BASE64" else given["data"]
        return _body(json.loads(data))
    except ValueError as e:
        raise e if isinstance(e, Bad) else Bad("the captured input is no JSON") from None


def _llm_load_test(row: Row, all_turns: bool) -> Row:
    line: Row = {"prompt": _joined(row.get("system_prompt"), row["question"])}
    for key, ours in (("tok_input_length", "prompt_tokens"), ("tok_output_length", "max_tokens")):
        if type(row.get(key)) is int and row[key] > 0:
            line |= {ours: row[key]} if ours == "prompt_tokens" else {"parameters": {ours: row[key]}}
    return line


def _fmbench(row: Row, all_turns: bool) -> Row:
    return {"prompt": _text(row["question"]), "base64_img": _text(row["base64_img"])}


def _form(name: str, keys: str, line: collections.abc.Callable[[Row, bool], Row]) -> Form:
    return Form(name, frozenset(keys.split()), line)


#: the likelier first where a row has the keys of several
FORMS = (
    _form("sharegpt", "conversations", _sharegpt),
    _form("openai-batch", "custom_id body", lambda row, _: _body(row["body"])),
    _form("bedrock-batch", "modelInput", lambda row, _: _body(row["modelInput"])),
    _form("data-capture", "captureData", _captured),
    _form("mt-bench", "turns question_id", _mt_bench),
    _form("longbench", "context input", lambda row, _: {"prompt": _joined(row["context"], row["input"])}),
    _form("llm-load-test", "question tok_input_length", _llm_load_test),
    _form("fmbench", "question base64_img", _fmbench),
    _form("alpaca", "instruction output", lambda row, _: {"prompt": _joined(row["instruction"], row.get("input"))}),
    _form("messages", "messages", _messages),
)


def form_of(row: Row) -> Form | None:
    return next((form for form in FORMS if form.keys <= row.keys()), None)


def by_template(template: str) -> Form:
    """A prompt of a row's own columns: `Question: {question}`. Raises Bad for a row that lacks one."""

    def line(row: Row, all_turns: bool) -> Row:
        try:
            return {
                "prompt": _text(
                    template.format_map({key: "" if value is None else value for key, value in row.items()})
                )
            }
        except (KeyError, IndexError, ValueError, AttributeError) as e:
            raise e if isinstance(e, Bad) else Bad(f"the template finds nothing: {e}") from None

    return Form("template", frozenset(), line)
