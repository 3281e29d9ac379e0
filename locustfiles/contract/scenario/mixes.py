"""A mix: several targets and payloads that are sent at the same time, each request of one part, drawn by the parts' weights."""

import fractions
import math
import pathlib
import typing

import pydantic

from locustfiles.contract.scenario.field_types import Text
from locustfiles.contract.strict_yaml import Strict

MOST_DRAWS = 1000  # of a block, in which every part is drawn exactly as often as its weight says


class MixPart(Strict):
    """One part. payload: the file's stem; it may be left out where the target has one payload alone."""

    target: Text
    payload: Text | None = None
    weight: typing.Annotated[float, pydantic.Field(gt=0, le=1e6)] = 1.0


class Part(typing.NamedTuple):
    """A part whose payload is known. share: of all requests, 0 to 1."""

    target: str
    payload: str
    share: float


Files = typing.Mapping[str, typing.Sequence[str]]  # target -> its payload files


def parts_of(mix: typing.Sequence[MixPart], files: Files) -> list[Part]:
    """Of a mix that has been checked."""
    whole = sum(part.weight for part in mix)
    return [Part(p.target, p.payload or stem(files[p.target][0]), p.weight / whole) for p in mix]


def stem(file: str) -> str:
    return pathlib.PurePath(file).stem


def counts(weights: typing.Sequence[float]) -> list[int]:
    """How often each part is drawn in a block: the least whole numbers in the ratio of the weights, as they are written."""
    exact = [fractions.Fraction(repr(weight)) for weight in weights]
    whole = math.lcm(*(each.denominator for each in exact))
    found = [int(each * whole) for each in exact]
    common = math.gcd(*found)
    return [each // common for each in found]


def check_mix(mix: typing.Sequence[MixPart], files: Files) -> None:
    """Raises ValueError with what is wrong and the remedy. files: of every target of the scenario."""
    if len(mix) < 2:
        raise ValueError("`mix` has one part, which is no mix; remove `mix:`, or add a part")
    for part in mix:
        _check_part(part, files)
    told = [(part.target, part.payload) for part in parts_of(mix, files)]
    if twice := next((one for one in told if told.count(one) > 1), None):
        raise ValueError(
            f"`mix` has two parts of target `{twice[0]}` with payload `{twice[1]}`; give one their weights' sum"
        )
    if idle := next((target for target in files if target not in {t for t, _ in told}), None):
        raise ValueError(
            f"target `{idle}` is in no part of `mix`, so nothing would be sent to it; add a part, or remove it"
        )
    unsent = {stem(file) for named in files.values() for file in named} - {payload for _, payload in told}
    if unsent:
        raise ValueError(f"payload `{min(unsent)}` is in no part of `mix`; add a part, or remove it from `payloads`")
    if (draws := sum(counts([part.weight for part in mix]))) > MOST_DRAWS:
        raise ValueError(
            f"`mix` has weights that meet their shares only in {draws:,} requests (at most {MOST_DRAWS:,}); round them"
        )


def _check_part(part: MixPart, files: Files) -> None:
    """Raises ValueError."""
    if part.target not in files:
        raise ValueError(
            f"`mix` names target `{part.target}`, which the scenario does not have; it has {', '.join(files)}"
        )
    stems = [stem(file) for file in files[part.target]]
    if part.payload is None and len(stems) > 1:
        raise ValueError(
            f"`mix`: target `{part.target}` has several payloads; add `payload:`, one of {', '.join(stems)}"
        )
    if part.payload is not None and part.payload not in stems:
        raise ValueError(
            f"`mix`: target `{part.target}` has no payload `{part.payload}` (file stem); it has {', '.join(stems)}"
        )


def mix_text(parts: typing.Sequence[Part]) -> str:
    """`chat on short 75 %, batch on long 25 %`"""
    return ", ".join(f"{part.target} on {part.payload} {100 * part.share:.3g} %" for part in parts)
