"""What a Bedrock target asks, by `api:`: a model for an answer, or an operation that has none."""

import typing

import pydantic

from locustfiles.contract.scenario.field_types import HeaderText
from locustfiles.contract.strict_yaml import Strict

Api = typing.Literal["converse", "invoke", "rerank", "count-tokens", "apply-guardrail", "guardrail-checks"]
#: they apply a guardrail's policies to texts, and ask no model
GUARDING: tuple[Api, ...] = ("apply-guardrail", "guardrail-checks")
#: they answer with counts and findings, in one piece
WITHOUT_TEXT: tuple[Api, ...] = ("count-tokens", *GUARDING)
#: their answers are no body that a model made, and boto3 hands them over read
WHOLE_ANSWERS: tuple[Api, ...] = (*WITHOUT_TEXT, "rerank")
#: keys of a target that such an operation has no place for
_NO_PLACE: dict[str, tuple[str, ...]] = {
    "rerank": ("stream", "dialect", "system", "cache_system", "guardrail", "latency", "service_tier"),
    "count-tokens": ("stream", "guardrail", "latency", "service_tier"),
    "apply-guardrail": ("stream", "dialect", "cache_system", "latency", "service_tier"),
    "guardrail-checks": ("stream", "dialect", "cache_system", "guardrail", "latency", "service_tier"),
}


class Guardrail(Strict):
    """A Bedrock guardrail by its id or ARN."""

    id: HeaderText
    version: typing.Annotated[str, pydantic.Field(pattern=r"^([1-9][0-9]{0,7}|DRAFT)$")]


def guarding(data: typing.Any) -> typing.Any:
    """A target's keys as they are written, with what stands for the model where none is asked: the guardrail's id, else the
    operation's name. A `price:` that has nothing but a guardrail's units bills no tokens. Raises ValueError."""
    if not isinstance(data, dict) or data.get("api") not in GUARDING:
        return data
    guardrail = data.get("guardrail")
    stands_for = str(
        getattr(guardrail, "id", None) or (isinstance(guardrail, dict) and guardrail.get("id")) or data["api"]
    )
    if data.get("model_id") not in (None, stands_for):
        raise ValueError(f"`api: {data['api']}` asks no model; remove `model_id`")
    price = data.get("price")
    if isinstance(price, dict) and price.keys() == {"guardrail"}:
        data = data | {"price": price | {"input": 0.0, "output": 0.0}}
    return data | {"model_id": stands_for}


def unfit(target: typing.Any) -> str | None:
    """What of a Bedrock target does not fit its operation, with the remedy."""
    stray = next((key for key in _NO_PLACE.get(target.api, ()) if getattr(target, key)), None)
    if stray == "stream":
        return f"`api: {target.api}` answers in one piece; remove `stream:`"
    if stray:
        return f"`api: {target.api}` has no `{stray}`; remove it"
    if target.api == "rerank" and not target.model_id.startswith("arn:"):
        return f"`api: rerank` asks a model by its ARN; write `model_id: arn:aws:bedrock:REGION::foundation-model/{target.model_id}`"
    if target.api == "apply-guardrail" and target.guardrail is None:
        return "`api: apply-guardrail` applies a guardrail; add `guardrail: {id: …, version: …}`"
    return None
