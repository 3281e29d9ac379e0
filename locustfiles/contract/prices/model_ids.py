"""What a Bedrock model id or ARN names: a model, a profile of it in a geography, or what is billed otherwise."""

import re
import typing

GEOGRAPHIES = ("global", "us", "us-gov", "eu", "apac", "jp", "au", "ca", "in", "sa")

#: part of an ARN -> how what it names is billed
_BY_THE_HOUR = "is billed by the hour and model unit; add `price: {usd_per_hour: …, instance_count: model units}`"
_BY_ITS_MODEL = "does not name its model; add `price:` with that of the model behind it (`python -m analysis prices MODEL` tells it)"
_BY_CHOICE = "a prompt router bills whichever model it chose; add `price:` with that of its dearest model"
_ITS_INSTANCES = "is billed by its instances; add `price: {usd_per_hour: …, instance_count: …}`"
_BY_INSTANCE = f"a marketplace endpoint {_ITS_INSTANCES}"
_BY_CALLS = (
    "bills every model that it calls, and no price of a call is known; add `price:` per token of the dearest one"
)
_TO_DEPLOY = f"names a model to deploy, whose endpoint {_ITS_INSTANCES}"
OTHERWISE = {
    ":provisioned-model/": f"provisioned throughput {_BY_THE_HOUR}",
    ":imported-model/": f"an imported model {_BY_THE_HOUR}",
    ":custom-model-deployment/": f"a custom model's on-demand deployment {_BY_ITS_MODEL}",
    ":custom-model/": f"a custom model {_BY_THE_HOUR}",
    ":application-inference-profile/": f"an application inference profile {_BY_ITS_MODEL}",
    ":default-prompt-router/": _BY_CHOICE,
    ":prompt-router/": _BY_CHOICE,
    ":prompt/": f"a managed prompt {_BY_ITS_MODEL}",
    ":marketplace/": _BY_INSTANCE,
    ":endpoint/": _BY_INSTANCE,
    ":inference-component/": f"an inference component {_ITS_INSTANCES}, with `share:` for its part of them",
    ":model-package/": f"a model package {_TO_DEPLOY}",
    ":hub-content/": f"a model of a hub {_TO_DEPLOY}",
    ":agent/": f"an agent {_BY_CALLS}",
    ":agent-alias/": f"an agent {_BY_CALLS}",
    ":flow/": f"a flow {_BY_CALLS}",
}
#: beginning of a partition's regions -> why no price that is known here holds in them
_APART = {
    "cn-": "Bedrock is not offered in China's regions, and AWS bills there in CNY; check it, or add `price:` in USD",
    "eusc-": "the AWS European Sovereign Cloud has prices of its own, in EUR; add `price:`, in USD",
    **dict.fromkeys(
        ("us-iso", "eu-iso"), "AWS's isolated regions have prices of their own, which are not public; add `price:`"
    ),
}
#: beginning of a bare id -> the unit that it is billed by, instead of or beside tokens
_UNITS = {
    "stability.": "image",
    "amazon.nova-canvas": "image",
    "amazon.titan-image": "image",
    "amazon.nova-reel": "second",
    "luma.": "second",
    "twelvelabs.marengo": "query",
    "twelvelabs.": "second",
}
_NAMES_A_MODEL = ("foundation-model", "inference-profile")

_CONTEXT = re.compile(r"(?<=:\d):(\d+k|\d{3,}|mm)$")  # amazon.nova-pro-v1:0:300k, cohere.embed-english-v3:0:512
_FIRST_VERSION = re.compile(r"-v1$|(?<=[a-z])-1$")  # openai.gpt-oss-120b-1:0 is openai.gpt-oss-120b on the mantle route
_DATE = re.compile(r"-20\d{6}(?=-|$)")


class ModelId(typing.NamedTuple):
    bare: str  # amazon.nova-lite-v1:0
    geography: str | None  # us, eu, global, …: of a cross-region inference profile
    region: str | None  # an ARN's

    @property
    def profile(self) -> str:
        """The id with its geography: `us.amazon.nova-lite-v1:0`."""
        return f"{self.geography}.{self.bare}" if self.geography else self.bare


def billed_otherwise(model_id: str, region: str | None) -> str | None:
    """How it is billed, where it is not by a token price that is known here: what an ARN names, or the place; None for any other."""
    if apart := _billed_apart(model_id, region):
        return apart
    if not model_id.startswith("arn:"):
        return None
    if how := next((how for part, how in OTHERWISE.items() if part in model_id), None):
        return how
    if not re.fullmatch(rf"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:[0-9]*:({'|'.join(_NAMES_A_MODEL)})/.+", model_id):
        return f"this ARN names neither a {' nor an '.join(_NAMES_A_MODEL)}; check it, or add `price:` with what it is billed by"
    return None


def _billed_apart(model_id: str, region: str | None) -> str | None:
    """Why the prices known here are not those of an ARN's partition, or of a region; None where they may be."""
    of_arn = re.match(r"arn:aws-([a-z-]+):", model_id)
    places = (f"{of_arn[1]}-".replace("iso-", "us-iso-"), region or "") if of_arn else (region or "",)
    return next((why for beginning, why in _APART.items() if any(p.startswith(beginning) for p in places)), None)


def billed_by_the_unit(bare: str) -> str | None:
    """What to write for a model of images or films; None for any other."""
    unit = next((unit for beginning, unit in _UNITS.items() if bare.startswith(beginning)), None)
    return (
        unit
        and f"it is billed by the {unit}: add `price: {{units: {{{unit}: USD}}}}`, with `input:` and `output:` where tokens cost as well"
    )


def parse(model_id: str) -> ModelId:
    """Of a model id, an inference profile's id, or an ARN that ends in one."""
    region = None
    if arn := re.fullmatch(r"arn:aws(-us-gov)?[a-z-]*:bedrock:([a-z0-9-]*):[0-9]*:[a-z-]+/(.+)", model_id):
        region, model_id = arn[2] or (arn[1] and "us-gov") or None, arn[3]
    model_id = _CONTEXT.sub("", model_id)
    geography, dot, rest = model_id.partition(".")
    twice = rest.partition(".")[0] in GEOGRAPHIES
    if dot and geography in GEOGRAPHIES and "." in rest and not twice:
        return ModelId(rest, geography, region)
    return ModelId(model_id, None, region)


def as_on_bedrock(text: str) -> str:
    """What was meant by an id as other tools write it: `bedrock/us.amazon…`, `…haiku-4-5@20251001`, in capitals."""
    text = text.strip().lower()
    return text if text.startswith("arn:") else text.rpartition("/")[2].replace("@", "-")


def canonical(model_id: str) -> str:
    """The same text for all spellings of one model: without context length, `:0`, and the first version's `-v1`."""
    return _FIRST_VERSION.sub("", _CONTEXT.sub("", model_id).removesuffix(":0"))


def undated(model_id: str) -> str:
    """`canonical`, without a release date: ids of some models are written with one and without."""
    return canonical(_DATE.sub("", model_id))
