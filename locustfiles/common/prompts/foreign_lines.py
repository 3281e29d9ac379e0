"""Lines of data sets and tools that are no payload lines of ours: each named, with the way to make them so."""

_TRACE = {"timestamp", "input_length"}
#: (keys by which a line is known, what it is, where its prompt stands)
_FORMS = (
    ({"turns", "question_id"}, "MT-bench", 'write its first turn as `"prompt"`'),
    ({"turns"}, "a conversation", 'write its first turn as `"prompt"`, or all so far as `"messages"`'),
    (
        {"conversations"},
        "ShareGPT",
        'write its first `value` as `"prompt"`, or all so far as `"messages"`',
    ),
    ({"body", "custom_id"}, "OpenAI's batch API", 'write `body.messages` as `"messages"`'),
    (
        {"modelInput"},
        "Bedrock's batch inference",
        'write the texts of `modelInput` as `"prompt"` or `"messages"`',
    ),
    (
        {"schemaVersion", "messages"},
        "Bedrock's fine-tuning",
        'write the texts of `messages` as `"prompt"` or `"messages"`',
    ),
    ({"contents"}, "Google's API", 'write the texts of `contents` as `"prompt"` or `"messages"`'),
    (
        _TRACE,
        "a trace, which has no prompt",
        "write its times and lengths as CSV for `load: {replay: FILE}`",
    ),
    ({"input", "context"}, "LongBench", 'write `context` and `input` into one `"prompt"`'),
    ({"instruction", "output"}, "Alpaca", 'write `instruction` and `input` into one `"prompt"`'),
    (
        {"question", "tok_input_length"},
        "llm-load-test",
        'write `question` as `"prompt"`, `tok_input_length` as `"prompt_tokens"`',
    ),
    (
        {"captureData"},
        "SageMaker's data capture",
        'write `captureData.endpointInput.data` as `"prompt"` or `"messages"`',
    ),
)
#: keys that hold a prompt elsewhere, the likelier first
_PROMPTS = (
    "question",
    "instruction",
    "input",
    "text",
    "query",
    "content",
    "inputText",
    "user_input",
    "problem",
    "text_input",
    "prompt",
    "user",
    "src",
    "turns",
)


def foreign(row: dict) -> str | None:
    """What the line is and which key holds its prompt; None where that cannot be told, or it has a prompt already."""
    turns = row.get("turns")
    if isinstance(turns, list) and turns and isinstance(turns[0], dict) and turns[0].keys() & {"user", "tool"}:
        return None  # a conversation of ours, with a key that is none
    for keys, what, remedy in _FORMS:
        if keys <= row.keys():
            command = "trace" if keys == _TRACE else "from"
            converts = f"python -m scripts.make_payloads {command} FILE converts it"
            return f"this is a line of {what}; {converts}, or {remedy}, without the other keys"
    if row.keys() & {"prompt", "inputs", "messages"}:
        return None
    named = {key.lower(): key for key, value in row.items() if isinstance(value, str)}  # `Prompt` is a prompt's, too
    found = next((named[key.lower()] for key in _PROMPTS if key.lower() in named), None)
    return (
        found
        and f"no prompt text; it seems to be in `{found}`: python -m scripts.make_payloads from FILE --prompt {found} converts the file, "
        'or write it as `"prompt"`, without the other keys'
    )
