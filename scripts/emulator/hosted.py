"""What is hosted, by name: SageMaker's endpoints, Bedrock's models, the models of OpenAI's own routes."""

import random
import re
import time

from scripts.emulator import errors, openai_errors
from scripts.emulator.dialects.billed import FIVE_MINUTES, HOUR, whole_blocks
from scripts.emulator.dialects.raw import Raw
from scripts.emulator.faults import FAULTS, Fault
from scripts.emulator.limits import Quota
from scripts.emulator.operations import model_ids
from scripts.emulator.text import count_tokens, token_ends

CACHE_S = {FIVE_MINUTES: 300.0, HOUR: 3600.0}  # how long a cached prompt lives after its last use
_MOST_CACHED = 100_000  # prefixes
_SESSION = "^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"  # as SageMaker declares it
_NEW_OR_SESSION = "^(NEW_SESSION)$|" + _SESSION


class Hosted:
    """A configured target with its running state: quota, the seeded order of its faults, prompt cache, sessions."""

    def __init__(self, config, engine):
        self.config, self.engine = config, engine
        self.raw = Raw(config.answer) if getattr(config, "answer", None) else None
        self.quota = Quota(config.limit)
        self._cached: dict[str, float] = {}  # prompt prefix -> end of its life
        self._sessions: dict[str, float] = {}  # id -> end of its life, Unix seconds
        self._draws, self._splits = random.Random(config.fault_seed), random.Random(config.fault_seed)

    def cache(self, a) -> None:
        """Count the tokens up to the last cache point that was there lately as read, those up to the others as written."""
        now, tokenizer = time.perf_counter(), getattr(self.engine, "tokenizer", None)
        if self.config.caches_prompts and a.operation.openai:
            counted = whole_blocks(a.call, token_ends(a.call.prompt, tokenizer))
        elif a.call.cache_points:
            counted = [(prefix, ttl, count_tokens(prefix, tokenizer)) for prefix, ttl in a.call.cache_points]
        else:
            return
        a.cache_read = a.cache_write = 0
        self._forget(now)
        kept = [point for point in counted if point[2] >= self.config.cache_minimum_tokens]
        there = [tokens for prefix, _, tokens in kept if self._cached.get(prefix, now) > now]
        reached = a.cache_read = max(there, default=0)
        for prefix, ttl, tokens in kept:
            written = max(0, tokens - reached)
            a.cache_write += written
            a.cache_write_1h += written if ttl == HOUR else 0
            reached = max(reached, tokens)
            self._cached[prefix] = now + CACHE_S[ttl]

    def _forget(self, now: float) -> None:
        """What is over, where there is much of it."""
        if len(self._cached) > _MOST_CACHED:
            self._cached = {prefix: end for prefix, end in self._cached.items() if end > now}

    def session(self, a) -> None:
        """Open the session that the request asks for, or find the one that it names. A session lives in the container,
        whose error it is when there is none. Raises AwsError."""
        asked = a.request.headers.get("x-amzn-sagemaker-session-id")
        if asked is None:
            return
        pattern = _SESSION if a.operation.streams else _NEW_OR_SESSION  # only InvokeEndpoint opens one
        if len(asked) > 256 or not re.fullmatch(pattern, asked):
            raise errors.malformed_session(asked, pattern)
        if self.config.session_s is None:
            return
        now = time.time()
        if asked == "NEW_SESSION":
            self._sessions = {name: end for name, end in self._sessions.items() if end > now}
            end = self._sessions[a.request_id] = now + self.config.session_s
            a.new_session = f"{a.request_id}; Expires={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(end))}"
        elif self._sessions.get(asked, 0.0) <= now:
            raise a.container_error(400, '{"error":"session not found or expired","error_type":"validation"}')

    def variant(self) -> str:
        """That of the next request that names none."""
        shares = self.config.variant_shares
        return self._splits.choices(list(shares), list(shares.values()))[0] if shares else self.config.variant

    def fault(self, operation) -> tuple[str, Fault] | None:
        """The fault that the next request meets, or None. One draw a request, so that the order is the seed's."""
        draw, edge = self._draws.random(), 0.0
        for name, share in self.config.faults.items():
            edge += share
            if draw < edge:
                return (name, FAULTS[name]) if FAULTS[name].meets(operation) else None
        return None


class Catalog:
    """All that is configured; `find` gives the one that a request is for."""

    def __init__(self, config, engines):
        def hosted(section) -> dict[str, Hosted]:
            found: dict[str, Hosted] = {}
            for name, target in section.items():
                found |= dict.fromkeys((name, *getattr(target, "aliases", ())), Hosted(target, engines[target.engine]))
            return found

        self._account, self._engines = config.account, engines
        self._counting: dict[int, Hosted] = {}  # by the model that counts
        self._endpoints, self._models, self._servers = map(hosted, (config.endpoints, config.models, config.openai))

    def host(self, endpoint: str, target) -> None:
        """Serve an endpoint from now on: by its section of a configuration."""
        self._endpoints[endpoint] = Hosted(target, self._engines[target.engine])

    def unhost(self, endpoint: str) -> None:
        """Serve it no more; one that was never served is fine."""
        self._endpoints.pop(endpoint, None)

    def find(self, a) -> Hosted:
        """Raises AwsError in the service's own words."""
        match a.operation.service:
            case "sagemaker":
                return self._endpoint(a)
            case "bedrock":
                return self._model(a)
        if a.target_name not in self._servers:
            raise openai_errors.model_not_found(a.target_name)
        return self._servers[a.target_name]

    def counting(self, a) -> Hosted:
        """The model's CountTokens, which has a quota and faults of its own. Raises AwsError."""
        model = self._model(a)
        return self._counting.setdefault(id(model), Hosted(model.config.counting, None))

    def server(self, model: str) -> Hosted | None:
        """Of a model that is served on OpenAI's routes, and behind gateways."""
        return self._servers.get(model)

    def _endpoint(self, a) -> Hosted:
        hosted = self._endpoints.get(a.target_name)
        if hosted is None:
            raise errors.endpoint_not_found(a.target_name, self._account)
        component = a.request.headers.get("x-amzn-sagemaker-inference-component")
        if component and component not in hosted.config.inference_components:
            raise errors.component_not_found(component)
        variant = a.request.headers.get("x-amzn-sagemaker-target-variant")
        if variant and variant not in (
            hosted.config.variant,
            *hosted.config.more_variants,
            *hosted.config.variant_shares,
        ):
            raise errors.variant_not_found(variant)
        a.served_by["x-Amzn-Invoked-Production-Variant"] = variant or hosted.variant()
        self._check_target_model(a, hosted.config.target_models)
        return hosted

    def _check_target_model(self, a, known: list[str]) -> None:
        """Streams have no such header: SageMaker takes it off, and a multi-model endpoint then misses it."""
        name = None if a.operation.streams else a.request.headers.get("x-amzn-sagemaker-target-model")
        if name is None:
            if known:
                raise errors.target_model_missing(a.request_id)
        elif not known:
            raise errors.no_multi_model(a.target_name)
        elif name not in known:
            raise errors.target_model_not_found(name, f"sagemaker-{a.region}-{self._account}")

    def _model(self, a) -> Hosted:
        for model_id in model_ids(a.target_name):
            if model_id in self._models:
                return self._models[model_id]
        raise errors.model_not_found()
