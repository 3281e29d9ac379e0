"""A file of limits: of every stage, as a scenario has them, and of classes of stages, each of which names the stages it is for."""

import fnmatch
import math
import pathlib
import typing

import pydantic

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.field_types import Name, Text
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.strict_yaml import Strict, load_yaml

Band = tuple[float | None, float | None]  # both inclusive; None: without an end


def _listed(value: object) -> object:
    """One of them need not be in brackets."""
    return value if isinstance(value, list) else [value]


def _band(value: object) -> object:
    """5, `5..20`, `5..` or `..20` -> both ends. Raises ValueError for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (float(value), float(value))
    ends = value.split("..") if isinstance(value, str) else []
    if len(ends) != 2 or not any(end.strip() for end in ends):
        raise ValueError("must be a level such as 5, or a range such as 5..20, 5.. or ..20")
    try:
        low, high = (float(end) if end.strip() else None for end in ends)
    except ValueError:
        raise ValueError("has an end that is no number; write 5..20") from None
    if not all(end is None or math.isfinite(end) for end in (low, high)):
        raise ValueError("has an end that is no number; write 5..20")
    if low is not None and high is not None and low > high:
        raise ValueError("is empty, its first end is the larger one; write 5..20")
    return low, high


Patterns = typing.Annotated[list[Text], pydantic.BeforeValidator(_listed), pydantic.Field(min_length=1)]
Bands = typing.Annotated[
    list[typing.Annotated[Band, pydantic.BeforeValidator(_band)]],
    pydantic.BeforeValidator(_listed),
    pydantic.Field(min_length=1),
]


class Visit(typing.Protocol):
    """A stage: which target on which payload, at how many users or at which rate."""

    @property
    def target(self) -> str: ...

    @property
    def payload(self) -> str: ...

    @property
    def users(self) -> int | None: ...

    @property
    def rate(self) -> float | None: ...


class Where(Strict):
    """Which stages a class is for: those that fit each key that is given; `*` and `?` in names as in the names of files."""

    target: Patterns | None = None
    model: Patterns | None = None
    payload: Patterns | None = None
    users: Bands | None = None
    rate: Bands | None = None

    def fits(self, visit: Visit, model: str) -> bool:
        """Whether a stage is one of them. users, rate: the closed loop's levels and the open loop's; either lets a stage in."""
        names = ((self.target, visit.target), (self.model, model), (self.payload, visit.payload))
        if not all(patterns is None or _named(patterns, name) for patterns, name in names):
            return False
        rate = visit.rate if visit.users is None else None
        return (
            (self.users is None and self.rate is None) or _within(self.users, visit.users) or _within(self.rate, rate)
        )

    @property
    def text(self) -> str:
        """`target chat-*, users 5..20`"""
        patterns = {"target": self.target, "model": self.model, "payload": self.payload}
        told = [f"{key} {' or '.join(names)}" for key, names in patterns.items() if names]
        levels = {"users": self.users, "rate": self.rate}
        told += [f"{key} {' or '.join(map(_band_text, bands))}" for key, bands in levels.items() if bands]
        return ", ".join(told) or "every stage"


class SloClass(Slo):
    where: Where = Where()

    @pydantic.model_validator(mode="after")
    def _limits_something(self) -> typing.Self:
        if self.dataset is not None:
            raise ValueError("`dataset` is of the whole file; write it below `slo:`")
        if self.empty:
            raise ValueError("sets no limit; add one, such as latency_s: {p95: 2.0}")
        return self


class SloFile(Strict):
    """Limits of all stages, `slo:`, and those of classes; a stage keeps those of every class that it is in."""

    slo: Slo = Slo()
    classes: dict[Name, SloClass] = {}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _in_its_place(cls, data: object) -> object:
        stray = next((key for key in Slo.model_fields if key in data), None) if isinstance(data, dict) else None
        if stray:
            raise ValueError(f"`{stray}` stands by itself; write limits below `slo:`, or below a class of `classes:`")
        return data

    @pydantic.model_validator(mode="after")
    def _limits_something(self) -> typing.Self:
        if self.slo.empty and not self.classes and self.slo.dataset is None:
            raise ValueError("sets no limit; add `slo:` as a scenario has it, or `classes:`")
        return self

    def of(self, visit: Visit, model: str) -> dict[str, Slo]:
        """Class -> the limits that a stage has to keep; those of every stage under the name of none, ``."""
        found: dict[str, Slo] = {} if self.slo.empty else {"": self.slo}
        return found | {name: one for name, one in self.classes.items() if one.where.fits(visit, model)}


def load_slo(path: str | pathlib.Path) -> SloFile:
    """Read a file of limits. Raises BadInput with file, line and remedy."""
    return load_yaml(path, SloFile, BadInput)


def _named(patterns: list[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern.removesuffix(".jsonl")) for pattern in patterns)


def _within(bands: list[Band] | None, level: float | None) -> bool:
    if bands is None or level is None:
        return False
    return any((low is None or level >= low) and (high is None or level <= high) for low, high in bands)


def _band_text(band: Band) -> str:
    low, high = ("" if end is None else f"{end:g}" for end in band)
    return low if low == high else f"{low}..{high}"
