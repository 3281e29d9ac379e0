"""Values that follow a JSON schema: checked by the package jsonschema, and by hand where it does not look."""

import datetime
import ipaddress
import json
import uuid

import jsonschema
import pytest

from scripts.emulator.errors import BadBody
from scripts.emulator.schemas.values import is_open, value_of

NODE = {
    "type": "object",
    "properties": {
        "v": {"type": "number", "minimum": 0.5, "exclusiveMaximum": 0.7},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["v", "next", "kids"],
}
SCHEMAS = {
    "an object": {"properties": {"city": {"type": "string"}, "n": {"type": "integer"}}, "required": ["city", "n"]},
    "a definition that holds itself": {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
    "different items": {"type": "array", "minItems": 3, "uniqueItems": True, "items": {"enum": ["a", "b", "c"]}},
    "many items": {"type": "array", "minItems": 12, "items": {"type": "boolean"}},
    "no item": {"type": "array", "maxItems": 0},
    "a tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"const": "x"}], "items": False, "minItems": 2},
    "one of the items": {"type": "array", "contains": {"const": 5}, "items": {"type": "integer"}},
    "a pattern": {"type": "string", "pattern": r"^[A-Z]{2}-\d{4}$"},
    "a choice of patterns": {"type": "string", "pattern": "^(foo|bar)+$", "minLength": 7, "maxLength": 20},
    "a pattern that looks ahead": {"type": "string", "pattern": "^(?!foo)[a-z]+$"},
    "a pattern and a length": {"type": "string", "pattern": r"^[\w\-\.]+$", "minLength": 30},
    "half a pattern": {"type": "string", "pattern": r"\d{3}"},
    "a long text": {"type": "string", "minLength": 40, "maxLength": 45},
    "a short text": {"type": "string", "maxLength": 3},
    "multiples": {"type": "integer", "multipleOf": 7, "minimum": 50, "maximum": 60},
    "hundredths": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1},
    "between two": {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
    "nearly nothing": {"type": "number", "exclusiveMinimum": 0, "maximum": 0.001},
    "below zero": {"type": "number", "maximum": -5},
    "a bound alone": {"minimum": 3},
    "null or a number": {"type": ["null", "integer"], "minimum": 3},
    "of two forms": {"oneOf": [{"properties": {"k": {"const": c}}, "required": ["k"]} for c in "ab"]},
    "both of two": {"allOf": [{"properties": {n: {"type": t}}, "required": [n]} for n, t in (("a", "integer"), ("b", "null"))]},
    "narrowed": {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 4}, {"not": {"const": 3}}]},
    "a map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 4},
    "a map of patterns": {"type": "object", "patternProperties": {"^x_": {"type": "null"}}, "additionalProperties": False},
    "names of three": {"type": "object", "propertyNames": {"pattern": "^[a-z]{3}$"}, "minProperties": 3},
    "if": {
        "properties": {"t": {"enum": ["a", "b"]}, "x": {"type": "integer"}}, "required": ["t"],
        "if": {"properties": {"t": {"const": "a"}}, "required": ["t"]}, "then": {"required": ["x"]},
    },
    "some values": {"type": "integer", "enum": [1, "a", None], "not": {"enum": [2]}},
    "a member that must not be": {"type": "object", "properties": {"a": False, "b": True}, "required": ["b"]},
    "a member without a schema": {"type": "object", "required": ["zz"]},
    "a member that brings another": {"properties": {"a": {"type": "string"}}, "dependentRequired": {"a": ["c"]}},
    "anything": {},
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_value_follows_its_schema_and_is_the_same_of_a_number(name):
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    for number in range(12):
        value = value_of(schema, number)
        jsonschema.Draft202012Validator(schema).validate(value)
        assert json.dumps(value_of(schema, number)) == json.dumps(value)


FORMATS = {
    "date-time": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "uuid": uuid.UUID,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_can_be_read_as_what_it_is(name):
    for number in range(5):
        FORMATS[name](value_of({"type": "string", "format": name}, number))


def test_an_address_and_a_mail_box_are_those_of_examples():
    assert value_of({"type": "string", "format": "email"}, 1).endswith("@example.com")
    assert value_of({"type": "string", "format": "uri"}, 1).startswith("https://example.com/")


def test_optional_members_are_there_until_a_schema_holds_itself():
    # `next` of the second node is null, its `kids` are empty: one reference was enough
    value = value_of(SCHEMAS["a definition that holds itself"], 3)
    assert set(value) == set(value["next"]) == {"v", "next", "kids"}
    assert (value["next"]["next"], value["next"]["kids"]) == (None, [])
    optional = {"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}}, "required": ["b"]}
    assert value_of(optional, 1) == {"a": None, "b": None}


NO_SCHEMAS = [
    {"$ref": "#/nowhere"},
    {"type": "text"},
    {"properties": [1]},
    {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    {"enum": []},
    False,
    {"type": "string", "pattern": "["},
    {"type": "integer", "minimum": 5, "maximum": 4},
    {"type": "array", "items": {"const": 1}, "minItems": 3, "uniqueItems": True},
    {"type": "string", "minLength": 1e9},
    {"type": "array", "minItems": 1e9},
    {"type": "object", "minProperties": 1e9},
    {"pattern": 3},
    {"$ref": 3},
    {"allOf": 3},
    {"required": 3},
]


@pytest.mark.parametrize("schema", NO_SCHEMAS, ids=json.dumps)
def test_what_nothing_can_follow_is_refused_in_one_line(schema):
    with pytest.raises(BadBody, match="^the JSON schema cannot be followed: [^\n]+$"):
        value_of(schema, 1)


def test_a_schema_is_open_where_it_asks_for_nothing_in_particular():
    for schema in ({}, True, {"type": "object"}, {"type": "object", "properties": {}, "required": []}):
        assert is_open(schema)
    for schema in (False, {"type": "string"}, {"type": "object", "required": ["a"]}, {"additionalProperties": False}):
        assert not is_open(schema)
