"""The type of a decoded JSON value. Narrow it with `isinstance`; do not pass it far."""

from __future__ import annotations

from typing import TypeAlias, Union

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]
"""Any decoded JSON value."""

JsonObject: TypeAlias = dict[str, Json]
"""A decoded JSON object."""
