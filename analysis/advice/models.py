"""Which model a stage is of. Different models are not one pool: a dollar buys other answers of each."""

import typing

from analysis.verdicts.stage_results import Result
from locustfiles.contract.prices.model_ids import parse

NOT_NAMED = "a model that is not named"


def model_of(result: Result) -> str:
    """As the scenario names it, else by its id without the geography that a profile of it begins with; NOT_NAMED: an endpoint alone
    is known."""
    found = result.figures.identity
    if found.service == "sagemaker" and found.model == found.target:
        return NOT_NAMED
    named = parse(found.model)
    return named.bare if named.geography else found.model


def by_model(results: list[Result]) -> dict[str, list[Result]]:
    """In the order measured."""
    found: dict[str, list[Result]] = {}
    for r in results:
        found.setdefault(model_of(r), []).append(r)
    return found


def unnamed(results: typing.Iterable[Result]) -> list[str]:
    """A warning where endpoints are compared of which it is not known whether they serve one model."""
    named = list(dict.fromkeys(r.figures.identity.target for r in results if model_of(r) == NOT_NAMED))
    if len(named) < 2:
        return []
    targets = ", ".join(f"`{name}`" for name in named)
    return [f"Which model {targets} serve is not known: they are compared as if it were one; name it with `model:`."]
