"""What a record says of one answer: its times, transport facts, error and token counts."""

import typing

from locustfiles.common.calls.answered_by import answered_by
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.common.transport.exchange import Exchange
from locustfiles.contract.error_classes import ErrorClass, OwnCode
from locustfiles.contract.keys import redact
from locustfiles.contract.record import GUARDRAIL_STOP
from locustfiles.contract.scenario.families import BY_THE_PIECE
from locustfiles.contract.scenario.targets import BedrockTarget, Target


def outcome(exchange: Exchange, parsed: ParsedAnswer) -> dict[str, typing.Any]:
    """Times, transport facts and the error of one answer."""
    sent = exchange.sent_at
    error, code, message = _why(exchange, parsed)
    return {
        "latency_ms": elapsed_ms(sent, exchange.done_at),
        "accepted_ms": elapsed_ms(sent, exchange.accepted_at),
        "ttft_ms": elapsed_ms(sent, parsed.first_output),
        "ttft_visible_ms": elapsed_ms(sent, parsed.first_visible),
        "last_token_ms": elapsed_ms(sent, parsed.last_output),
        "chunks": parsed.output_chunks,
        "max_gap_ms": None if parsed.max_gap_s is None else parsed.max_gap_s * 1000,
        "gaps": parsed.gaps,
        "reconnect": exchange.reconnect,
        "response_bytes": exchange.response_bytes,
        "request_bytes": exchange.request_bytes,
        "stop_reason": parsed.stop_reason,
        "http_status": exchange.status,
        "request_id": parsed.request_id,
        "service_latency_ms": parsed.service_latency_ms,
        "service_ttft_ms": parsed.service_ttft_ms,
        "served_latency": parsed.served_latency,
        "served_tier": parsed.served_tier,
        "invoked_model": parsed.invoked_model,
        "billed_units": parsed.billed_units,
        "guardrail_units": parsed.guardrail_units,
        "guardrail_reason": parsed.guardrail_reason,
        "guardrail_coverage": parsed.guardrail_coverage,
        **answered_by(exchange.headers),
        "error": error.value if error else None,
        "error_code": code,
        "error_message": redact(message),
        "lag_ms": exchange.lag_s * 1000,
        "stamp_delay_ms": None if exchange.stamp_delay_s is None else exchange.stamp_delay_s * 1000,
    }


def token_counts(
    counter: Counter | None, target: Target, prompt: Prompt, parsed: ParsedAnswer, before: int = 0
) -> dict[str, typing.Any]:
    """Token counts: the service's, else the target's tokenizer's, else (prompt only) the payload line's. before: by the
    tokenizer, what of the request is not in the prompt: a conversation's answers.

    A service's 0 for a prompt that was in no cache, or for output that came, is no count, unless a guardrail spoke and
    no model did, or it embeds what has no text: of an image it counts none.
    """
    textless = isinstance(target, BedrockTarget) and target.family in BY_THE_PIECE and not prompt.texts
    spoken = parsed.stop_reason != GUARDRAIL_STOP and not textless
    # it counts texts alone
    counted_prompt = counter.prompt(target, prompt) + before if counter and prompt.plain else None
    counted_text = counter.text(parsed.text) if counter and parsed.text else None
    prompt_tokens, prompt_source = parsed.prompt_tokens, "service"
    if prompt_tokens is None or (
        prompt_tokens == 0 and spoken and not (parsed.cache_read_tokens or parsed.cache_write_tokens)
    ):
        prompt_tokens, prompt_source = counted_prompt, "tokenizer"
    if prompt_tokens is None:
        prompt_tokens, prompt_source = 0 if textless else prompt.prompt_tokens, "payload"
    completion_tokens, source = parsed.completion_tokens, "service"
    if completion_tokens is None or (
        completion_tokens == 0 and spoken and (parsed.text or parsed.first_output is not None)
    ):
        completion_tokens, source = counted_text, "tokenizer"
    return {
        "prompt_tokens": prompt_tokens,
        "prompt_token_source": prompt_source if prompt_tokens is not None else "none",
        "completion_tokens": completion_tokens,
        "token_source": source if completion_tokens is not None else "none",
        "cache_read_tokens": parsed.cache_read_tokens,
        "cache_write_tokens": parsed.cache_write_tokens,
        "cache_write_1h_tokens": _written_for_an_hour(target, prompt, parsed),
        "reasoning_tokens": parsed.reasoning_tokens,
        "hidden_reasoning": int(parsed.hidden_reasoning),
        "tokenizer_prompt_tokens": counted_prompt,
        "tokenizer_completion_tokens": counted_text,
    }


def _written_for_an_hour(target: Target, prompt: Prompt, parsed: ParsedAnswer) -> int | None:
    """As the service says. Where it says only how much was written: all of it if the request asks for an hour alone, none if it
    asks for no hour, for five minutes is the usual time. None: how much is which is not known."""
    told, written = parsed.cache_write_1h_tokens, parsed.cache_write_tokens
    if told is not None or not written:
        return told
    asked = prompt.cache_ttls | (
        {target.cache_ttl} if isinstance(target, BedrockTarget) and target.cache_system else set()
    )
    parameters = target.parameters | prompt.parameters
    elsewhere = {"tools", "toolConfig"} & parameters.keys()  # may have some of their own
    unseen = isinstance(target, BedrockTarget) and ":prompt/" in target.model_id  # its text is not in the request
    if parsed.unclear_cache_time or unseen:
        return None
    if asked == {"1h"} and not elsewhere:
        return written
    return None if "1h" in asked or _has_hour(parameters) else 0


def _has_hour(value: object) -> bool:
    """Whether a `ttl` of an hour stands anywhere in a body."""
    if isinstance(value, dict):
        return value.get("ttl") == "1h" or any(map(_has_hour, value.values()))
    return isinstance(value, list) and any(map(_has_hour, value))


def _why(exchange: Exchange, parsed: ParsedAnswer) -> tuple[ErrorClass | None, str | None, str | None]:
    """What broke on the way decides, unless the service itself said why before it hung up, or nobody can read it."""
    encoding = exchange.headers.get("content-encoding", "").strip()
    if parsed.error is not None and exchange.error is None and encoding.lower() not in ("", "identity"):
        message = f"the answer is compressed (Content-Encoding: {encoding[:20]}), which was not asked for"
        message += "; have the server, or a proxy before it, send it plain"
        if exchange.status is not None and exchange.status >= 300:
            return parsed.error, parsed.error_code, message
        return ErrorClass.BAD_RESPONSE, OwnCode.CONTENT_ENCODING, message
    told = exchange.error == ErrorClass.STREAM_BROKEN and parsed.error is not None and parsed.error_code is not None
    if exchange.error is None or told:
        return parsed.error, parsed.error_code, parsed.error_message
    return exchange.error, exchange.error_code, exchange.error_message


def elapsed_ms(since: float, at: float | None) -> float | None:
    """From one perf_counter reading to a later one."""
    return None if at is None else max(0.0, (at - since) * 1000)
