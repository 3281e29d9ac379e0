"""From a request to its answer: route, signature, target, quota, fault, body, engine."""

import asyncio
import time
import traceback
import typing

from scripts.emulator import beside, errors, model_limits, models, openai_errors, price_list, reading, service_model
from scripts.emulator.answer import Answer
from scripts.emulator.async_queue import QUEUED, AsyncQueue
from scripts.emulator.clock import clock
from scripts.emulator.control.plane import Plane
from scripts.emulator.dialects import rerank, want
from scripts.emulator.engines.llama import LlamaEngine
from scripts.emulator.engines.simulated import BatchedEngine, TimedEngine
from scripts.emulator.errors import AwsError, BadBody
from scripts.emulator.frames import compact
from scripts.emulator.fronts import Fronts
from scripts.emulator.hosted import Catalog, Hosted
from scripts.emulator.kept_responses import KeptResponses
from scripts.emulator.limits import Quota
from scripts.emulator.operations import route, streaming
from scripts.emulator.s3 import S3, S3Verifier
from scripts.emulator.sigv4 import Verifier
from scripts.emulator.spoken import FAMILIES, dialect_of
from scripts.emulator.text import count_tokens
from scripts.emulator.truth import Truth
from scripts.emulator.watching import Watching

ENGINES = {"timed": TimedEngine, "simulated": BatchedEngine, "llama": LlamaEngine}


