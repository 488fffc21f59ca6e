"""How many times an alias may try again after a failure of some class; not when, nor where."""

from __future__ import annotations

from tiergate.base.errors import FailureClass
from tiergate.base.values import AliasName
from tiergate.core import cooldown
from tiergate.core.catalog import Deployment, RouterPolicy
from tiergate.core.moves import CONSEQUENCES, Again

MOST_ASKED = 20
"""Retries a caller can ask for; the file may say more."""


def allowed(
    policy: RouterPolicy, deployment: Deployment, kind: FailureClass, asked: int | None
) -> int:
    """Return how many retries an alias has after a failure of this class.

    The number that the file gives for the class comes first, and a class named there is retried
    even where it otherwise never is. Then the deployment's own number, then the router's. The
    caller's number replaces them all, but cannot make a class retriable.

    Args:
        policy: The router's settings.
        deployment: The deployment that failed; it also tells the alias.
        kind: How it failed.
        asked: The caller's `num_retries`, if there is one.
    """
    never = CONSEQUENCES[kind].again is Again.NEVER
    number = named(policy, deployment.alias, kind)
    if number is None:
        if never:
            return 0
        number = deployment.num_retries
    if number is None:
        number = policy.num_retries
    if asked is None:
        return number
    asked = max(0, min(asked, MOST_ASKED))
    return min(asked, number) if never else asked


def named(policy: RouterPolicy, alias: AliasName, kind: FailureClass) -> int | None:
    """Return the number that the file gives for just this class, if it does.

    `model_group_retry_policy` of the alias comes before `retry_policy`.
    """
    own = policy.alias_retry_policy.get(alias)
    number = None if own is None else cooldown.number_of(own, kind)
    return cooldown.number_of(policy.retry_policy, kind) if number is None else number
