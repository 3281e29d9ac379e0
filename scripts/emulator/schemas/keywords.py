"""Keywords of JSON schemas: two schemas as one, what a type allows, the bounds of a number."""

import fractions
import math
import typing

_LEAST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_MOST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_ONCE_EACH = ("anyOf", "oneOf", "$ref", "$dynamicRef", "if", "contains")
_SPAN = 100  # of numbers that have one bound or none


def without(schema: dict, *keys: str) -> dict:
    return {k: v for k, v in schema.items() if k not in keys}


def merged(a: typing.Any, b: typing.Any) -> typing.Any:
    """A schema that follows both. Raises ValueError where nothing can."""
    if a in (True, None, {}) or b in (True, None, {}):
        return b if a in (True, None, {}) else a
    if a is False or b is False:
        raise ValueError("a schema that nothing follows")
    if any(key in a and key in b for key in _ONCE_EACH):  # both choices stand
        return {**a, "allOf": [*a.get("allOf", ()), b]}
    made = {**b, **a}
    for key in a.keys() & b.keys():
        made[key] = _both(key, a[key], b[key])
    if False in (a.get("additionalProperties"), b.get("additionalProperties")) and "properties" in made:
        closed = [s.get("properties", {}).keys() for s in (a, b) if s.get("additionalProperties") is False]
        kept = [n for n in made["properties"] if all(n in c for c in closed) or n in made.get("required", ())]
        made["properties"] = {n: made["properties"][n] for n in kept}
    return made


def _both(key: str, a, b):
    """The values of a keyword that two schemas have, as one; the first for a keyword that has no such rule."""
    if a == b:
        return a
    if key in _LEAST or key in _MOST:
        return (min if key in _LEAST else max)(a, b)
    rule = _RULES.get(key)
    return rule(a, b) if rule else a


def _maps(a: dict, b: dict) -> dict:
    return {**b, **a} | {n: merged(a[n], b[n]) for n in a if n in b and isinstance(a[n], dict)}


def _constants(a, b):
    raise ValueError("two constants that differ")


def _inner(a, b):
    return False if False in (a, b) else merged(a, b)


def _types(a, b):
    first, second = ([t] if isinstance(t, str) else list(t) for t in (a, b))
    both = [t for t in first if t in second]
    both += ["integer"] * ("integer" not in both and {"integer", "number"} <= {*first, *second})
    if not both:
        raise ValueError("two types that exclude each other")
    return both[0] if len(both) == 1 else both


def _common_step(a: float, b: float) -> float:
    x, y = fractions.Fraction(str(a)), fractions.Fraction(str(b))
    common = fractions.Fraction(math.lcm(x.numerator, y.numerator), math.gcd(x.denominator, y.denominator))
    return int(common) if common.denominator == 1 else float(common)


_RULES: dict[str, typing.Callable] = {
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions", "dependentRequired"), _maps),
    **dict.fromkeys(("items", "additionalProperties", "propertyNames"), _inner),
    "required": lambda a, b: [*a, *(n for n in b if n not in a)],
    "enum": lambda a, b: [v for v in a if v in b],
    "allOf": lambda a, b: [*a, *b],
    "not": lambda a, b: {"anyOf": [a, b]},
    "pattern": lambda a, b: f"(?=[\\s\\S]*(?:{b}))(?:{a})",
    "prefixItems": lambda a, b: [*(merged(x, y) for x, y in zip(a, b, strict=False)), *a[len(b) :], *b[len(a) :]],
    "type": _types,
    "const": _constants,
    "multipleOf": _common_step,
}


def whole_step(step: float) -> int:
    """The least step that only meets whole numbers: 3 for multiples of 1.5."""
    return fractions.Fraction(str(step)).numerator


def kinds(schema: typing.Any) -> set[str]:
    """The types that a schema names; empty where it names none."""
    named = schema.get("type", ()) if isinstance(schema, dict) else ()
    names = {named} if isinstance(named, str) else set(named)
    return names | {"integer"} if "number" in names else names


def is_of(value: typing.Any, names: set[str]) -> bool:
    """Whether a JSON value has one of the types; any has where none is named."""
    whole = isinstance(value, float) and value.is_integer()
    of = {bool: {"boolean"}, int: {"integer", "number"}, float: {"number", *(["integer"] if whole else ())}}
    of |= {str: {"string"}, list: {"array"}, dict: {"object"}, type(None): {"null"}}
    return not names or bool(of[type(value)] & names)


def refused(schema: dict) -> list:
    """The values that its `not` lists."""
    no = schema.get("not")
    if not isinstance(no, dict):
        return []
    inner = [value for part in no.get("anyOf", ()) for value in refused({"not": part})]
    return [*inner, *no.get("enum", ()), *([no["const"]] if "const" in no else ())]


def allowed(schema: dict) -> list:
    """Those of its `enum` that its type and its `not` leave. Raises ValueError without one."""
    values = [v for v in schema["enum"] if is_of(v, kinds(schema)) and v not in refused(schema)]
    if not values:
        raise ValueError("an `enum` that leaves nothing")
    return values


def bounds(schema: dict[str, typing.Any], step: float) -> tuple[float, float]:
    """The least and the greatest number, `step` apart from bounds that are excluded (draft 4 says so by a boolean)."""
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    near = step / 1000
    lows = [x for x in (least, _beside(least, above, near)) if x is not None]
    highs = [x for x in (most, _beside(most, below, -near)) if x is not None]
    if not lows and not highs:
        return step, max(_SPAN, step * 9)
    if not highs:
        return max(lows), max(lows) + max(_SPAN, 2 * step)
    high = min(highs)
    start = high - max(_SPAN, 2 * step) if high < step else step
    return (max(lows) if lows else start), high


def _beside(bound, excluded, near: float) -> float | None:
    """The number next to a bound that is excluded, if one is: a number of its own, or `true` of the other one."""
    excluded = bound if excluded is True else excluded
    return None if excluded is None or excluded is False else excluded + near
