"""What OpenAI-compatible servers tell of themselves: `GET /v1/models`, `/health`, `/ping`, `/version`."""

import time
import urllib.parse

from locustfiles.contract.version import product_version
from scripts.emulator import openai_errors
from scripts.emulator.frames import compact

Whole = tuple[int, list[tuple[str, str]], bytes]
_JSON = [("Content-Type", "application/json")]


def answer(request, config, started: float) -> Whole | None:
    """Status, headers and body; None where it is another path, or no model is served on these routes."""
    path = urllib.parse.unquote(request.raw_path)
    if not config.openai:
        return None
    if path in ("/health", "/ping"):
        return 200, [], b""
    if path == "/version":
        return 200, _JSON, compact({"version": product_version()})
    prefix = next((f"{p}/models" for p in config.openai_paths if path.startswith(f"{p}/models")), None)
    if prefix is None or path[len(prefix) : len(prefix) + 1] not in ("", "/"):
        return None
    if not openai_errors.has_key(request, config.api_key):
        return _failed(openai_errors.no_key())
    created = round(time.time() - (time.perf_counter() - started))
    models = {name: _model(config, name, target, created) for name, target in _names(config)}
    wanted = path[len(prefix) + 1 :]
    if not wanted:
        return 200, _JSON, compact({"object": "list", "data": list(models.values())})
    if wanted not in models:
        return _failed(openai_errors.model_not_found(wanted))
    return 200, _JSON, compact(models[wanted])


def _failed(error) -> Whole:
    status, body = openai_errors.status_and_body(error)
    return status, _JSON, body


def _names(config):
    """Names and aliases with their target."""
    return [(name, target) for first, target in config.openai.items() for name in (first, *target.aliases)]


def _model(config, name: str, target, created: int) -> dict:
    engine = config.engines[target.engine]
    length = getattr(engine, "context_tokens", None) or getattr(engine, "slot_tokens", None)
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "swarmledger",
        "root": name,
        "parent": None,
    } | ({"max_model_len": length} if length else {})
