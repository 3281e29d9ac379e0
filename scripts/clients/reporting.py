"""What the clients' scripts share, in whatever interpreter: the endpoint's names, and `check`, which tries one thing and says
how it went."""

import base64
import json
import os
from collections.abc import Callable

URL = os.environ.get("LOCAL_ENDPOINT", "http://127.0.0.1:8800")
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
OPENAI, CHAT_ENDPOINT, TGI_ENDPOINT, EMBEDDING = "sim", "chat-ep", "tgi-ep", "amazon.titan-embed-text-v2:0"
PROMPT, TOKENS = "How far is it to the harbour?", 12
#: a picture of one point, and a document
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12P4z8AAAAMBAQAY3Y2wAAAAAElFTkSuQmCC")
TEXT_FILE = b"Ferries leave the harbour at 9:00."
MESSAGES = [{"role": "user", "content": PROMPT}]
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "days", "unit"],
    "additionalProperties": False,
}


def check(column: str, body: Callable[[], object]) -> None:
    """Runs `body`, which asserts; its outcome is a line that the table is made of."""
    try:
        body()
    except Exception as e:
        text = " ".join(str(e).split())
        outcome = f"{type(e).__name__}: {text}" if text else type(e).__name__
    else:
        outcome = "works"
    print("check", json.dumps({"column": column, "outcome": outcome}), flush=True)


def is_text(text: object, tokens: int | None = None) -> None:
    """Words, and as many tokens as were asked for, where the client tells."""
    assert isinstance(text, str), f"text is {text!r}"
    assert len(text.split()) > 3, f"text is {text!r}"
    if tokens is not None:
        assert tokens == TOKENS, f"{tokens} output tokens where {TOKENS} were asked for"


def is_stream(pieces: list) -> None:
    """Several pieces, which are text together."""
    assert len(pieces) > 3, f"only {len(pieces)} pieces"
    is_text("".join(pieces))


def is_vector(values: list) -> None:
    assert len(values) >= 16 and all(isinstance(value, float) for value in values), f"the vector is {values!r}"


def is_forecast(value: object) -> None:
    """What SCHEMA demands: a dict, or an object with these attributes."""
    found = (
        value if isinstance(value, dict) else {name: getattr(value, name, None) for name in ("city", "days", "unit")}
    )
    assert isinstance(found.get("city"), str), f"the tool was called with {value!r}"
    assert isinstance(found.get("days"), int), f"the tool was called with {value!r}"
    assert str(getattr(found.get("unit"), "value", found.get("unit"))) in ("celsius", "fahrenheit"), f"{value!r}"
