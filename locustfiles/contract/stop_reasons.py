"""Stop reasons by which an answer is not what was asked for: filtered, refused, malformed, or out of room for itself.

Such an answer is a success of the service: it came whole. How many there are is told, and a limit may be set on their share.
`max_tokens` and `length` are none of them: they are how most answers of a load test end.
"""

#: in lower case: Converse's, Claude's, OpenAI's, Titan's, Cohere's, Mistral's, DeepSeek's and, behind gateways, Gemini's
BAD_STOPS = frozenset(
    {
        "guardrail_intervened",
        "content_filtered",
        "content_filter",
        "refusal",
        "malformed_tool_use",
        "malformed_model_output",
        "malformed_function_call",
        "model_context_window_exceeded",
        "model_length",
        "error_limit",
        "insufficient_system_resource",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
    }
)


def is_bad(stop_reason: str | None) -> bool:
    return stop_reason is not None and stop_reason.lower() in BAD_STOPS
