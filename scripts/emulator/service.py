"""From a request to its answer: route, signature, target, quota, fault, body, engine."""

import asyncio
import json
import random
import time

from scripts.emulator import errors
from scripts.emulator.answer import Answer
from scripts.emulator.clock import clock
from scripts.emulator.dialects import (
    bedrock_chat,
    bedrock_claude,
    bedrock_command,
    bedrock_command_r,
    bedrock_completions,
    bedrock_llama,
    bedrock_nova,
    bedrock_titan,
    converse,
    embeddings,
    lmi,
    openai_chat,
    openai_completions,
    tgi,
)
from scripts.emulator.engines.llama import LlamaEngine
from scripts.emulator.engines.simulated import BatchedEngine, TimedEngine
from scripts.emulator.errors import AwsError, BadBody
from scripts.emulator.faults import FAULTS
from scripts.emulator.frames import compact
from scripts.emulator.limits import Quota
from scripts.emulator.operations import model_ids, route
from scripts.emulator.sigv4 import Verifier
from scripts.emulator.text import count_tokens
from scripts.emulator.truth import Truth

ENGINES = {"timed": TimedEngine, "simulated": BatchedEngine, "llama": LlamaEngine}
CONTAINERS = {
    "tgi": tgi,
    "openai-chat": openai_chat,
    "openai-completions": openai_completions,
    "lmi": lmi,
    "hf-embedding": embeddings.HUGGING_FACE,
}
FAMILIES = {
    "llama": bedrock_llama,
    "claude": bedrock_claude,
    "nova": bedrock_nova,
    "mistral": bedrock_completions.MISTRAL,
    "mistral-chat": bedrock_chat.MISTRAL,
    "titan-text": bedrock_titan,
    "titan-embedding": embeddings.TITAN,
    "cohere-command": bedrock_command,
    "cohere-command-r": bedrock_command_r,
    "cohere-embedding": embeddings.COHERE,
    "deepseek": bedrock_completions.DEEPSEEK,
    "openai-chat": bedrock_chat.OPENAI,
}
CACHE_S = 300.0  # how long a cached prompt lives after its last use


class _Hosted:
    """A configured target with its running state: quota and the seeded order of its faults."""

    def __init__(self, config, engine):
        self.config, self.engine = config, engine
        self.quota = Quota(config.limit)
        self._cached: dict[str, float] = {}  # prompt prefix -> last use
        self._draws = random.Random(config.fault_seed)

    def cache(self, a: Answer) -> None:
        """Count the tokens before the last cache point as written, or as read where they were there lately."""
        prefix, now = a.call.cache_prefix, time.perf_counter()
        if prefix is None:
            return
        tokens = count_tokens(prefix)
        if tokens < self.config.cache_minimum_tokens:
            tokens = 0
        hit = self._cached.get(prefix, -CACHE_S) > now - CACHE_S
        a.cache_read, a.cache_write = (tokens, 0) if hit else (0, tokens)
        if tokens:
            self._cached[prefix] = now

    def fault(self, streams: bool):
        """The fault that the next request meets as (name, Fault), or None. One draw a request, so that the
        order is the seed's."""
        draw, edge = self._draws.random(), 0.0
        for name, share in self.config.faults.items():
            edge += share
            if draw < edge:
                fault = FAULTS[name]
                return (name, fault) if streams or fault.stage != "stream" or fault.body else None
        return None


