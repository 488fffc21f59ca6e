"""A quick upper bound of a prompt's tokens, for holds."""

from __future__ import annotations

from tiergate.ports import Inbound


def estimate_prompt(inbound: Inbound) -> int:
    """Return the most prompt tokens that a request can have."""
    return len(inbound.members.body) // 2
