"""The columns of the steps table, derived from the fields of StageFigures: steps.csv and the report's glossary come from them.

A table that is driven by columns names them as figures of a stage, so that a misspelt one is an error of the type checker:
`column(lambda f: f.latency.p95)`, `columns(lambda f: (f.latency.p50, f.latency.p95))`.
"""

import dataclasses
import functools
import operator
import typing

from analysis.words import format as show
from analysis.words.figure_fields import OF, TOLD, Better, Kind, Of, Told
from analysis.words.session_figures import TurnFigures
from analysis.words.stage_figures import StageFigures

Path = tuple[str, ...]  # how a figure is reached: ("latency", "p95")


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """`better` is lower, higher or empty; `kind` is how its values are held; `ends`: the columns of its 95 % interval's ends;
    `heading`: over it in tables, empty where its name in words will do."""

    name: str
    unit: str
    definition: str
    better: Better
    kind: Kind
    path: Path
    ends: tuple[Path, Path] | None
    heading: str

    @property
    def words(self) -> typing.Callable[[typing.Any], str]:
        """What writes a value of it with its unit: 2.51 s, $0.004332, 6.25 %."""
        if self.kind == "count":
            return show.count
        if self.kind == "flag":
            return lambda value: "yes" if value else "no"
        if self.kind == "text":
            return show.text
        if self.name.endswith(("_share", "error_rate", "cpu_max")):
            return show.percent
        return {"s": show.seconds, "ms": show.milliseconds, "USD": show.money}.get(self.unit, show.number)

    def of(self, figures: StageFigures) -> typing.Any:
        """Its value of a stage; None is not known."""
        return _reach(self.path, figures)

    def ends_in(self, figures: StageFigures) -> tuple[float | None, float | None]:
        """Its 95 % interval, of the columns whose interval has columns of its own; (None, None) where it is not known."""
        if self.ends is None:
            return None, None
        low, high = (_reach(path, figures) for path in self.ends)
        return low, high

    @property
    def told(self) -> dict[str, str]:
        """What the glossary says of it."""
        names = ("name", "unit", "definition", "better", "kind")
        return {name: getattr(self, name) for name in names}


def _reach(path: Path, figures: StageFigures) -> typing.Any:
    return _way(path)(figures)


@functools.cache
def _way(path: Path) -> typing.Callable[[StageFigures], typing.Any]:
    return operator.attrgetter(".".join(path))


def columns_of(group: type, path: Path = (), of: Of | None = None) -> typing.Iterator[Column]:
    """Those of a group's fields, in their order, groups inside it included."""
    for field in dataclasses.fields(group):
        told: Told | None = field.metadata.get(TOLD)
        if told is None:
            assert isinstance(field.type, type)  # a group inside
            yield from columns_of(field.type, (*path, field.name), field.metadata.get(OF))
            continue
        ends = told.ends and ((*path, f"{told.ends}_low"), (*path, f"{told.ends}_high"))
        name, unit, definition = field.name, told.unit, told.definition
        if of is not None:
            counted = told.kind == "count"
            unit = "" if counted else of.unit
            name = f"{of.prefix}_{name}" + ("" if counted else f"_{unit}")
            definition = definition.format(what=of.what, name=of.prefix)
        yield Column(name, unit, definition, told.better, told.kind, (*path, field.name), ends or None, told.heading)


METRICS: tuple[Column, ...] = tuple(columns_of(StageFigures))
STEP_COLUMNS: tuple[str, ...] = tuple(c.name for c in METRICS)


#: the same of the turns of conversations, by number
TURN_METRICS: tuple[Column, ...] = tuple(columns_of(TurnFigures))


def turn_row_of(turn: TurnFigures) -> dict[str, typing.Any]:
    """A row of turns.csv: column -> value."""
    return {c.name: operator.attrgetter(".".join(c.path))(turn) for c in TURN_METRICS}


def row_of(figures: StageFigures) -> dict[str, typing.Any]:
    """A row of steps.csv: column -> value."""
    return {c.name: c.of(figures) for c in METRICS}


@functools.cache
def _as_figures() -> typing.Any:
    """A StageFigures whose every figure is its own Column."""
    by_path = {c.path: c for c in METRICS}

    def made(group: typing.Any, path: Path) -> typing.Any:
        each = {f.name: (*path, f.name) for f in dataclasses.fields(group)}
        types = {f.name: f.type for f in dataclasses.fields(group)}
        return group(**{n: by_path[p] if p in by_path else made(types[n], p) for n, p in each.items()})

    return made(StageFigures, ())


def column(pick: typing.Callable[[StageFigures], object]) -> Column:
    """The column of the figure that is picked."""
    return typing.cast(Column, pick(_as_figures()))


def columns(pick: typing.Callable[[StageFigures], typing.Iterable[object]]) -> tuple[Column, ...]:
    """The columns of the figures that are picked."""
    return typing.cast("tuple[Column, ...]", tuple(pick(_as_figures())))


Cell = Column | typing.Callable[[StageFigures], str]  # a figure of a stage, or what writes a text of it


def headed(pick: typing.Callable[[StageFigures], typing.Mapping[str, object]]) -> dict[str, Cell]:
    """Heading -> what stands under it: the column of a figure, or a function of the stage."""
    return typing.cast("dict[str, Cell]", dict(pick(_as_figures())))
