"""A small world of virtual keys: aliases, rules, memory documents, a clock, and the routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from support.asking import answer, told
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import AliasName
from tiergate.config import durations
from tiergate.core.budget import Budget, BudgetId
from tiergate.core.caller import MASTER, Caller
from tiergate.core.key_defaults import NO_DEFAULTS, KeyDefaults
from tiergate.core.key_terms import KeyRules
from tiergate.pipeline.keybook import KeyBook
from tiergate.pipeline.keyring import CachedKeyring
from tiergate.stores.documents_memory import MemoryDocuments
from tiergate.web.keys import KeyDesk, KeyRoutes
from tiergate.web.keys_teams import TeamRoutes
from tiergate.web.keys_users import UserRoutes

NOW = 1_795_000_000.0
CHEAP, BALANCED, FRONTIER = (AliasName(name) for name in ("cheap", "balanced", "frontier"))
NAMES = {"cheap": CHEAP, "balanced": BALANCED, "frontier": FRONTIER, "gpt-4": BALANCED}


def key_rules(defaults: KeyDefaults = NO_DEFAULTS) -> KeyRules:
    """Three aliases and one other name; the durations of the configuration."""
    return KeyRules(
        names=NAMES,
        zone=ZoneInfo("UTC"),
        window=durations.window,
        seconds=durations.seconds,
        defaults=defaults,
    )


@dataclass
class Bureau:
    """The routes of keys, users and teams over documents in memory."""

    rules: KeyRules = field(default_factory=key_rules)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    now: float = NOW
    amounts: dict[BudgetId, tuple[int, int, int | None]] = field(default_factory=dict)
    drawn: int = 0

    def __post_init__(self) -> None:
        self.ring = CachedKeyring(self.documents, self.rules, lambda: self.now)
        self.book = KeyBook(self.documents, self.ring.forget)
        self.desk = KeyDesk(
            book=self.book,
            rules=lambda: self.ring.rules,
            standings=self._standings,
            wall=lambda: self.now,
            random_bytes=self._random,
        )
        self.routes = [
            *KeyRoutes(self.desk).routes(),
            *UserRoutes(self.desk).routes(),
            *TeamRoutes(self.desk).routes(),
        ]

    def post(self, path: str, caller: Caller = MASTER, **body: object) -> dict:
        """POST a body; returns the decoded answer with exact decimals."""
        fields: JsonObject = dict(body)
        return answer(told(self.routes, path, method="POST", caller=caller, body=fields))

    def get(self, path: str, query: str = "", caller: Caller = MASTER):
        """GET; returns the decoded answer with exact decimals."""
        return answer(told(self.routes, path, query, caller=caller))

    async def _standings(
        self, budgets: Sequence[Budget]
    ) -> Mapping[BudgetId, tuple[int, int, int | None]]:
        return {b.id: self.amounts[b.id] for b in budgets if b.id in self.amounts}

    def _random(self, count: int) -> bytes:
        self.drawn += 1
        return bytes([self.drawn]) * count
