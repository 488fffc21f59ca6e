"""What goes into the attempt machine and what comes out: a wish, and steps. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tiergate.base.errors import Failure, Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Deployment
from tiergate.core.tags import NO_TAGS, RequestTags
from tiergate.core.timing import Limits
from tiergate.core.trail import Noted, Tried


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True, kw_only=True)
class Wish:
    """What a request asks of the attempt machine.

    Attributes:
        alias: The alias asked.
        tags: Its tags and environments.
        stream: Whether the answer is streamed.
        fallbacks: The request's own list; it takes the place of the general chain.
        disable_fallbacks: No chain of any kind.
        num_retries: The caller's number of retries.
        timeout: The caller's own time limit in seconds; it can only shorten.
        drill: Let the alias asked fail without a call, so that this chain is followed.
        allowed: The aliases that the caller's key may use, in chains too; None means all.
        budget_fallbacks: The key's own list; it takes the place of the budget chain.
        notes: What was decided while the request was read; the trail begins with it.
    """

    alias: AliasName
    tags: RequestTags = NO_TAGS
    stream: bool = False
    fallbacks: tuple[AliasName, ...] | None = None
    context_window_fallbacks: tuple[AliasName, ...] | None = None
    content_policy_fallbacks: tuple[AliasName, ...] | None = None
    disable_fallbacks: bool = False
    num_retries: int | None = None
    timeout: float | None = None
    drill: ChainKind | None = None
    allowed: frozenset[AliasName] | None = None
    budget_fallbacks: tuple[AliasName, ...] | None = None
    notes: tuple[Noted, ...] = ()

    def own(self, kind: ChainKind) -> tuple[AliasName, ...] | None:
        """Return the request's own list for a kind of chain; None: the configured one."""
        match kind:
            case ChainKind.GENERAL:
                return self.fallbacks
            case ChainKind.CONTEXT_WINDOW:
                return self.context_window_fallbacks
            case ChainKind.CONTENT_POLICY:
                return self.content_policy_fallbacks
            case ChainKind.BUDGET:
                return self.budget_fallbacks


# Not frozen: some are made for every request, and a frozen one costs twice as much to make.
@dataclass(slots=True)
class Call:
    """Call this deployment now.

    Attributes:
        deployment: Whom.
        limits: The time limits of the attempt.
        number: Which attempt within the alias, from 1.
        hop: How many aliases were called before this one.
        probe: True when this call finds out whether a cooldown is really over.
    """

    deployment: Deployment
    limits: Limits
    number: int
    hop: int
    probe: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait that many seconds, then ask again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Answer with this error.

    Attributes:
        error: The error of the alias asked; or what ended the request, where the caller's own
            limit, the caller's leaving, or a budget of the whole gateway did.
        retry_after: Whole seconds for a `Retry-After` header, if there is one to give.
        tried: Every attempt that was made, in order.
        retries: Retries in the last alias called (`x-litellm-attempted-retries`).
        fallbacks: Fallback aliases called (`x-litellm-attempted-fallbacks`).
    """

    error: Failure | Refused
    retry_after: int | None
    tried: tuple[Tried, ...]
    retries: int
    fallbacks: int


Step: TypeAlias = Call | Wait | GiveUp
"""What the shell is to do next."""
