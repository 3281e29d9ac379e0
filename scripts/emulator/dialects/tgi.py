"""Hugging Face Text Generation Inference on SageMaker: `inputs` and `parameters`; server-sent events with one
token each.

The last line carries `generated_text` and the details. A stream counts its output tokens only, unless the endpoint sets
`report_input_length`. Without streaming, counts come only when `details` is asked for, as in TGI.
"""

from scripts.emulator.dialects import NUMBER, Call, Piece, positive, stops, want
from scripts.emulator.errors import BadBody
from scripts.emulator.frames import compact

STREAM_TYPE = "text/event-stream"
_STOP = {"length": "length", "stop": "eos_token", "stop_sequence": "stop_sequence"}
_DEFAULT_MAX_NEW_TOKENS = 100
NO_LOGPROB = 0.0  # log probabilities are not modelled


def read(body: dict) -> Call:
    parameters = want(body, "parameters", dict, {})
    prompt = want(body, "inputs", str)
    if not prompt:
        raise BadBody("Input validation error: `inputs` cannot be empty")
    return Call(
        prompt=prompt,
        max_tokens=positive(parameters, "max_new_tokens", _DEFAULT_MAX_NEW_TOKENS),
        temperature=want(parameters, "temperature", NUMBER),
        top_p=want(parameters, "top_p", NUMBER),
        stop=stops(parameters, "stop") or stops(parameters, "stop_sequences"),
        schema=_grammar(parameters),
        seed=want(parameters, "seed", int),
        stream=want(body, "stream", bool, False),
        options={k: want(parameters, k, bool, False) for k in ("details", "return_full_text")},
    )


def _grammar(parameters: dict) -> dict | bool | None:
    """The JSON schema that the answer is to follow."""
    grammar = want(parameters, "grammar", dict, {})
    if grammar.get("type") not in ("json", "json_schema"):
        return None
    return want(grammar, "value", dict, required=True)


def _generated(a) -> str:
    return a.call.prompt + a.text() if a.call.options["return_full_text"] else a.text()


def _details(a) -> dict | None:
    if not a.reports_usage:
        return None
    return {"finish_reason": _STOP[a.stop], "generated_tokens": a.completion_tokens, "seed": a.call.seed}


def whole(a) -> list:
    out: dict = {"generated_text": _generated(a)}
    if a.call.options["details"] and (details := _details(a)):
        tokens = [{"id": i, "text": t, "logprob": NO_LOGPROB, "special": False} for t, i in a.tokens]
        out["details"] = {**details, "prefill": [], "tokens": tokens}
    return [out]


def opening(a) -> list[Piece]:
    return []


def _line(kind: str, a, text: str, token_id: int, special: bool, last: bool) -> Piece:
    details = _details(a) if last else None
    if details and a.target.report_input_length:
        details["input_length"] = a.prompt_tokens
    value = {
        "index": len(a.tokens) + special,
        "token": {"id": token_id, "text": text, "logprob": NO_LOGPROB, "special": special},
        "generated_text": _generated(a) if last else None,
        "details": details,
    }
    return Piece(kind, "PayloadPart", b"data:%b\n\n" % compact(value))


def delta(a, text: str, token_id: int) -> list[Piece]:
    """The line of a token; the token that reaches the limit waits for `closing`, for its line is the last one."""
    a.withheld = a.at_limit()
    return [] if a.withheld else [_line("delta", a, text, token_id, False, False)]


def closing(a) -> list[Piece]:
    if a.withheld:
        text, token_id = a.tokens[-1]
        return [_line("last", a, text, token_id, False, True)]
    if a.stop == "length":  # a last token without text of its own
        return [_line("close", a, "", 0, False, True)]
    return [_line("close", a, "</s>", 2, True, True)]


def refusal(text: str) -> tuple[int, dict]:
    """Status and body of the container's validation error."""
    return 422, {"error": text, "error_type": "validation"}


def too_long(prompt_tokens: int, max_tokens: int, limit: int) -> str:
    return (
        f"Input validation error: `inputs` tokens + `max_new_tokens` must be <= {limit}. "
        f"Given: {prompt_tokens} `inputs` tokens and {max_tokens} `max_new_tokens`"
    )
