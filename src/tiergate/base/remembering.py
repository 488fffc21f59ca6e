"""Remember what was worked out, in a dict that does not grow without end."""

from __future__ import annotations

from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def remember(known: dict[_Key, _Value], key: _Key, value: _Value, most: int) -> None:
    """Keep a value; of too many, all are forgotten first and those in use come back.

    To look for the oldest would cost more, at every use, than to work a value out again.
    """
    if len(known) >= most:
        known.clear()
    known[key] = value
