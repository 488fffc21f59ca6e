"""Decide whether a JSON schema keeps the rules of OpenAI's strict mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tiergate.base.jsontypes import Json

_DEEPEST: Final = 40
"""More levels of JSON than the ten levels of objects that OpenAI takes can have."""


def is_strict(schema: Mapping[str, Json], depth: int = 0) -> bool:
    """Whether each object of the schema is closed and requires all its properties.

    OpenAI refuses other schemas in strict mode ("Structured outputs", supported schemas);
    Anthropic allows optional properties. The root must be an object, and not `anyOf`.
    """
    if depth == 0 and (schema.get("type") != "object" or "anyOf" in schema):
        return False
    return _closed(dict(schema), depth)


def _closed(node: Json, depth: int) -> bool:
    if depth > _DEEPEST:
        return False
    if isinstance(node, list):
        return all(_closed(item, depth + 1) for item in node)
    if not isinstance(node, dict):
        return True
    properties = node.get("properties")
    if node.get("type") == "object" or isinstance(properties, dict):
        names: list[str] = list(properties) if isinstance(properties, dict) else []
        required = node.get("required")
        listed: list[Json] = required if isinstance(required, list) else []
        if node.get("additionalProperties") is not False or any(n not in listed for n in names):
            return False
    inner = [value for key, value in node.items() if key not in ("properties", "$defs", "enum")]
    for group in (properties, node.get("$defs")):
        if isinstance(group, dict):
            inner += group.values()
    return all(_closed(value, depth + 1) for value in inner)
