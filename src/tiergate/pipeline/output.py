"""The most tokens that an answer can have: what is really sent to the provider decides."""

from __future__ import annotations

import math

from tiergate.base.values import Operation
from tiergate.core.catalog import Deployment
from tiergate.ports import Inbound
from tiergate.wire.members import BodyError, Members

_LIMITS = ("max_completion_tokens", "max_tokens")
"""Where both are given the larger counts: which one a host obeys is not known here."""

_CHOICES = ("n", "best_of")
"""How many answers the provider makes; each is paid for."""


def output_limit(inbound: Inbound, deployment: Deployment, otherwise: int) -> int:
    """Return the most tokens that the answer can have, all choices and prompts together.

    Args:
        inbound: The request.
        deployment: Who would serve it; a limit that it drops (`additional_drop_params`) does not
            reach the provider, and binds nobody.
        otherwise: The limit where the request sets none.
    """
    if inbound.operation is Operation.EMBEDDING:
        return 0
    members, limit = inbound.members, -1
    dropped = deployment.additional_drop_params
    asked = inbound.output
    if asked is not None and asked.members is members and not dropped:
        return (otherwise if asked.limit is None else asked.limit) * asked.choices
    for name in _LIMITS:
        if name in members and name not in dropped:
            limit = max(limit, _number(members, name, -1))
    if limit < 0:
        limit = otherwise
    choices = 1
    for name in _CHOICES:
        if name in members and name not in dropped:
            choices = max(choices, _number(members, name, 1))
    return limit * choices * _prompts(inbound)


def _prompts(inbound: Inbound) -> int:
    """Return how many prompts a request has: a completion answers each one of a list.

    A list of numbers is one prompt, given as tokens.
    """
    if inbound.operation is not Operation.COMPLETION or "prompt" not in inbound.members:
        return 1
    try:
        given = inbound.members.get("prompt")
    except BodyError:  # as below
        return 1
    if not isinstance(given, list) or all(isinstance(item, int) for item in given):
        return 1
    return len(given)


def _number(members: Members, name: str, otherwise: int) -> int:
    """Return a member's whole number, rounded up (1e3 is one in JSON)."""
    try:
        given = members.get(name)
    except BodyError:  # a field that this dialect does not have, so nobody has checked it
        return otherwise
    return math.ceil(given) if isinstance(given, int | float) else otherwise
