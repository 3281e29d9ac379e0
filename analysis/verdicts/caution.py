"""A caution: why a stage is not VALID, as a kind and its figures. What is said of it comes from caution_kinds.py, and from here
what a stage's cautions make of it: verdict, reasons in words, which way its price is off.
"""

import dataclasses
import functools
import string
import typing

from analysis.verdicts.caution_kinds import KINDS
from analysis.verdicts.price_bias import Bias, bias_of, combined
from analysis.words import format as show
from analysis.words.stage_figures import Trust, Verdict
from locustfiles.contract.prices.price import Price

Value = float | int | str
Figure = Value | tuple[Value, ...]  # several: of several workers
MOST_NAMED = 3
IN_FULL = 2  # reasons that a headline tells with what they do to the figures


def _times(value: float) -> str:
    return {1: "once", 2: "twice"}.get(int(value), f"{int(value)} times")


#: how a figure is written in a sentence
FORMS: dict[str, typing.Callable[[float], str]] = {
    "n": show.count,
    "num": show.number,
    "g": lambda value: f"{value:g}",
    "%": show.percent,
    "s": show.seconds,
    "ms": show.milliseconds,
    "times": _times,
}
NAMES = "names"
ALONE = "local"  # how a run without workers calls itself


@dataclasses.dataclass(frozen=True, slots=True)
class Caution:
    """One reason. kind: a key of KINDS; figures: what its sentence names; price: which way the price of this stage is off by it;
    repetitions: of several taken together those that it is of, none: all of them."""

    kind: str
    figures: typing.Mapping[str, Figure]
    price: Bias | None = None
    repetitions: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[Figure, ...]:
        """Alike are those of one kind that differ in numbers and names of workers alone."""
        return (self.kind, *(self.figures[name] for name, form in fields_of(self.kind).items() if not form))


def caution(kind: str, **figures: Figure) -> Caution:
    return Caution(kind, figures)


@functools.cache
def fields_of(kind: str) -> dict[str, str]:
    """Name -> form of what a kind's sentence names."""
    parsed = string.Formatter().parse(KINDS[kind].seen + KINDS[kind].remedy)
    return {name: form or "" for _, name, form, _ in parsed if name}


class _Shown:
    """A figure of one caution, or of several alike: `{p99_ms:ms}` becomes `24.7 ms` or `4.10 ms to 24.7 ms`."""

    def __init__(self, values: list[typing.Any]) -> None:
        self._values = values

    def __format__(self, spec: str) -> str:
        form, _, nouns = spec.partition(" ")
        one, _, several = nouns.partition("/")
        if not form:
            return str(self._values[0])
        if form == NAMES:
            names = list(dict.fromkeys(map(str, self._values)))
            if names == [ALONE]:
                return "the load generator"
            return f"{several if len(names) > 1 else one} {_listed(names)}"
        low, high = FORMS[form](min(self._values)), FORMS[form](max(self._values))
        text = low if low == high else f"{low} to {high}"
        return f"{text} {one if text == '1' else several}".rstrip()


def _listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`"""
    more = len(names) - MOST_NAMED
    first, last = (names[:MOST_NAMED], f"{more} more") if more > 0 else (names[:-1], names[-1])
    return f"{', '.join(first)} and {last}" if first else last


def alike(cautions: typing.Iterable[Caution]) -> list[list[Caution]]:
    """By key, in the order in which they came."""
    found: dict[tuple[Figure, ...], list[Caution]] = {}
    for one in cautions:
        found.setdefault(one.key, []).append(one)
    return list(found.values())


def _filled(template: str, same: list[Caution]) -> str:
    every: dict[str, list[Value]] = {}
    for one in same:
        for name, figure in one.figures.items():
            every.setdefault(name, []).extend(figure if isinstance(figure, tuple) else (figure,))
    return template.format_map({name: _Shown(values) for name, values in every.items()})


def seen(same: list[Caution], in_full: bool = False) -> str:
    """What cautions that are alike have seen and do to the price, in full to the other figures, too."""
    numbers = [str(n) for one in same for n in one.repetitions]
    of = f"{_Shown(numbers):names repetition/repetitions}: " if numbers else ""
    does = [KINDS[same[0].kind].means] if in_full and KINDS[same[0].kind].means else []
    if biases := {one.price for one in same if one.price}:
        some = "" if all(one.price for one in same) else " by the hour"
        does.append(f"its price{some} is {combined(biases)}")
    return of + _filled(KINDS[same[0].kind].seen, same) + (f", so {' and '.join(does)}" if does else "")


def remedy(same: list[Caution]) -> str:
    return _filled(KINDS[same[0].kind].remedy, same)


def sentence(same: list[Caution]) -> str:
    """`only 7 to 13 successes, so one slow request moves every figure: measure longer (`measure_s`)`"""
    return f"{seen(same, in_full=True)}: {remedy(same)}"


def reasons(cautions: typing.Iterable[Caution], in_full: bool = True) -> str:
    """All of them, a sentence a kind; what is to be done is said once of those that are mended alike."""
    found: dict[str, list[str]] = {}
    for same in alike(cautions):
        found.setdefault(remedy(same), []).append(seen(same, in_full))
    return "; ".join(f"{', and '.join(parts)}: {do}" for do, parts in found.items())


def headline(cautions: typing.Sequence[Caution]) -> str:
    """The same for a headline: of many the gist and what is to be done."""
    return reasons(cautions, in_full=len(alike(cautions)) <= IN_FULL)


def brief(cautions: typing.Iterable[Caution]) -> str:
    """What was seen alone, of a stage that is not the one to be mended."""
    return "; ".join(map(seen, alike(cautions)))


def priced(cautions: typing.Iterable[Caution], price: Price) -> list[Caution]:
    """With what they do to this price."""
    return [dataclasses.replace(one, price=bias_of(KINDS[one.kind].price, price)) for one in cautions]


def trust_of(cautions: typing.Sequence[Caution]) -> Trust:
    """INVALID where one of them makes it so, SUSPECT where there is any."""
    verdicts = {KINDS[one.kind].verdict for one in cautions}
    verdict: Verdict = "INVALID" if "INVALID" in verdicts else "SUSPECT" if verdicts else "VALID"
    return Trust(
        verdict=verdict,
        reasons=reasons(cautions),
        cautions=", ".join(dict.fromkeys(one.kind for one in cautions)),
        price_bias=combined([one.price for one in cautions]),
    )
