"""Puts together what a worker needs for virtual keys: the ring, the routes, and the refreshing.

Nothing is decided here: what keys mean is in `core`, how they are kept in `pipeline`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from tiergate.base.values import AliasName
from tiergate.config import durations
from tiergate.core.catalog import Settings
from tiergate.core.key_terms import KeyRules
from tiergate.pipeline.keybook import KeyBook
from tiergate.pipeline.keyring import CachedKeyring
from tiergate.ports import Clock, Documents, StoreDownError
from tiergate.web.admin import Route
from tiergate.web.keys import KeyDesk, KeyRoutes
from tiergate.web.keys_forms import Standings
from tiergate.web.keys_teams import TeamRoutes
from tiergate.web.keys_users import UserRoutes

LOG = logging.getLogger("tiergate.keys")

REFRESH_SECONDS = 0.5
"""How often a worker looks for changes that others made: they count within a second."""


def rules_of(settings: Settings, names: Mapping[str, AliasName]) -> KeyRules:
    """Return what a configuration says of keys.

    Args:
        settings: The configuration.
        names: Every name that callers may use, mapped to its alias.
    """
    return KeyRules(
        names=names,
        zone=ZoneInfo(settings.budget_timezone),
        window=durations.window,
        seconds=durations.seconds,
        defaults=settings.key_defaults,
        on_store_failure=settings.stores.on_failure,
        guardrails=tuple(dict.fromkeys(plan.name for plan in settings.guards)),
    )


class Keys:
    """Virtual keys of one worker.

    Args:
        documents: Where keys, users and teams are.
        standings: Tells how budgets stand.
        rules: What the configuration says of keys.
        wall: Unix seconds.
    """

    def __init__(
        self, documents: Documents, standings: Standings, rules: KeyRules, wall: Clock
    ) -> None:
        self.ring = CachedKeyring(documents, rules, wall)
        self.desk = KeyDesk(
            book=KeyBook(documents, self.ring.forget),
            rules=lambda: self.ring.rules,
            standings=standings,
            wall=wall,
            random_bytes=secrets.token_bytes,
        )
        self._task: asyncio.Task[None] | None = None
        self._down = False

    @property
    def down(self) -> bool:
        """Whether the store did not answer when it was last looked at."""
        return self._down

    def routes(self) -> list[Route]:
        """Return the routes of keys, users and teams."""
        return [
            *KeyRoutes(self.desk).routes(),
            *UserRoutes(self.desk).routes(),
            *TeamRoutes(self.desk).routes(),
        ]

    def configure(self, rules: KeyRules) -> None:
        """Take over another configuration."""
        self.ring.configure(rules)

    def start(self) -> None:
        """Begin to look for changes; inside a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> None:
        """Look once. While the store is down, keys that are known go on; it is said once."""
        try:
            await self.ring.refresh()
        except StoreDownError as exc:
            if not self._down:
                LOG.warning(
                    "changes of keys are not seen: the store does not answer",
                    extra={"why": str(exc)},
                )
            self._down = True
        else:
            if self._down:
                LOG.info("changes of keys are seen again")
            self._down = False

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.look()
