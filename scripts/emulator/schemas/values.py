"""A JSON value that follows a JSON schema, always the same one of a schema and a number.

For the answers of a simulated model: the input of a tool that a request demands, JSON that `response_format` asks for.
Every property is given, the optional ones too, until a schema holds itself or nests deeper than `_DEEP`: then what is
required, the shortest arrays, null where it may be. Of a choice the first is taken. Formats, bounds, lengths, patterns,
`$ref`, `allOf`, `contains` and `if` are kept; of `not` a listed value and of `dependentSchemas` nothing.
"""

import itertools
import json
import math
import random
import typing
import urllib.parse

from scripts.emulator.errors import BadBody
from scripts.emulator.schemas import strings
from scripts.emulator.schemas.keywords import allowed, bounds, kinds, merged, refused, whole_step, without

_DEEP = 6
_MOST = 10_000  # values in one answer
_OBJECT = ("properties", "required", "additionalProperties", "patternProperties", "minProperties")
_ARRAY = ("items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems")
_NUMBER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_STRING = ("pattern", "minLength", "maxLength", "format")


def is_open(schema: typing.Any) -> bool:
    """Whether an object of any members follows it: the schema asks for nothing in particular."""
    if not isinstance(schema, dict):
        return schema is not False
    silent = ("type", "title", "description", "additionalProperties", "$schema", "$id", "properties", "required")
    asks = [k for k, v in schema.items() if k not in silent or (k in ("properties", "required") and v)]
    return not asks and schema.get("type", "object") == "object" and schema.get("additionalProperties") is not False


def value_of(schema: typing.Any, number: int) -> typing.Any:
    """Raises BadBody for what is no schema, or one that nothing can follow."""
    try:
        value = _Maker(schema, number).make(schema, 0, ())
        json.dumps(value, allow_nan=False)
    except BadBody:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError, ArithmeticError, StopIteration) as e:
        raise BadBody(f"the JSON schema cannot be followed: {type(e).__name__}: {str(e)[:80]}") from None
    return value


