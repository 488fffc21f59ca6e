"""Decide whether a JSON schema keeps the rules of OpenAI's strict mode."""

from __future__ import annotations

from collections.abc import Mapping

from tiergate.base.jsontypes import Json


def is_strict(schema: Mapping[str, Json], depth: int = 0) -> bool:
    """Whether each object of the schema is closed and requires all its properties.

    OpenAI refuses other schemas in strict mode ("Structured outputs", supported schemas);
    Anthropic allows optional properties. The root must be an object, and not `anyOf`.
    """
    if depth == 0 and (schema.get("type") != "object" or "anyOf" in schema):
        return False
    return _closed(dict(schema), depth)


def _closed(node: Json, depth: int) -> bool:
    if depth > 40:  # noqa: PLR2004 - deeper than OpenAI takes (10 levels) by any count
        return False
    if isinstance(node, list):
        return all(_closed(item, depth + 1) for item in node)
    if not isinstance(node, dict):
        return True
    properties = node.get("properties")
    if node.get("type") == "object" or isinstance(properties, dict):
        names = set(properties) if isinstance(properties, dict) else set[str]()
        required = node.get("required")
        listed = (
            {n for n in required if isinstance(n, str)} if isinstance(required, list) else set()
        )
        if node.get("additionalProperties") is not False or names - listed:
            return False
    inner = [value for key, value in node.items() if key not in ("properties", "$defs", "enum")]
    for group in (properties, node.get("$defs")):
        if isinstance(group, dict):
            inner += group.values()
    return all(_closed(value, depth + 1) for value in inner)
