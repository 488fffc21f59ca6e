"""Fit a JSON schema to what structured outputs and strict tools accept.

Source: platform.claude.com, "Structured outputs", JSON Schema limitations: objects are closed,
and limits on numbers, lengths and list sizes are not known. What is taken out is written into
the `description` beside it, so that the model still reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tiergate.base.jsontypes import Json, JsonObject

_LIMITS: Final = frozenset(
    {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "contains",
        "minContains",
        "maxContains",
        "minProperties",
        "maxProperties",
        "propertyNames",
        "patternProperties",
    }
)
_FORMATS: Final = frozenset(
    {
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "uri",
        "ipv4",
        "ipv6",
        "uuid",
    }
)
_ONE: Final = frozenset({"items", "not"})
_MANY: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED: Final = frozenset({"properties", "$defs", "definitions"})
MAX_DEPTH: Final = 64
"""Schemas nested deeper are passed on as they are from there; the provider refuses them."""


def fit_schema(schema: Mapping[str, Json]) -> tuple[JsonObject, bool]:
    """Return the schema as the provider takes it, and whether a limit was taken out.

    An answer that keeps to the result keeps to the original, but for those limits.
    """
    fitter = _Fitter()
    return fitter.fit(schema, 0), fitter.loosened


class _Fitter:
    """Walks one schema."""

    __slots__ = ("loosened",)

    def __init__(self) -> None:
        self.loosened = False

    def fit(self, schema: Mapping[str, Json], depth: int) -> JsonObject:
        """Return one level, fitted."""
        if depth > MAX_DEPTH:
            return dict(schema)
        fitted: JsonObject = {}
        removed: JsonObject = {}
        for key, value in schema.items():
            if self._too_much(key, value):
                removed[key] = value
            elif key == "additionalProperties":
                continue
            else:
                fitted["anyOf" if key == "oneOf" else key] = self._inner(key, value, depth)
        if _closable(schema):
            fitted["additionalProperties"] = False
        elif "additionalProperties" in schema:
            fitted["additionalProperties"] = schema["additionalProperties"]
        if removed:
            self.loosened = True
            note = msgspec.json.encode(removed).decode()
            text = fitted.get("description")
            fitted["description"] = f"{text}\n\n{note}" if isinstance(text, str) else note
        return fitted

    def _inner(self, key: str, value: Json, depth: int) -> Json:
        if key in _ONE and isinstance(value, dict):
            return self.fit(value, depth + 1)
        if key in _MANY and isinstance(value, list):
            return [self.fit(v, depth + 1) if isinstance(v, dict) else v for v in value]
        if key in _NAMED and isinstance(value, dict):
            return {
                name: self.fit(v, depth + 1) if isinstance(v, dict) else v
                for name, v in value.items()
            }
        return value

    @staticmethod
    def _too_much(key: str, value: Json) -> bool:
        if key == "format":
            return value not in _FORMATS if isinstance(value, str) else True
        if key == "minItems":
            return value not in (0, 1)
        return key in _LIMITS


def _closable(schema: Mapping[str, Json]) -> bool:
    """Whether closing the object only forbids what nobody asked for.

    A map (`additionalProperties` is a schema) or an object of unknown members would become an
    empty one; it stays as it is, and the provider says that it cannot do it.
    """
    kind = schema.get("type")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return False
    return "properties" in schema and not isinstance(schema.get("additionalProperties"), dict)
