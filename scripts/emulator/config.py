"""The emulator's configuration: which endpoints and models exist, what stands behind them, and what goes wrong
with them."""

import pathlib
from typing import Annotated, Literal

import pydantic

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.families import Family
from locustfiles.contract.scenario.raw import RawAnswer
from locustfiles.contract.strict_yaml import Strict, load_yaml
from scripts.emulator.config_beside import Beside, Guarding, Limit, Share, known_faults
from scripts.emulator.config_control import ControlPlane
from scripts.emulator.config_watched import Quotas, Watching
from scripts.emulator.dialects.raw import Raw
from scripts.emulator.engine_config import Count, Engine, NotNegative, Positive

Known = Literal["tgi", "openai-chat", "openai-completions", "lmi", "hf-embedding", "hf-rerank"]
Container = Known | Literal["raw"]
Policy = Literal["topic", "content", "word", "sensitiveInformation", "contextualGrounding"]

EXAMPLE_ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"  # the pair of AWS's own documentation: no real account has it
EXAMPLE_SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Credential(Strict):
    """A key pair that is accepted; with `session_token` only together with it, with `expired` never."""

    access_key: str
    secret_key: str
    session_token: str | None = None
    expired: bool = False


class Target(Strict):
    """What endpoints and models share. `faults` gives the share of requests that meet each fault, drawn from
    `fault_seed`."""

    engine: str
    limit: Limit = Limit()
    faults: dict[str, Share] = {}
    fault_seed: int = 0
    fault_after_tokens: Count = 2  # where a fault in mid-stream strikes
    stall_ms: Positive = 500.0
    reasoning_tokens: Annotated[int, pydantic.Field(ge=0)] = 0  # the first so many tokens of every answer are reasoning
    tool_calls: Annotated[int, pydantic.Field(ge=0)] = 0  # calls of tools in an answer, where a request leaves it open
    ready_after_s: NotNegative = 0.0  # until so long after the start the model is not ready
    cache_minimum_tokens: Count = 1024  # a cache point after fewer prompt tokens caches nothing
    caches_prompts: bool = False  # on OpenAI's routes: without cache points, by whole blocks of 128 tokens
    splits_cache_writes: bool = True  # answers say how many of the tokens written to a cache are kept for how long
    serves_tier: str | None = None  # on OpenAI's routes: what answers say, whatever tier was asked for

    @pydantic.field_validator("faults")
    @classmethod
    def _known(cls, value):
        return known_faults(value)