class Service:
    """The whole emulator behind the HTTP connections. `start` before serving, `stop` after."""

    def __init__(self, config, truth: Truth):
        self.account, self.truth = config.account, truth
        self._verifier = Verifier(config.credentials, config.bearer_tokens, config.region)
        self._guardrails = config.guardrails
        self._engines = {name: ENGINES[e.kind](e) for name, e in config.engines.items()}
        self._endpoints = {name: _Hosted(t, self._engines[t.engine]) for name, t in config.endpoints.items()}
        self._models = {}
        for name, target in config.models.items():
            self._models |= dict.fromkeys((name, *target.aliases), _Hosted(target, self._engines[target.engine]))

    async def start(self) -> None:
        self.clock = clock(asyncio.get_running_loop())
        for engine in self._engines.values():
            await engine.start(self.clock)
        self._started = time.perf_counter()

    async def stop(self) -> None:
        for engine in self._engines.values():
            await engine.stop()
        self.clock.close()

    def serve(self, request, connection):
        """Answer a request, now or later; returns the Answer in progress, or None."""
        if request.raw_path == "/-/stats":
            return connection.respond(200, [("Content-Type", "application/json")], compact(self.truth.stats()))
        routed = route(request.method, request.raw_path)
        if routed is None:
            error = errors.unknown_operation(request.raw_path)
            headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code)]
            return connection.respond(error.status, headers, error.body("bedrock"))
        operation, name = routed
        answer = Answer(self, connection, request, operation, name)
        try:
            self._begin(answer)
        except AwsError as error:
            answer.fail(error)
        except BadBody as refusal:
            answer.refuse(str(refusal))
        return answer

    def _begin(self, a: Answer) -> None:
        """Raises AwsError or BadBody."""
        a.region = self._verifier.check(a.request, a.operation.service)
        hosted = self._endpoint(a) if a.operation.service == "sagemaker" else self._model(a)
        a.take(hosted.config, _dialect(a.operation, hosted.config))
        if time.perf_counter() < self._started + hosted.config.ready_after_s:
            raise errors.not_ready(a.operation.service)
        a.fault = hosted.fault(a.operation.streams)
        if a.fault and a.fault[1].stage == "request":
            return a.fault[1].apply(a)
        a.ask(a.dialect.read(_json(a.request.body)))
        if a.operation.service == "bedrock":
            self._prepare(a, hosted)
        self._reserve(a, hosted.quota)
        if a.fault and a.fault[1].stage == "call":
            a.fault[1].apply(a)
        a.submit(hosted.engine)

    def _prepare(self, a: Answer, hosted: _Hosted) -> None:
        """What Bedrock does before the model: the guardrail must exist, the model must stream, the cache is asked."""
        headers = a.request.headers
        if identifier := headers.get("x-amzn-bedrock-guardrailidentifier"):
            a.call.guardrail = f"{identifier}:{headers.get('x-amzn-bedrock-guardrailversion')}"
        if a.call.guardrail and a.call.guardrail not in self._guardrails:
            raise errors.guardrail_not_found()
        if a.operation.streams and not getattr(a.dialect, "STREAMS", True):
            raise errors.no_streaming()
        hosted.cache(a)

    def _endpoint(self, a: Answer) -> _Hosted:
        hosted = self._endpoints.get(a.target_name)
        if hosted is None:
            raise errors.endpoint_not_found(a.target_name, self.account)
        component = a.request.headers.get("x-amzn-sagemaker-inference-component")
        if component and component not in hosted.config.inference_components:
            raise errors.component_not_found(component)
        variant = a.request.headers.get("x-amzn-sagemaker-target-variant")
        if variant and variant != hosted.config.variant:
            raise errors.variant_not_found(variant)
        return hosted

    def _model(self, a: Answer) -> _Hosted:
        for model_id in model_ids(a.target_name):
            if model_id in self._models:
                return self._models[model_id]
        raise errors.model_not_found()

    def _reserve(self, a: Answer, quota: Quota) -> None:
        """Take the request's share of the quota: the prompt by the simple rule, and the whole of its token limit."""
        tokens = count_tokens(a.call.prompt) + a.call.max_tokens
        if unit := quota.exceeded(tokens, time.perf_counter()):
            raise errors.throttled(a.operation.service, unit)
        a.settle = lambda used: quota.settle(tokens, used)


def _dialect(operation, config):
    """What the target speaks in this operation."""
    if operation.service == "sagemaker":
        return CONTAINERS[config.dialect]
    return converse if operation.converse else FAMILIES[config.family]


def _json(body: bytes) -> dict:
    """A body that must be a JSON object. Raises BadBody."""
    try:
        value = json.loads(body)
    except ValueError:
        raise BadBody("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadBody("#: expected type: JSONObject")
    return value
