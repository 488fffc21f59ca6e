"""What sinks are told: the record of a call, or a mark that a budget has passed."""

from __future__ import annotations

from typing import Final, TypeAlias

from tiergate.core.alerts import BudgetAlert
from tiergate.core.record import CallRecord

Told: TypeAlias = CallRecord | BudgetAlert
"""One thing that a sink is told."""

_RECORD_BYTES: Final = 2048
"""What a record holds in memory beside words, about."""

LARGE_BYTES: Final = 64 * 1024
"""Words from this size on are written down in a thread, so that no request waits meanwhile."""


def weight_of(told: Told, *, words: bool) -> int:
    """Return the bytes that something holds in memory while it waits.

    Args:
        told: What waits.
        words: The words of the call wait with it.
    """
    telling = None if isinstance(told, BudgetAlert) else told.telling
    return _RECORD_BYTES + (telling.weight if words and telling is not None else 0)


def is_large(told: Told) -> bool:
    """Tell whether it takes long to write something down."""
    return weight_of(told, words=True) > LARGE_BYTES
