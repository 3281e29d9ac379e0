"""Where requests to Bedrock go, and what stands beside the body there; names from botocore's model of bedrock-runtime."""

import functools
import json
import urllib.parse

from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import BedrockTarget

Address = tuple[str, str, dict[str, str]]  # operation, path, headers


def bedrock_address(target: BedrockTarget) -> Address:
    headers = {"Content-Type": "application/json"}
    base = f"/model/{quoted(target.model_id)}"
    if not target.writes_text:
        return *_beside_answers(target, base), headers
    if target.api == "rerank":
        return "Rerank", "/rerank", headers
    if target.api == "converse":
        if target.stream:
            return "ConverseStream", f"{base}/converse-stream", headers
        return "Converse", f"{base}/converse", headers
    headers |= _invoke_headers(target)
    if target.stream:
        headers["X-Amzn-Bedrock-Accept"] = "application/json"
        return "InvokeModelWithResponseStream", f"{base}/invoke-with-response-stream", headers
    headers["Accept"] = "application/json"
    return "InvokeModel", f"{base}/invoke", headers


def _beside_answers(target: BedrockTarget, base: str) -> tuple[str, str]:
    """Operation and path of what is no model's answer."""
    if target.api == "count-tokens":
        return "CountTokens", f"{base}/count-tokens"
    if target.guardrail is None:
        return "InvokeGuardrailChecks", "/guardrail-checks/invoke"
    version = f"{quoted(target.guardrail.id)}/version/{quoted(target.guardrail.version)}"
    return "ApplyGuardrail", f"/guardrail/{version}/apply"


def _invoke_headers(target: BedrockTarget) -> dict[str, str]:
    """InvokeModel's settings, which are members of the body in Converse."""
    guardrail = target.guardrail
    return present(
        ("X-Amzn-Bedrock-GuardrailIdentifier", guardrail.id if guardrail else None),
        ("X-Amzn-Bedrock-GuardrailVersion", guardrail.version if guardrail else None),
        ("X-Amzn-Bedrock-Trace", "ENABLED" if guardrail else None),  # which says what the guardrail bills
        ("X-Amzn-Bedrock-PerformanceConfig-Latency", target.latency),
        ("X-Amzn-Bedrock-Service-Tier", target.service_tier),
    )


#: parameters that InvokeModel takes beside the model's body, which Converse has as members
_HEADERS = {
    "projectIdentifier": "X-Amzn-Bedrock-ProjectIdentifier",
    "requestMetadata": "X-Amzn-Bedrock-Request-Metadata",
    "trace": "X-Amzn-Bedrock-Trace",
}


def beside_the_body(target: BedrockTarget, parameters: dict) -> tuple[dict[str, str], dict]:
    """(headers, the other parameters). Raises BadScenario."""
    headers: dict[str, str] = {}
    for key in _HEADERS.keys() & parameters.keys():
        value = parameters[key]
        text = json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else value
        if not isinstance(text, str) or not text.isascii() or not text.isprintable():
            kind = "an object of texts" if key == "requestMetadata" else "a text"
            raise BadScenario(
                f"target `{target.name}`: `parameters.{key}` must be {kind} of ASCII characters; it is a header"
            )
        headers[_HEADERS[key]] = text
    return headers, {key: value for key, value in parameters.items() if key not in _HEADERS}


def present(*headers: tuple[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in headers if value is not None}


@functools.lru_cache(maxsize=256)
def quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="-._~")
