"""Fallback routes in few words: overrides, what a file says, and a book over a store."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from support.attempts import chain, deployments, routes
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Chains, RouterPolicy
from tiergate.core.fallback_overrides import FileRoutes, Override
from tiergate.core.routing import Routes
from tiergate.pipeline.fallback_book import FallbackBook
from tiergate.ports import Documents, StoreDownError
from tiergate.stores.documents_memory import MemoryDocuments

NOW = 1_790_000_000.0
ALIASES = ("cheap", "balanced", "frontier", "local")


def names(text: str) -> tuple[AliasName, ...]:
    """Alias names from words."""
    return tuple(AliasName(name) for name in text.split())


def file_of(
    aliases: str = " ".join(ALIASES), chains: Chains | None = None, **general: str
) -> FileRoutes:
    """What a file says: its aliases, and general chains in words."""
    found = Chains(general=chain(**general)) if chains is None else chains
    return FileRoutes(found, frozenset(names(aliases)))


def override(alias: str, targets: str = "", **more: object) -> Override:
    """A general route set at `NOW`; no targets: switched off."""
    values: dict[str, object] = {
        "id": f"{alias}-{targets}",
        "kind": ChainKind.GENERAL,
        "alias": AliasName(alias),
        "targets": names(targets),
        "author": "ada",
        "key": "master",
        "since": NOW,
        **more,
    }
    return Override(**values)  # pyright: ignore[reportArgumentType]


def routes_of(
    chains: Chains | None = None,
    aliases: tuple[str, ...] = ALIASES,
    others: Mapping[str, str] | None = None,
) -> Routes:
    """The aliases of a configuration, one deployment each; `others` are further names."""
    policy = RouterPolicy(
        chains=chains or Chains(),
        alias_of={name: AliasName(to) for name, to in (others or {}).items()},
    )
    return routes(deployments(**{alias: f"d-{alias}" for alias in aliases}), policy)


def chain_of(made: Routes, alias: str, kind: ChainKind = ChainKind.GENERAL) -> str:
    """Where a request of an alias that begins now is led, in words."""
    route = made.of(alias)
    assert route is not None
    return " ".join(route.chains[kind])


class Hand:
    """A clock of Unix seconds that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Shaky(MemoryDocuments):
    """Documents that can be down."""

    down = False

    async def read(self, keys):
        self._look()
        return await super().read(keys)

    async def update(self, keys, change):
        self._look()
        return await super().update(keys, change)

    async def scan(self, prefix):
        self._look()
        return await super().scan(prefix)

    def _look(self) -> None:
        if self.down:
            raise StoreDownError("no route to it")


class Desk:
    """A worker's book: over a store that others may share, under a configuration of its own."""

    def __init__(
        self,
        documents: Documents | None = None,
        made: Routes | None = None,
        clock: Hand | None = None,
        name: str = "w",
    ) -> None:
        ids = itertools.count(1)
        self.documents = documents if documents is not None else Shaky()
        self.clock = clock if clock is not None else Hand()
        self.routes = made if made is not None else routes_of()
        self.book = FallbackBook(self.documents, self.clock, lambda: f"{name}{next(ids)}")
        self.book.govern(self.routes)

    def chain(self, alias: str, kind: ChainKind = ChainKind.GENERAL) -> str:
        """Where a request of an alias that begins now is led, in words."""
        return chain_of(self.routes, alias, kind)
