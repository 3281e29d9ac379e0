"""What the field of a figure says of it: unit, definition in words, which way is better. Every column comes from such a field."""

import dataclasses
import typing

Better = typing.Literal["lower", "higher", ""]
Kind = typing.Literal["number", "count", "flag", "text"]  # how its values are held

TOLD, OF = "told", "of"  # keys of a field's metadata


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What is told of one figure. `ends`: stem of the two fields beside it that hold the ends of its 95 % interval. `heading`: over
    it in tables, where its name in words would not do."""

    definition: str
    unit: str
    better: Better
    kind: Kind
    ends: str | None
    heading: str


@dataclasses.dataclass(frozen=True, slots=True)
class Of:
    """What a group that is used more than once is of: its columns are named `prefix_field_unit`, a count `prefix_field`."""

    prefix: str
    unit: str
    what: str


def number(
    definition: str,
    unit: str = "",
    better: Better = "",
    *,
    ends: str | None = None,
    heading: str = "",
    required: bool = False,
) -> typing.Any:
    """A field; not known (None) unless given."""
    return _field(Told(definition, unit, better, "number", ends, heading), required)


def count(definition: str, better: Better = "", *, required: bool = False) -> typing.Any:
    """A field of whole numbers."""
    return _field(Told(definition, "", better, "count", None, ""), required)


def text(definition: str, *, heading: str = "", required: bool = False) -> typing.Any:
    """A field of words."""
    return _field(Told(definition, "", "", "text", None, heading), required)


def flag(definition: str, *, required: bool = False) -> typing.Any:
    """A field of yes or no."""
    return _field(Told(definition, "", "", "flag", None, ""), required)


def group(default: typing.Any, prefix: str, unit: str, what: str = "") -> typing.Any:
    """A field that holds a whole group; `default`: the group of which nothing is known."""
    return dataclasses.field(default=default, metadata={OF: Of(prefix, unit, what)})


def _field(told: Told, required: bool) -> typing.Any:
    metadata = {TOLD: told}
    return dataclasses.field(metadata=metadata) if required else dataclasses.field(default=None, metadata=metadata)
