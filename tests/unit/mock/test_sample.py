"""Samples fit their schemas, whatever the schema refers to."""

from __future__ import annotations

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.sample import sample


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "sample"),
        ({"type": "string", "maxLength": 3}, "sam"),
        ({"type": "string", "format": "date"}, "2025-01-31"),
        ({"type": "string", "format": "uri"}, "sample"),
        ({"type": "integer"}, 1),
        ({"type": "number", "minimum": 2.5}, 2.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["integer", "null"]}, 1),
        ({"const": 7}, 7),
        ({"enum": ["a", "b"]}, "a"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array"}, ["sample"]),
        ({"type": "object"}, {}),
        ({}, {"answer": "sample"}),
    ],
)
def test_each_word_of_a_schema_is_followed(schema: JsonObject, value: Json) -> None:
    assert sample(schema) == value


def test_required_fields_are_filled_and_others_left_out() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "required": ["b"],
    }
    assert sample(schema, "hi") == {"b": "hi"}
    assert sample({**schema, "required": None}) == {"a": 1, "b": "sample"}


def test_references_are_followed() -> None:
    schema: JsonObject = {
        "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/Point"}, "gone": {"$ref": "#/$defs/Absent"}},
    }
    assert sample(schema) == {"at": {"x": 1}, "gone": {}}


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    schema: JsonObject = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    assert isinstance(sample(schema), dict)