class _Maker:
    """One walk through a schema. `refs`: the references that led to the present place."""

    def __init__(self, root, number: int):
        self._root, self._draw, self._left = root, random.Random(number), _MOST

    def make(self, schema, depth: int, refs: tuple[str, ...]):
        self._left -= 1
        if self._left < 0:
            raise ValueError("more values than an answer may have")
        schema, refs, again = self._resolved(schema, refs)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._draw.choice(allowed(schema))
        short = again or depth >= _DEEP
        return getattr(self, f"_{self._kind(schema, short)}")(schema, depth, refs, short)

    def _resolved(self, schema, refs):
        """The schema with its references, choices and conjunctions drawn into one; the references that it took, and
        whether it had taken one of them before."""
        again = len(set(refs)) < len(refs)
        while True:
            if schema is True or schema is None:
                schema = {}
            if not isinstance(schema, dict):
                raise ValueError("a schema that nothing follows")
            if "$ref" in schema or "$dynamicRef" in schema:
                ref = schema.get("$ref") or schema["$dynamicRef"]
                again = again or ref in refs
                if refs.count(ref) > 3:
                    raise ValueError(f"{ref} holds itself without end")
                refs = (*refs, ref)
                schema = merged(without(schema, "$ref", "$dynamicRef"), self._at(ref))
            elif schema.get("allOf"):
                parts = [self._resolved(part, refs)[0] for part in schema["allOf"]]
                schema = without(schema, "allOf")
                for part in parts:
                    schema = merged(schema, part)
            elif "if" in schema:
                then = merged(self._resolved(schema["if"], refs)[0], schema.get("then", {}))
                schema = merged(without(schema, "if", "then", "else"), then)
            elif key := next((k for k in ("oneOf", "anyOf") if schema.get(k)), None):
                schema = merged(without(schema, key), self._option(schema[key], schema, refs, again))
            else:
                return schema, refs, again

    def _option(self, options: list, around: dict, refs, again: bool):
        """The first choice that fits what stands around it; in a schema that holds itself, null or one without references."""
        around_kinds = kinds(around)
        fits = [o for o in options if o is not False and (not around_kinds or not kinds(o) or around_kinds & kinds(o))]
        if not fits:
            raise ValueError("a choice of nothing")
        plain = [o for o in fits if "$ref" not in json.dumps(o)]
        if again and plain:
            return next((o for o in plain if o == {"type": "null"}), plain[0])
        return next((o for o in fits if o != {"type": "null"}), fits[0])

    def _at(self, ref: str):
        """What a reference names: a place of the document, or the `$id` or `$anchor` of a definition."""
        if ref == "#":
            return self._root
        if ref.startswith("#/"):
            found = self._root
            for spelled in ref[2:].split("/"):
                part = urllib.parse.unquote(spelled).replace("~1", "/").replace("~0", "~")
                found = found[int(part)] if isinstance(found, list) else found[part]
            return found
        for key in ("$defs", "definitions"):
            for schema in self._root.get(key, {}).values():
                names = {schema.get("$id"), f"#{schema.get('$anchor')}", f"#{schema.get('$dynamicAnchor')}"}
                if ref in names:
                    return schema
        raise LookupError(f"no definition {ref}")

    def _kind(self, schema: dict, short: bool) -> str:
        named = schema.get("type")
        if isinstance(named, list):
            some = [k for k in named if k != "null"]
            named = "null" if (short and "null" in named) or not some else some[0]
        if named is not None:
            if named not in ("null", "boolean", "integer", "number", "string", "array", "object"):
                raise ValueError(f"no type {named!r}")
            return named
        for kind, keys in (("object", _OBJECT), ("array", _ARRAY), ("number", _NUMBER), ("string", _STRING)):
            if any(key in schema for key in keys):
                return kind
        return "string"

    def _null(self, schema, depth, refs, short) -> None:
        return None

    def _boolean(self, schema, depth, refs, short) -> bool:
        return self._other(schema, [True, False]) if "not" in schema else self._draw.random() < 0.5

    def _other(self, schema: dict, values: list):
        return next(v for v in values if v not in refused(schema))

    def _integer(self, schema, depth, refs, short) -> int:
        return int(self._number({**schema, "multipleOf": whole_step(schema.get("multipleOf", 1))}, depth, refs, short))

    def _number(self, schema, depth, refs, short):
        step = schema.get("multipleOf") or 0.01
        low, high = bounds(schema, step)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if first > last:  # closer together than the step
            if "multipleOf" in schema or low >= high:
                raise ValueError("no number within these bounds")
            return (low + high) / 2
        steps = [self._draw.randint(first, last), *range(first, min(last, first + 100) + 1)]
        values = [int(n * step) if step == int(step) else round(n * step, 10) for n in steps]
        whole = [v for v in values if (v / step).is_integer()]  # as a reader of floats would check it
        return self._other(schema, whole or values)

    def _string(self, schema, depth, refs, short) -> str:
        if schema.get("contentMediaType") == "application/json" or schema.get("format") == "json-string":
            return json.dumps(self.make(schema.get("contentSchema", {"type": "object"}), depth + 1, refs))
        made = (strings.text_of(schema, self._draw) for _ in range(20))
        return next(text for text in made if text not in refused(schema))

    def _array(self, schema, depth, refs, short) -> list:
        first = schema.get("prefixItems")
        rest = schema.get("items", True)
        if isinstance(rest, list):  # before 2020-12
            first, rest = rest, schema.get("additionalItems", True)
        if (prefix := list(first or ())) and short:
            prefix = prefix[: schema.get("minItems", len(prefix))]
        contains = [schema["contains"]] * schema.get("minContains", 1) if "contains" in schema else []
        least = max(schema.get("minItems", 0), len(prefix) + len(contains))
        if least > self._left:
            raise ValueError("more values than an answer may have")
        most = schema.get("maxItems", math.inf)
        wanted = least if short or rest is False else max(least, min(most, 0 if prefix else 2 if depth < 2 else 1))
        schemas = [*prefix, *(merged(rest if isinstance(rest, dict) else {}, c) for c in contains)]
        schemas += [rest] * (wanted - len(schemas))
        made: list = []
        for inner in schemas:
            tries = (self.make(inner, depth + 1, refs) for _ in range(50))
            made += itertools.islice((v for v in tries if not schema.get("uniqueItems") or v not in made), 1)
        if len(made) < least:
            raise ValueError("not as many different items as the array needs")
        return made

    def _object(self, schema, depth, refs, short) -> dict:
        properties = schema.get("properties", {})
        required = list(schema.get("required", ()))
        names = list(properties) if not short else [name for name in properties if name in required]
        names += [name for name in required if name not in properties]
        made = {}
        for name in names:
            inner = self._member(schema, name)
            if inner is False and name not in required:
                continue
            made[name] = self.make(inner, depth + 1, refs)
        for name, needs in schema.get("dependentRequired", {}).items():
            for need in needs if name in made else ():
                made.setdefault(need, self.make(self._member(schema, need), depth + 1, refs))
        self._fill(schema, made, depth, refs, short)
        return made

    def _member(self, schema: dict, name: str):
        """The schema of a member: its own with those of the patterns that its name has; else that of any other member."""
        found = schema.get("properties", {}).get(name)
        for pattern, inner in schema.get("patternProperties", {}).items():
            if strings.has(pattern, name):
                found = inner if found is None else merged(found, inner)
        return schema.get("additionalProperties", True) if found is None else found

    def _fill(self, schema: dict, made: dict, depth: int, refs, short: bool) -> None:
        """Members of names of one's own: as many as are asked for, one where the schema is that of a map."""
        patterns, others = schema.get("patternProperties", {}), schema.get("additionalProperties", True)
        is_map = not schema.get("properties") and (patterns or (isinstance(others, dict) and others))
        wanted = max(schema.get("minProperties", 0), 1 if is_map and not short else 0)
        wanted = min(wanted, schema.get("maxProperties", wanted), self._left)
        names = schema.get("propertyNames") or (
            {"pattern": next(iter(patterns))} if others is False and patterns else {}
        )
        for _ in range(20 * wanted):
            if len(made) >= wanted:
                return
            name = self.make({"type": "string", "maxLength": 12} | names, depth + 1, refs)
            if name not in made:
                made[name] = self.make(self._member(schema, name), depth + 1, refs)
        if len(made) < wanted:
            raise ValueError("not as many members as the object needs")
