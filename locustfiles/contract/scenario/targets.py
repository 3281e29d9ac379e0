"""What a scenario's target may say: a SageMaker endpoint, a Bedrock model or an OpenAI route, and how it is asked."""

import typing
import urllib.parse

import pydantic

from locustfiles.contract.prices.price import AnyPrice
from locustfiles.contract.scenario.async_inference import AsyncInference, check_async
from locustfiles.contract.scenario.bedrock_apis import GUARDING, WITHOUT_TEXT, Api, Guardrail, guarding, unfit
from locustfiles.contract.scenario.families import FAMILY_NAMES, SILENT, Family, family_of, instead_of, not_text
from locustfiles.contract.scenario.field_types import (
    Address,
    Count,
    Files,
    HeaderText,
    Line,
    Name,
    Percent,
    Prose,
    Share,
    Text,
    Variable,
    WebAddress,
)
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.prefix import Prefix, check_prefix
from locustfiles.contract.scenario.raw import RawAnswer, check_raw
from locustfiles.contract.scenario.routes import ROUTES, Route, RouteDialect
from locustfiles.contract.scenario.sagemaker_fronts import RUNTIMES, GatewayId, RouterName, check_front
from locustfiles.contract.strict_yaml import Strict

Dialect = typing.Literal["tgi", "lmi", "openai-chat", "openai-completions", "hf-embedding", "hf-rerank", "raw"]

#: dialects of containers and routes whose answers come in one piece
_ANSWER_ONCE = {
    "hf-embedding": "embeddings", "openai-embeddings": "embeddings", "hf-rerank": "rankings", "openai-rerank": "rankings",
}  # fmt: skip


class _Target(Strict):
    name: Name
    model: Text | None = None
    labels: dict[Line, Line | int | float | bool] = {}
    stream: bool = False
    tokenizer: Text | None = None
    system: Prose | None = None  # before every prompt
    payloads: Files | None = None
    load: Load | None = None
    prefix: Prefix | None = None
    hold_length: typing.Literal["min_tokens", "ignore_eos"] | None = (
        None  # the parameter by which its server writes answers to the length asked for
    )
    parameters: dict[str, typing.Any] = {}
    price: AnyPrice | None = None
    discount_percent: Percent = 0.0  # off its price: a savings plan's, or a private one
    endpoint_url: Address | None = None

    @property
    def writes_text(self) -> bool:
        """Whether its operation answers with a model's output, or a vector."""
        return True

    @pydantic.model_validator(mode="after")
    def _max_tokens(self) -> typing.Self:
        tokens = self.parameters.get("max_tokens")
        if tokens is not None and (type(tokens) is not int or tokens < 1):
            raise ValueError("`parameters.max_tokens` must be a whole number of at least 1")
        return self

    @pydantic.model_validator(mode="after")
    def _prefix_fits(self) -> typing.Self:
        check_prefix(self.prefix, self.system, getattr(self, "cache_system", False))
        return self


class SageMakerTarget(_Target):
    service: typing.Literal["sagemaker"]
    endpoint: Text | None = None  # this, `inference_router` or `gateway` is asked
    inference_router: RouterName | None = None
    routing_target: RouterName | None = None  # of the router: which destinations it may choose
    gateway: GatewayId | None = None  # a global inference gateway
    model_id: Text | None = None  # `model` of the body, by which a gateway finds who serves it
    identity_token_env: Variable | None = None  # the environment variable with the token that a gateway hands on
    async_inference: AsyncInference | None = None  # an asynchronous endpoint: the answer is an object in S3
    inference_component: HeaderText | None = None
    variant: HeaderText | None = None
    target_model: HeaderText | None = None
    target_container: HeaderText | None = None  # of an endpoint of several containers that are invoked directly
    prefix_aware_id: HeaderText | None = None  # requests of one id go to where their prefix is cached
    inference_id: HeaderText | None = None  # names the requests in what the endpoint captures
    session_id: HeaderText | None = None  # of a stateful model; NEW_SESSION asks for one with every request
    custom_attributes: HeaderText | None = None  # handed to the container as they are
    dialect: Dialect
    body: dict[str, typing.Any] | None = None  # `raw` alone: the body, with {prompt}, {messages} and {parameter} in it
    answer: RawAnswer | None = None  # `raw` alone: where things are in the answer
    instance_type: Text | None = None
    instance_count: Count = 1
    instance_share: Share | None = None  # of its instances, where other components run on them

    @pydantic.model_validator(mode="after")
    def _raw_whole(self) -> typing.Self:
        check_front(dict(self), self.dialect, self.stream)
        if self.async_inference:
            check_async(dict(self), self.stream)
        check_raw(self.dialect == "raw", self.body, self.answer, self.parameters)
        if self.stream and self.dialect in _ANSWER_ONCE:
            raise ValueError(f"{_ANSWER_ONCE[self.dialect]} do not stream; remove `stream:`")
        return self

    @property
    def asked(self) -> str:
        """The name of the endpoint, router or gateway."""
        return self.endpoint or self.inference_router or self.gateway or ""

    @property
    def runtime(self) -> str:
        """The service that is asked, by boto3's name."""
        front = "inference_router" if self.inference_router else "gateway"
        return RUNTIMES[front if self.endpoint is None else "endpoint"]

    @property
    def price_key(self) -> str | None:
        return self.instance_type