Location = Annotated[str, pydantic.Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")]


class Asynchronous(Strict):
    """An asynchronous endpoint: its queue, and where its answers go."""

    output: Location
    failure: Location | None = None  # none: failures are told nowhere
    concurrency: Count | None = None  # requests that the container has at once; none means all


class Endpoint(Target):
    """A SageMaker endpoint and the container behind it."""

    dialect: Container = "tgi"
    more_dialects: list[Known] = []  # that the container takes as well, told apart by what a body has
    answer: RawAnswer | None = None  # `raw` alone: where things are in the answer
    variant: str = "AllTraffic"
    more_variants: list[str] = []  # which a request may name
    variant_shares: dict[str, Share] = {}  # variant -> of the requests that name none; else all go to `variant`
    inference_components: list[str] = []
    split_bytes: Count | None = (
        None  # cut the container's stream into payload parts of so many bytes; else one event a part
    )
    target_models: list[str] = []  # a multi-model endpoint: a request must name one of these
    asynchronous: Asynchronous | None = None  # asked by the asynchronous operations alone
    session_s: Positive | None = None  # a stateful container: how long a session lives; none keeps no sessions
    report_input_length: bool = False  # TGI 2.2 and later name the prompt's tokens in a stream's last line

    @pydantic.model_validator(mode="after")
    def _raw_whole(self):
        if (self.dialect == "raw") != (self.answer is not None):
            raise ValueError("`dialect: raw` and `answer:` belong together; give both or neither")
        if self.answer is not None:
            Raw(self.answer)
        if self.variant_shares and abs(sum(self.variant_shares.values()) - 1) > 1e-9:
            raise ValueError("`variant_shares` do not add up to 1; mend one")
        return self


class Model(Target):
    """A Bedrock model; `aliases` are further ids and ARNs (inference profiles, provisioned throughput) for the same."""

    family: Family
    aliases: list[str] = []
    anthropic_versions: list[str] = ["bedrock-2023-05-31"]  # that the bodies of a Claude may name
    max_output_tokens: Count | None = None  # the most that a request may ask for; none means the published limit
    routes_to: list[str] = []  # a prompt router: the models it chooses from
    standard_only: bool = (
        False  # every latency setting and tier that is asked for is served, and answered, as the standard one
    )
    counts_tokens: bool | None = None  # whether CountTokens takes it; none means as on Bedrock: Claude alone
    counting: Beside = Beside()  # CountTokens: the model's own faults and quota are those of its answers
    blocked: bool = False  # a guardrail blocks every prompt, of requests that name one


class Server(Target):
    """A model on OpenAI's own routes, as vLLM, TGI, LMI and llama.cpp serve it."""

    aliases: list[str] = []


class Item(Strict):
    """One product of the price list."""

    service: str
    region: str
    family: str = "Amazon Bedrock"
    attributes: dict[str, str]  # `usagetype` among them
    unit: str
    usd: str
    description: str | None = None


class Pricing(Strict):
    """AWS's Price List API."""

    products: list[Item] | None = None  # in place of the table that it comes with
    page_size: Annotated[int, pydantic.Field(ge=1, le=100)] = 100  # products on a page, at most
    limit: Limit = Limit()
    faults: dict[Literal["throttle", "access_denied", "server", "drop", "reset", "garbage_body"], Share] = {}
    fault_seed: int = 0


class Config(Strict):
    """A whole emulator."""

    region: str | None = None  # requests signed for another region are refused; none accepts every region
    account: str = "123456789012"
    credentials: list[Credential] = [Credential(access_key=EXAMPLE_ACCESS_KEY, secret_key=EXAMPLE_SECRET_KEY)]
    bearer_tokens: list[str] = []  # Bedrock's API keys
    api_key: str | None = None  # of the OpenAI routes; none asks for none
    openai_paths: list[str] = ["/v1"]  # what stands before /chat/completions, /completions and /models
    guardrails: list[str] = []  # those that exist, as `id:version`; a request with another is refused
    guardrail_policies: list[Policy] = ["content", "topic"]  # of each of them; they count a unit a thousand characters
    guarding: Guarding = Guarding()
    engines: dict[str, Engine]
    endpoints: dict[str, Endpoint] = {}
    models: dict[str, Model] = {}
    openai: dict[str, Server] = {}
    routers: dict[
        str, dict[str, Annotated[list[str], pydantic.Field(min_length=1)]]
    ] = {}  # name -> routing target -> endpoints
    gateways: list[str] = []  # ids of global inference gateways, which serve what `openai` has
    buckets: list[str] = []  # of S3, beside those of asynchronous endpoints
    hidden_buckets: list[str] = []  # no caller may list these: an object that is not there is forbidden
    slow_down: Share = 0.0  # of the requests to S3 that it asks to come more slowly
    pricing: Pricing | None = None
    cloudwatch: Watching | None = None  # no such route without
    service_quotas: Quotas | None = None
    control_plane: ControlPlane | None = None

    def all_buckets(self) -> set[str]:
        queues = [e.asynchronous for e in self.endpoints.values() if e.asynchronous]
        places = [place for queue in queues for place in (queue.output, queue.failure) if place]
        return {*self.buckets, *self.hidden_buckets, *(p.removeprefix("s3://").split("/")[0] for p in places)}

    @pydantic.model_validator(mode="after")
    def _engines_exist(self):
        for section in ("endpoints", "models", "openai"):
            for name, target in getattr(self, section).items():
                if target.engine not in self.engines:
                    known = ", ".join(self.engines)
                    raise ValueError(f"{section}.{name}.engine: no engine `{target.engine}`; one of {known}")
        if self.control_plane and self.control_plane.engine not in self.engines:
            raise ValueError(f"control_plane.engine: no engine `{self.control_plane.engine}`; add it to `engines:`")
        for router, of in self.routers.items():
            lost = next((n for names in of.values() for n in names if n not in self.endpoints), None)
            if lost:
                raise ValueError(f"routers.{router}: no endpoint `{lost}`; add it to `endpoints:`")
        guards = self.guardrails or "guarding" in self.model_fields_set
        served = self.endpoints or self.models or self.openai or self.pricing or self.control_plane
        if not (served or guards):
            raise ValueError("none of `endpoints:`, `models:`, `openai:` and `pricing:`; name at least one")
        return self


def load(path: str | pathlib.Path) -> Config:
    """Read and check a configuration. Raises BadInput, one line with file, key and remedy."""
    config = load_yaml(path, Config)
    for name, engine in config.engines.items():
        for key in ("tokenizer", "gguf"):
            file = getattr(engine, key, None)
            if file and not pathlib.Path(file).is_file():
                raise BadInput(f"{path}: engines.{name}.{key}: no file {file}; mend the path or leave the key out")
    return config