class Service:
    """The whole emulator behind the HTTP connections. `start` before serving, `stop` after."""

    def __init__(self, config, truth: Truth):
        self.account, self.truth, self._config = config.account, truth, config
        self._verifier = Verifier(config.credentials, config.bearer_tokens, config.region)
        self._openai_paths = tuple(config.openai_paths)
        self._guardrails, self.guardrail_policies = config.guardrails, config.guardrail_policies
        self._guarding = Hosted(config.guarding, None)
        self._engines: dict[str, typing.Any] = {name: ENGINES[e.kind](e) for name, e in config.engines.items()}
        self._catalog = Catalog(config, self._engines)
        self._fronts = Fronts(config, self._catalog)
        self._s3 = S3(config.all_buckets(), S3Verifier(config.credentials, region=config.region), config)
        self._responses = KeptResponses()
        self._queue = AsyncQueue(self, self._s3)
        self._prices = price_list.PriceList(config, Hosted(config.pricing, None)) if config.pricing else None
        self._watching = Watching(config, truth)
        self._control = Plane(config, config.control_plane, self._catalog) if config.control_plane else None
        if config.models or config.guardrails:
            service_model.prepare()

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
        if request.method == "GET" and (found := models.answer(request, self._config, self._started)):
            return connection.respond(*found)
        if S3.wanted(request):
            return self._s3.answer(request, connection)
        if self._watching.wanted(request):
            return self._watching.answer(request, connection)
        if self._control and Plane.wanted(request):
            return self._control.answer(request, connection)
        routed = route(request.method, request.raw_path, self._openai_paths)
        routed = routed or (price_list.route(request) if self._prices else None)
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
        except Exception:  # a mistake of the emulator's own: said, and answered and counted like everything else
            traceback.print_exc()
            answer.fail(errors.server_error(operation.service))
        return answer

    def _begin(self, a: Answer) -> None:
        """Raises AwsError or BadBody."""
        if self._prices and a.operation.service == "pricing":
            self._prices.answer(a)
            return
        self._authenticate(a)
        if a.operation.name in beside.NAMES:
            return beside.guard(a, self._guarding, self._guardrails, self.guardrail_policies)
        if a.operation.openai:
            self._name(a)
        elif a.operation.name == "Rerank":
            a.target_name = rerank.agents_model(reading.json_of(a.request.body))
        hosted = (self._fronts if a.operation.front else self._catalog).find(a)
        if a.operation.name in QUEUED:
            return self._queue.accept(a, hosted)
        if a.operation.service == "sagemaker" and getattr(hosted.config, "asynchronous", None):
            raise errors.only_async(a.target_name)
        self.begin(a, hosted)

    def begin(self, a: Answer, hosted: Hosted) -> None:
        """Have an authentic request answered by what is hosted. Raises AwsError or BadBody."""
        a.take(hosted.config, hosted.raw or dialect_of(a, hosted.config))
        if time.perf_counter() < self._started + hosted.config.ready_after_s:
            raise errors.not_ready(a.operation.service)
        if a.operation.name == "CountTokens":
            return beside.count(a, hosted, self._catalog.counting(a), FAMILIES[hosted.config.family])
        a.fault = a.fault if a.operation.front else hosted.fault(a.operation)
        if a.fault and a.fault[1].stage == "request":
            return a.fault[1].apply(a)
        kept = a.operation.name == "Responses"
        a.ask(self._responses.call_of(a) if kept else reading.call_of(a.dialect, a.request.body))
        if a.operation.service == "bedrock":
            self._prepare(a, hosted)
        elif a.operation.service == "sagemaker" and a.operation.front != "gateway":
            hosted.session(a)
        else:
            hosted.cache(a)
        self._reserve(a, hosted.quota)
        if a.fault and a.fault[1].stage == "call":
            a.fault[1].apply(a)
        if a.blocked:
            return a.block()
        a.submit(hosted.engine)
        self.clock.catch_up()

    def _authenticate(self, a: Answer) -> None:
        """A signature or one of Bedrock's tokens; on OpenAI's own routes the key, if one is configured. Raises
        AwsError."""
        if a.operation.service != "openai":
            routed = a.operation.openai
            also = "bedrock-mantle" if routed else None  # whose routes these are, too
            keyed = routed and a.operation.service == "sagemaker"
            a.region = self._verifier.check(a.request, a.operation.service, also, keyed)
        elif not openai_errors.has_key(a.request, self._config.api_key):
            raise openai_errors.no_key()

    def _name(self, a: Answer) -> None:
        """The body of an OpenAI route names the model and says whether to stream. Raises BadBody."""
        body = reading.json_of(a.request.body)
        only = next(iter(self._config.openai)) if len(self._config.openai) == 1 else None
        # SageMaker's path names the endpoint; a server of one model needs no name
        own = a.target_name or (only if a.operation.service == "openai" else None)
        model = want(body, "model", str, own, required=own is None)
        a.name(a.target_name or model, streaming(a.operation) if want(body, "stream", bool, False) else a.operation)

    def _prepare(self, a: Answer, hosted: Hosted) -> None:
        """What Bedrock does before the model: the guardrail must exist, the model must stream, the cache is asked."""
        headers = a.request.headers
        if identifier := headers.get("x-amzn-bedrock-guardrailidentifier"):
            a.call.guardrail = f"{identifier}:{headers.get('x-amzn-bedrock-guardrailversion')}"
            a.call.guardrail_trace = headers.get("x-amzn-bedrock-trace") in ("ENABLED", "ENABLED_FULL")
        if a.call.guardrail and a.call.guardrail not in self._guardrails:
            raise errors.guardrail_not_found()
        if a.operation.streams and not getattr(a.dialect, "STREAMS", True):
            raise errors.no_streaming()
        model_limits.check(a, hosted.config)
        a.blocked = a.call.guardrail is not None and hosted.config.blocked
        if not a.blocked:
            hosted.cache(a)

    def _reserve(self, a: Answer, quota: Quota) -> None:
        """Take the request's share of the quota: the prompt by the simple rule, and the whole of its token limit."""
        tokens = count_tokens(a.call.prompt) + a.call.max_tokens * max(1, len(a.call.parts))
        if unit := quota.exceeded(tokens, time.perf_counter()):
            raise errors.throttled(a.operation.service, unit)
        a.settle = lambda used: quota.settle(tokens, used)
