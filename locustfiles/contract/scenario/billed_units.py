"""Units that a target is billed by, and whether its answers say how many a call had: without a count no dollar is known, and no
budget can be kept."""

from locustfiles.contract.prices.price import Price, TokenPrice
from locustfiles.contract.scenario.families import EMBEDDINGS
from locustfiles.contract.scenario.targets import BedrockTarget, SageMakerTarget, Target


def counted_unit(price: Price) -> str | None:
    """The unit of a price that needs a count from the service: a `query` needs none, a call that says nothing is one."""
    units = price.units if isinstance(price, TokenPrice) else {}
    return next((unit for unit in units if unit != "query"), None)


def never_counted(target: Target, price: Price) -> str | None:
    """Why the cost of such a target can never be known, with what to do about it; None where it may be."""
    unit = counted_unit(price)
    silent = _silent(target) if unit and not by_the_image(target, price) else None
    return (
        f"it is billed by the {unit}, and {silent}: its cost will not be known; {_remedy(target)}" if silent else None
    )


def not_counted(target: Target, price: Price, units: float | None) -> str | None:
    """The same of an answer that worked and came with so many units."""
    unit = counted_unit(price)
    if unit is None or units is not None or _silent(target):
        return None
    told = f"it is billed by the {unit}, and a first call came without a count of them"
    return f"{told}: its cost will not be known; {_remedy(target)}"


def by_the_image(target: Target, price: Price) -> bool:
    """Whether its units are the images that a request embeds: those that were sent, for its answers count none."""
    return embeds(target) and counted_unit(price) == "image"


def embeds(target: Target) -> bool:
    """Whether it is a model of Bedrock's that makes vectors."""
    return isinstance(target, BedrockTarget) and target.api == "invoke" and target.family in EMBEDDINGS


def unguarded(target: Target, why: str) -> str:
    """The line that stops a run with a budget before it is spent unseen."""
    return f"target `{target.name}`: `budget_usd` cannot be kept: {why}"


def _silent(target: Target) -> str | None:
    """What it is that never counts units; None where answers may: Cohere's own, and a container's by `answer.units`."""
    if isinstance(target, BedrockTarget):
        if target.api != "invoke":
            return f"{'Converse' if target.writes_text else f'`api: {target.api}`'} counts none"
        return None if (target.family or "").startswith("cohere") else f"answers of `{target.family}` count none"
    if isinstance(target, SageMakerTarget) and target.answer is not None:
        return None if target.answer.units else "`answer` does not say where their count is"
    return None


def _remedy(target: Target) -> str:
    remedy = "price it by token, by `query`, which is one a call, or by the hour"
    raw = isinstance(target, SageMakerTarget) and target.answer is not None and not target.answer.units
    return f"add `answer.units`, or {remedy}" if raw else remedy
