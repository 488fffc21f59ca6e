"""Who is calling: the holder of the key that a request presents. Values only.

How a key is recognised is not decided here, nor what follows from its budgets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tiergate.base.jsontypes import Json
from tiergate.base.values import AliasName
from tiergate.core.budget import Budget

_NO_METADATA: Mapping[str, Json] = MappingProxyType({})
_NO_CHAINS: Mapping[AliasName, tuple[AliasName, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Limits of a caller; None where there is none.

    Attributes:
        rpm: Requests per minute.
        tpm: Tokens per minute, prompt and answer together.
        parallel: Requests at the same time.
    """

    rpm: int | None = None
    tpm: int | None = None
    parallel: int | None = None

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        return self.rpm is not None or self.tpm is not None or self.parallel is not None


NO_LIMITS = RateLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is calling. Made once per key (or once at all), not once per request.

    Attributes:
        name: For logs and pages: `master`, `local` (no key is asked), or the key's alias, or
            its masked form (`sk-...abcd`). Never the key.
        admin: May use the admin routes (the master key, or anybody where no key is asked).
        key: SHA-256 of the virtual key in hex (LiteLLM's `token`); empty for the master key.
        user: The user the key belongs to (`user_id`), or empty.
        team: The team the key belongs to (`team_id`), or empty.
        aliases: The aliases it may use; None means all.
        tags: Tags that every call of this key carries.
        metadata: What the administrator noted with the key.
        budgets: Money: the budgets (with or without a limit) of key, user and team.
        limits: Rate limits by scope: pairs of a budget id prefix (`key:HASH`) and its limits.
        budget_fallbacks: The key's own chains for an alias whose budget is used up.
        guardrails: The guards that every call of this key passes.
        alias: The key's alias, or empty.
        team_alias: The team's alias, or empty.
        email: The user's address, or empty.
        team_metadata: What the administrator noted with the team.
    """

    name: str
    admin: bool = False
    key: str = ""
    user: str = ""
    team: str = ""
    aliases: frozenset[AliasName] | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=lambda: _NO_METADATA)
    budgets: tuple[Budget, ...] = ()
    limits: tuple[tuple[str, RateLimits], ...] = ()
    budget_fallbacks: Mapping[AliasName, tuple[AliasName, ...]] = field(
        default_factory=lambda: _NO_CHAINS
    )
    guardrails: tuple[str, ...] = ()
    alias: str = ""
    team_alias: str = ""
    email: str = ""
    team_metadata: Mapping[str, Json] = field(default_factory=lambda: _NO_METADATA)


MASTER = Caller(name="master", admin=True)
"""Who presents the master key."""

LOCAL = Caller(name="local", admin=True)
"""Anybody, where the gateway asks for no key (it then serves this machine only)."""
