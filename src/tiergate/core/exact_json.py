"""JSON text in which money stands exactly, as decimal numbers that never went through a float."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, Union

from tiergate.base.money import format_usd


@dataclass(frozen=True, slots=True)
class Usd:
    """An amount that is written as a number of USD.

    Attributes:
        nano: nano-USD.
    """

    nano: int


Exact: TypeAlias = Union[
    bool, int, float, str, Usd, "Sequence[Exact]", "Mapping[str, Exact]", None
]
"""A JSON value that may hold money."""

ExactObject: TypeAlias = dict[str, Exact]


def encode(value: Exact) -> str:
    """Return a value as JSON on one line of ASCII; members keep their order."""
    match value:
        case str() | bool() | int() | float() | None:
            return json.dumps(value)
        case Usd(nano):
            return format_usd(nano)
        case Mapping():
            members = (f"{json.dumps(name)}:{encode(inner)}" for name, inner in value.items())
            return "{" + ",".join(members) + "}"
        case _:
            return "[" + ",".join(encode(inner) for inner in value) + "]"
