"""The most output tokens that Bedrock's models take, by their ids; and the versions of Anthropic's bodies."""

import functools

from scripts.emulator import errors

#: what a model id contains -> its published limit; the first that is found. A model that is not here has none.
_OUTPUT_TOKENS = {
    "claude-3-haiku": 4096,
    "claude-3-sonnet": 4096,
    "claude-3-opus": 4096,
    "claude-3-5": 8192,
    "claude-3-7": 128_000,
    "claude-opus-4-2025": 32_000,
    "claude-opus-4-1": 32_000,
    "claude-sonnet-4-2025": 64_000,
    "claude-sonnet-4-5": 64_000,
    "claude-haiku-4-5": 64_000,
    "claude-opus-4-5": 64_000,
    "claude-instant": 4096,
    "claude-v2": 4096,
    "amazon.nova-micro": 10_000,
    "amazon.nova-lite": 10_000,
    "amazon.nova-pro": 10_000,
    "titan-text-lite": 4096,
    "titan-text-express": 8192,
    "titan-text-premier": 3072,
}


@functools.lru_cache(maxsize=256)
def _published(model_id: str) -> int | None:
    return next((n for key, n in _OUTPUT_TOKENS.items() if key in model_id), None)


def check(a, config) -> None:
    """Raises AwsError for more output than the model gives, or a version that it does not know."""
    version = a.call.options.get("anthropic_version")
    if version is not None and version not in config.anthropic_versions:
        known = ", ".join(config.anthropic_versions)
        raise errors.malformed_request(f"#/anthropic_version: {version} is not one of {known}")
    limit = config.max_output_tokens or _published(a.target_name)
    if limit is not None and a.call.max_tokens > limit:
        raise errors.too_many(a.call.max_tokens, limit, None if a.operation.converse else version and a.target_name)
