"""OpenAI's rules for schemas in strict mode."""

from __future__ import annotations

import pytest

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.providers.openai.schema import is_strict


def _object(properties: JsonObject, required: list[Json], **more: Json) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        **more,
    }


CLOSED = _object({"a": {"type": "string"}}, ["a"])


@pytest.mark.parametrize(
    "schema",
    [
        CLOSED,
        _object({}, []),
        _object({"a": CLOSED, "b": {"type": "array", "items": CLOSED}}, ["a", "b"]),
        _object({"a": {"$ref": "#/$defs/x"}}, ["a"], **{"$defs": {"x": CLOSED}}),
        # A property that has the name of a keyword is no keyword.
        _object({"properties": {"type": "string"}, "type": {"enum": [1]}}, ["properties", "type"]),
    ],
)
def test_closed_schemas_with_all_properties_required_are_strict(schema: JsonObject) -> None:
    assert is_strict(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "object", "properties": {}},
        _object({"a": {}, "b": {}}, ["a"]),
        _object({"a": {"type": "object"}}, ["a"]),
        _object({"a": {"anyOf": [CLOSED, {"type": "object"}]}}, ["a"]),
        _object({"a": {"$ref": "#/$defs/x"}}, ["a"], **{"$defs": {"x": {"type": "object"}}}),
        {**CLOSED, "anyOf": [CLOSED]},
    ],
)
def test_open_schemas_are_not_strict(schema: JsonObject) -> None:
    assert not is_strict(schema)


def test_a_schema_deeper_than_any_host_takes_is_not_strict() -> None:
    schema = CLOSED
    for _ in range(60):
        schema = _object({"a": schema}, ["a"])
    assert not is_strict(schema)