class BedrockTarget(_Target):
    service: typing.Literal["bedrock"]
    model_id: Text  # of the operations that apply guardrails: whatever stands for one
    api: Api = "converse"
    dialect: Family | None = None
    cache_system: bool = False  # a prompt-cache point after `system`
    cache_ttl: typing.Literal["5m", "1h"] | None = None  # for how long its tokens are kept
    guardrail: Guardrail | None = None
    latency: typing.Literal["standard", "optimized"] | None = None
    service_tier: typing.Literal["priority", "default", "flex", "reserved"] | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _guarding(cls, data: typing.Any) -> typing.Any:
        return guarding(data)

    @pydantic.model_validator(mode="after")
    def _family_known(self) -> typing.Self:
        if why := unfit(self):
            raise ValueError(why)
        if self.api in GUARDING or self.api == "rerank":
            return self
        if self.dialect is None and (what := not_text(self.model_id)):
            raise ValueError(f"`{self.model_id}` is {what}; choose a model that answers with text or embeds it")
        if self.api != "invoke" and self.family in SILENT:
            raise ValueError(
                f"`{self.model_id}` is a model that {SILENT[self.family]}, which Converse does not; add `api: invoke`"
            )
        if self.api == "invoke" and self.family is None:
            raise ValueError(
                f"the body of `{self.model_id}` is not known; add `dialect:` ({FAMILY_NAMES}), or {instead_of(self.model_id)}"
            )
        if self.stream and self.api == "invoke" and self.family in SILENT:
            once = "rankings" if self.family == "cohere-rerank" else "embeddings"
            raise ValueError(f"{once} do not stream; remove `stream:`")
        if self.cache_system and self.system is None:
            raise ValueError("`cache_system` caches nothing without `system:`; add it")
        if self.cache_ttl and not self.cache_system:
            raise ValueError("`cache_ttl` is for how long `cache_system` keeps its tokens; add `cache_system: true`")
        return self

    @property
    def family(self) -> Family | None:
        """Whose InvokeModel body the model takes: `dialect`, else by the model id."""
        return self.dialect or family_of(self.model_id)

    @property
    def price_key(self) -> str:
        return self.model_id

    @property
    def writes_text(self) -> bool:
        return self.api not in WITHOUT_TEXT


SigningName = typing.Literal["bedrock", "bedrock-mantle", "sagemaker"]


class OpenAITarget(_Target):
    """Any server of OpenAI's routes or Anthropic's: vLLM, TGI, LMI or llama.cpp on EC2 and EKS, gateways, Bedrock's and
    SageMaker's routes of that form."""

    service: typing.Literal["openai"]
    base_url: WebAddress  # up to /v1
    model_id: Text  # `model` of the body
    dialect: RouteDialect = "openai-chat"
    auth: typing.Literal["api_key", "sigv4", "bearer"] = (
        "api_key"  # sigv4: AWS credentials sign each request; bearer: they make short-term keys
    )
    signing_name: SigningName | None = None  # of `sigv4` and `bearer`; else by the host
    api_key_env: Variable | None = None  # the environment variable that holds the key, if the server wants one
    instance_type: Text | None = None
    instance_count: Count = 1

    @pydantic.model_validator(mode="after")
    def _fits(self) -> typing.Self:
        if self.stream and self.dialect in _ANSWER_ONCE:
            raise ValueError(f"{_ANSWER_ONCE[self.dialect]} do not stream; remove `stream:`")
        if self.auth != "api_key" and self.api_key_env is not None:
            raise ValueError(f"`auth: {self.auth}` takes AWS credentials and no key; remove `api_key_env` or `auth:`")
        if self.auth == "api_key" and self.signing_name is not None:
            raise ValueError("`signing_name` is for `auth: sigv4` and `auth: bearer`; add one or remove `signing_name`")
        if self.auth == "sigv4" and self.signed_as == "sagemaker":
            raise ValueError("SageMaker's route takes no signed requests; write `auth: bearer`")
        return self

    @property
    def route(self) -> Route:
        return ROUTES[self.dialect]

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the key."""
        return self.api_key_env or ("ANTHROPIC_API_KEY" if self.dialect == "anthropic-messages" else "OPENAI_API_KEY")

    @property
    def signed_as(self) -> str:
        """The service that requests are signed for, by the host: https://docs.aws.amazon.com/general/latest/gr/bedrock.html"""
        if self.signing_name is not None:
            return self.signing_name
        host = urllib.parse.urlsplit(self.base_url).hostname or ""
        return next((name for part, name in _SIGNED_AS.items() if part in host), "bedrock")

    @property
    def price_key(self) -> str:
        return self.instance_type or self.model_id


#: what a host contains -> the service that its requests are signed for; any other is Bedrock's
_SIGNED_AS = {"bedrock-mantle": "bedrock-mantle", "sagemaker": "sagemaker"}

Target = SageMakerTarget | BedrockTarget | OpenAITarget
