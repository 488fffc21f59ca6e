"""Schemas that structured outputs accept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.providers.anthropic.schema import fit_schema

OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**OPEN, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "fitted"),
    [
        (CLOSED, CLOSED),
        (OPEN, CLOSED),
        ({**OPEN, "additionalProperties": True}, CLOSED),
        ({"type": "array", "items": OPEN}, {"type": "array", "items": CLOSED}),
        ({"anyOf": [OPEN, {"type": "null"}]}, {"anyOf": [CLOSED, {"type": "null"}]}),
        ({"oneOf": [OPEN]}, {"anyOf": [CLOSED]}),
        ({"$defs": {"x": OPEN}}, {"$defs": {"x": CLOSED}}),
        ({"type": ["object", "null"], "properties": {}}, None),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}),
        ({"enum": ["minimum"]}, {"enum": ["minimum"]}),
    ],
)
def test_objects_are_closed_and_nothing_else_changes(schema, fitted):
    found, loosened = fit_schema(schema)

    assert found == (fitted or {**schema, "additionalProperties": False})
    assert not loosened


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
    ],
)
def test_a_map_is_not_emptied_by_closing_it(schema):
    assert fit_schema(schema) == (schema, False)


def test_limits_that_are_not_known_go_into_the_description():
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "description": "A count.", "minimum": 1, "maximum": 9},
            "s": {"type": "string", "format": "iban"},
        },
    }

    found, loosened = fit_schema(schema)

    assert loosened
    assert found["properties"] == {
        "n": {"type": "integer", "description": 'A count.\n\n{"minimum":1,"maximum":9}'},
        "s": {"type": "string", "description": '{"format":"iban"}'},
    }


def test_a_property_called_like_a_limit_is_a_property():
    schema = {"type": "object", "properties": {"minimum": {"type": "number"}}}

    found, loosened = fit_schema(schema)

    assert not loosened
    assert found["properties"] == schema["properties"]


schemas = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "anyOf", "minimum", "format", "$defs"]
            ),
            inner | st.sampled_from(["object", "string"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["type", "properties", "items", "oneOf"]), schemas))
def test_fitting_ends_and_changes_nothing_twice(schema):
    before = json.dumps(schema)

    once, _ = fit_schema(schema)

    assert fit_schema(once) == (once, False)
    assert json.dumps(schema) == before


def test_a_very_deep_schema_is_passed_on():
    schema: dict = {"type": "array"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}

    assert fit_schema(schema)[0] == schema
