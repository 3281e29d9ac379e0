"""What embeddings of images, sound and video cost: refused where the price that is known says nothing of them."""

import collections.abc
import pathlib

from locustfiles.common.dialects.embedded import pieces_of
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.prices.sourced import Sourced
from locustfiles.contract.scenario.families import BY_THE_PIECE, EMBEDDINGS
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import BedrockTarget
from locustfiles.contract.strict_yaml import place_of

_BY_THE_CALL = "`price: {units: {query: USD}}`, one a call"
_BY_THE_IMAGE = "`price: {input: USD, output: 0, units: {image: USD}}`"


def check_embedded(
    path: str,
    scenario: Scenario,
    payloads: collections.abc.Mapping[str, list[Prompt]],
    prices: collections.abc.Mapping[str, Sourced],
) -> None:
    """Of every target that embeds, its payloads' lines. Raises BadScenario."""
    for target in scenario.targets:
        if not isinstance(target, BedrockTarget) or target.api != "invoke" or target.family not in EMBEDDINGS:
            continue
        for name in scenario.payloads_of(target):
            lines = (line for line in payloads[pathlib.Path(name).stem] if line.messages is not None)
            for line in lines:
                if why := _unpriced(target, line, prices[target.name]):
                    raise BadScenario(
                        f"{place_of(path, target.name)}: target `{target.name}`: prompt `{line.id}` of {name} has {why}"
                    )


def _unpriced(target: BedrockTarget, line: Prompt, found: Sourced) -> str | None:
    """What of a line has no price, with the remedy."""
    price = found.price
    if not isinstance(price, TokenPrice) or "query" in price.units:
        return None
    try:
        kinds = {piece.kind for piece in pieces_of(target, line, "text", "image", "audio", "video")}
    except BadPayload:  # told where its body is made
        return None
    own = found.source.origin == "scenario"
    if kinds & {"audio", "video"} and "second" not in price.units:
        return f"sound or video, which is billed by the second, and nothing counts these: add {_BY_THE_CALL}"
    if "image" not in kinds:
        return None
    if target.family not in BY_THE_PIECE:
        tokens = f"an image, and what its tokens cost is not known here: add `price: {{input: USD, output: 0}}`, or {_BY_THE_CALL}"
        return None if own else tokens
    if "image" not in price.units:
        return f"an image, which is billed by the image, and its price is by the token alone: add {_BY_THE_IMAGE}"
    detailed = "DOCUMENT_IMAGE" in str((target.parameters | line.parameters).get("singleEmbeddingParams"))
    return f"a DOCUMENT_IMAGE, whose price is not known here: add {_BY_THE_IMAGE}" if detailed and not own else None
