"""AWS Large Model Inference (DJL) containers: `inputs` and `parameters`; JSON lines with one token each."""

from scripts.emulator.dialects import Call, Piece, tgi, want
from scripts.emulator.frames import compact

STREAM_TYPE = "application/jsonlines"
_STOP = {"length": "length", "stop": "eos_token", "stop_sequence": "stop_sequence"}


def read(body: dict) -> Call:
    """As TGI's, with what vLLM behind it knows: `min_tokens`, and `ignore_eos` under both of its names."""
    call, parameters = tgi.read(body), want(body, "parameters", dict, {})
    endless = any(want(parameters, key, bool, False) for key in ("ignore_eos", "ignore_eos_token"))
    call.min_tokens = call.max_tokens if endless else want(parameters, "min_tokens", int, 0)
    return call


def _details(a) -> dict:
    return {"finish_reason": _STOP[a.stop], "generated_tokens": a.completion_tokens, "inputs": a.call.prompt}


def whole(a) -> dict:
    out = {"generated_text": a.text()}
    if a.call.options["details"] and a.reports_usage:
        out["details"] = {
            **_details(a),
            "tokens": [{"id": i, "text": t, "log_prob": tgi.NO_LOGPROB} for t, i in a.tokens],
        }
    return out


def opening(a) -> list[Piece]:
    return []


def _line(kind: str, token: dict, extra: dict) -> Piece:
    return Piece(kind, "PayloadPart", compact({"token": token, **extra}) + b"\n")


def delta(a, text: str, token_id: int) -> list[Piece]:
    """The line of a token; the token that reaches the limit waits for `closing`, for its line is the last one."""
    a.withheld = a.at_limit()
    return [] if a.withheld else [_line("delta", {"id": token_id, "text": text, "log_prob": tgi.NO_LOGPROB}, {})]


def closing(a) -> list[Piece]:
    extra = {"generated_text": a.text()}
    if a.call.options["details"] and a.reports_usage:
        extra["details"] = _details(a)
    if a.withheld:
        text, token_id = a.tokens[-1]
        return [_line("last", {"id": token_id, "text": text, "log_prob": tgi.NO_LOGPROB}, extra)]
    return [_line("close", {"id": 2, "text": "", "log_prob": tgi.NO_LOGPROB}, extra)]


def refusal(text: str) -> tuple[int, dict]:
    return 424, {"error": text, "code": 424}


too_long = tgi.too_long
