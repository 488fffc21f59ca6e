"""Read JSON fields with errors that name the place; knows no field by its name.

Absent and null are the same to every reader, as they are to the providers.
"""

from __future__ import annotations

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject


def place(at: str, key: str | int) -> str:
    """Return the path of `key` inside `at` (`messages.2` and `role`: `messages.2.role`)."""
    return f"{at}.{key}" if at else str(key)


def kind_of(value: Json) -> str:
    """Return what a JSON value is, in words for an error message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


def wrong(at: str, expected: str, value: Json) -> Refused:
    """Return the error for a value of the wrong type."""
    return invalid(at, f"expected {expected}, got {kind_of(value)}")


def invalid(at: str, sentence: str) -> Refused:
    """Return the error for a value at `at`; `sentence` says what is wrong with it."""
    return Refused(400, f"{at}: {sentence}", param=at, code="invalid_request")


def as_object(value: Json, at: str) -> JsonObject:
    """Return `value`, which must be an object."""
    if not isinstance(value, dict):
        raise wrong(at, "an object", value)
    return value


def optional_str(raw: JsonObject, key: str, at: str) -> str | None:
    """Return a string field, or None."""
    value = raw.get(key)
    if value is None or isinstance(value, str):
        return value
    raise wrong(place(at, key), "a string", value)


def required_str(raw: JsonObject, key: str, at: str) -> str:
    """Return a string field that must be there."""
    value = raw.get(key)
    if isinstance(value, str):
        return value
    if key not in raw:
        raise invalid(place(at, key), "this field is required")
    raise wrong(place(at, key), "a string", value)


def optional_bool(raw: JsonObject, key: str, at: str) -> bool | None:
    """Return a true/false field, or None."""
    value = raw.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise wrong(place(at, key), "true or false", value)


def optional_int(raw: JsonObject, key: str, at: str) -> int | None:
    """Return a whole number, or None. `3.0` is one."""
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise wrong(place(at, key), "a whole number", value)


def optional_positive(raw: JsonObject, key: str, at: str) -> int | None:
    """Return a whole number of at least 1, or None."""
    value = optional_int(raw, key, at)
    if value is not None and value < 1:
        raise invalid(place(at, key), f"must be 1 or more, got {value}")
    return value


def optional_number(raw: JsonObject, key: str, at: str) -> float | int | None:
    """Return a number, or None."""
    value = raw.get(key)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise wrong(place(at, key), "a number", value)


def optional_object(raw: JsonObject, key: str, at: str) -> JsonObject | None:
    """Return an object field, or None."""
    value = raw.get(key)
    return None if value is None else as_object(value, place(at, key))


def required_object(raw: JsonObject, key: str, at: str) -> JsonObject:
    """Return an object field that must be there."""
    if key not in raw:
        raise invalid(place(at, key), "this field is required")
    return as_object(raw[key], place(at, key))


def optional_list(raw: JsonObject, key: str, at: str) -> list[Json]:
    """Return a list field; empty if it is absent."""
    value = raw.get(key)
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise wrong(place(at, key), "a list", value)
