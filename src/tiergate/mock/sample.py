"""Makes a value that fits a JSON Schema, for tool arguments and structured output.

It knows the words that SDKs generate (`type`, `properties`, `required`, `items`, `enum`, `const`,
`anyOf`, `$ref`, `minimum`, `minItems`, formats of dates); it does not solve patterns or
conditions.
"""

from __future__ import annotations

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.call import objects

MAX_DEPTH = 12


def sample(schema: JsonObject, text: str = "sample") -> Json:
    """A value for the schema: always the same one for the same arguments.

    Args:
        schema: JSON Schema; `{}` gives an object.
        text: what free text fields say.
    """
    if not schema:
        return {"answer": text}
    return _Sampler(schema, text).value(schema, 0)


class _Sampler:
    """Walks one schema document, in which `$ref` points."""

    def __init__(self, root: JsonObject, text: str) -> None:
        self._root = root
        self._text = text

    def value(self, schema: JsonObject, depth: int) -> Json:
        """The sample of one (sub)schema; where a schema refers to itself without end, null."""
        if depth > MAX_DEPTH:
            return None
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self.value(self._resolve(reference), depth + 1)
        if "const" in schema:
            return schema["const"]
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            return choices[0]
        for word in ("anyOf", "oneOf", "allOf"):
            options = objects(schema.get(word))
            if options:
                return self.value(options[0], depth + 1)
        return self._typed(schema, depth)

    def _typed(self, schema: JsonObject, depth: int) -> Json:
        kind = schema.get("type")
        if isinstance(kind, list) and kind:
            kind = kind[0]
        match kind:
            case "string":
                return _string(schema, self._text)
            case "integer" | "number":
                lowest = schema.get("minimum")
                return lowest if isinstance(lowest, int | float) else 1
            case "boolean":
                return True
            case "null":
                return None
            case "array":
                return self._array(schema, depth)
            case _:
                return self._object(schema, depth)

    def _array(self, schema: JsonObject, depth: int) -> Json:
        items = schema.get("items")
        least = schema.get("minItems")
        one = self.value(items, depth + 1) if isinstance(items, dict) else self._text
        return [one] * (min(least, MAX_DEPTH) if isinstance(least, int) and least > 1 else 1)

    def _object(self, schema: JsonObject, depth: int) -> Json:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return {}
        required = schema.get("required")
        wanted = required if isinstance(required, list) else list(properties)
        return {
            name: self.value(field, depth + 1)
            for name, field in properties.items()
            if name in wanted and isinstance(field, dict)
        }

    def _resolve(self, reference: str) -> JsonObject:
        place = self._root
        for name in reference.removeprefix("#").split("/"):
            inner = place.get(name) if name else place
            place = inner if isinstance(inner, dict) else {}
        return place


def _string(schema: JsonObject, text: str) -> str:
    formats = {"date": "2025-01-31", "date-time": "2025-01-31T12:00:00Z", "time": "12:00:00Z"}
    wanted = schema.get("format")
    if isinstance(wanted, str) and wanted in formats:
        return formats[wanted]
    longest = schema.get("maxLength")
    return text[:longest] if isinstance(longest, int) else text
