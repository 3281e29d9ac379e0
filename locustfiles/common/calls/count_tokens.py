"""Bedrock's CountTokens: how many tokens prompts have for the model itself, before anything is spent. It is free of charge.

The request that will be sent travels inside another: InvokeModel's body as it is, of Converse's the members that make up the
prompt. Claude's models offer it; of others (Nova) none is known to. botocore's model has the id of a foundation model, and those
who tried it in 2026 were refused by inference profiles' ids and answered by the model's own (pydantic-ai issue 4001, Boise-State
agentcore-public-stack pull request 430). Of models that are called through a profile alone others report the model's own id
refused (litellm issue 32683): then the id that is called is asked as well. Who is refused by both is told, and estimated.
"""

import json
import typing

import gevent.pool

from locustfiles.common.calls.sender import Sender
from locustfiles.common.dialects.bedrock_addresses import quoted
from locustfiles.common.dialects.counting import as_json, counted
from locustfiles.common.dialects.request import Body, build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.transport.aws_session import UNSIGNED
from locustfiles.common.transport.exchange import Exchange
from locustfiles.contract.keys import redact
from locustfiles.contract.prices.model_ids import parse
from locustfiles.contract.scenario.targets import BedrockTarget, Target

AT_ONCE = 4
_OF_THE_ID = ("ValidationException", "ResourceNotFoundException")  # refusals that another id may not meet


class Refused(Exception):
    """It was not counted; the text says why."""


def offered(target: Target) -> bool:
    """Whether the target's model may count tokens."""
    named = isinstance(target, BedrockTarget) and parse(target.model_id).bare.startswith("anthropic.")
    return named and target.writes_text


class Counted(typing.NamedTuple):
    tokens: dict[str, int]  # prompt id -> its prompt's tokens
    refused: str | None = None  # why it is not more


class TokenCounts:
    """Counts, and what was refused, by model and body: targets of one model share them."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._known: dict[tuple[str, bytes], int] = {}
        self._refused: dict[str, str] = {}  # model -> why
        self._by: dict[str, str] = {}  # model -> the id that it counts by

    def of(self, target: BedrockTarget, prompts: list[Prompt]) -> Counted:
        """Of these lines."""
        first, *others = prompts
        made = [self._tried(target, first)]  # alone: one that is refused tells of all
        if isinstance(made[0], int):
            made += gevent.pool.Pool(AT_ONCE).map(lambda prompt: self._tried(target, prompt), others)
        tokens = {p.id: n for p, n in zip(prompts, made, strict=False) if isinstance(n, int)}
        return Counted(tokens, next((str(n) for n in made if isinstance(n, Refused)), None))

    def _tried(self, target: BedrockTarget, prompt: Prompt) -> int | Refused:
        try:
            return self._count(target, prompt)
        except Refused as refused:
            return refused

    def _count(self, target: BedrockTarget, prompt: Prompt) -> int:
        model, body = parse(target.model_id).bare, _asked(build(target, prompt))
        if model in self._refused:
            raise Refused(self._refused[model])
        if (model, body) not in self._known:
            try:
                self._known[model, body] = self._ask_by_any(target, model, body)
            except Refused as refused:
                self._refused[model] = str(refused)
                raise
        return self._known[model, body]

    def _ask_by_any(self, target: BedrockTarget, model: str, body: bytes) -> int:
        """By the model's own id; where it is refused, by the one that is called."""
        own, *others = [self._by[model]] if model in self._by else dict.fromkeys((model, target.model_id))
        try:
            found, by = self._ask(target, own, body), own
        except Refused as refused:
            if not others or not str(refused).startswith(_OF_THE_ID):
                raise
            try:
                found, by = self._ask(target, others[0], body), others[0]
            except Refused:
                raise refused from None
        self._by[model] = by
        return found

    def _ask(self, target: BedrockTarget, model: str, body: bytes) -> int:
        sender, exchange, headers = self._sender, Exchange(), {"Content-Type": "application/json"}
        path = f"/model/{quoted(model)}/count-tokens"
        try:
            request = sender.session.request(target, path, headers, body)
        except UNSIGNED as e:
            raise Refused(redact(f"{type(e).__name__}: {e}")) from None
        sender.transport.run(exchange, sender.session.origin(target), request, sender.scenario.request_timeout_s)
        if exchange.error is not None or exchange.status is None:
            raise Refused(redact(exchange.error_message or str(exchange.error)))
        answer = b"".join(data for _, data in exchange.chunks)
        if exchange.status != 200:
            raise Refused(_why(exchange))
        try:
            count = json.loads(answer)["inputTokens"]
        except (ValueError, LookupError, TypeError):
            count = None
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise Refused("an answer without `inputTokens`")
        return count


def _asked(body: Body) -> bytes:
    """CountTokens' body for a request, which may ask for the count itself."""
    return body.body if body.dialect == "count-tokens" else as_json(counted(body.dialect, json.loads(body.body)))


def _why(exchange: Exchange) -> str:
    """`ValidationException: …`, of an answer that is an error."""
    asked = Body("bedrock", "Converse", "", {}, b"", False, "converse")
    assert exchange.status is not None
    parsed = parse_answer(asked, exchange.status, exchange.headers, exchange.chunks, exchange.ended)
    return redact(f"{parsed.error_code}: {parsed.error_message}") or ""
