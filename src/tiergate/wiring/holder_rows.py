"""Reads the budgets of keys, teams and users for the metrics page.

Keys are read again only when somebody has changed one, so that a scrape costs little where there
are thousands of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from tiergate.base.money import NANO
from tiergate.core.budget import Budget, BudgetId
from tiergate.core.key_documents import REVISION, read_revision
from tiergate.core.key_meaning import holder_budget, key_budget
from tiergate.core.key_terms import KeyRules
from tiergate.core.keys import HolderKind
from tiergate.pipeline.keybook import KeyBook
from tiergate.ports import Clock, Documents, StoreDownError
from tiergate.telemetry.budget_families import Holder, HolderRow
from tiergate.telemetry.seats import cut

MOST_HOLDERS = 1000
"""Keys, teams and users with a budget that are shown, of each kind; the oldest come first."""

_SECONDS_OF_HOUR = 3600.0

Amounts = Callable[[Sequence[Budget]], Awaitable[Mapping[BudgetId, tuple[int, int, int | None]]]]

_Known = tuple[Holder, tuple[str, ...], Budget]


class HolderBudgets:
    """The budgets of whoever has one.

    Args:
        documents: Where keys, teams and users are.
        amounts: Tells how budgets stand.
        rules: What the configuration says of keys; None before the first.
        wall: Unix seconds.
    """

    def __init__(
        self,
        documents: Documents,
        amounts: Amounts,
        rules: Callable[[], KeyRules | None],
        wall: Clock,
    ) -> None:
        self._documents = documents
        self._amounts = amounts
        self._rules = rules
        self._wall = wall
        self._known: tuple[_Known, ...] = ()
        self._seen: tuple[int, KeyRules] | None = None

    async def rows(self) -> tuple[HolderRow, ...]:
        """Return one row for each; what was known last while the store does not answer."""
        rules = self._rules()
        if rules is None:
            return ()
        try:
            await self._read(rules)
            amounts = await self._amounts([budget for _, _, budget in self._known])
        except StoreDownError:
            return ()  # a gap in the graph says more than a number that is no longer true
        now = self._wall()
        found: list[HolderRow] = []
        for holder, values, budget in self._known:
            spent, _, resets = amounts[budget.id]
            hours = max(0.0, resets - now) / _SECONDS_OF_HOUR if resets is not None else None
            limit = budget.rule.limit / NANO
            found.append(HolderRow(holder, values, limit, spent / NANO, hours))
        return tuple(found)

    async def _read(self, rules: KeyRules) -> None:
        """Read all keys, teams and users, if any has changed since."""
        revision = read_revision((await self._documents.read([REVISION]))[REVISION])
        seen = self._seen
        if seen is not None and seen[0] == revision.number and seen[1] is rules:
            return
        book = KeyBook(self._documents, _unheard)
        keys = [
            (Holder.KEY, (key.hash, cut(key.alias)), key_budget(key, rules))
            for key in await book.keys()
        ]
        teams = [
            (Holder.TEAM, (cut(team.id), cut(team.alias)), holder_budget(team, rules))
            for team in await book.holders(HolderKind.TEAM)
        ]
        users = [
            (Holder.USER, (cut(user.id),), holder_budget(user, rules))
            for user in await book.holders(HolderKind.USER)
        ]
        found: list[_Known] = []
        for kind in (keys, teams, users):
            found += [each for each in kind if each[2].rule.capped][:MOST_HOLDERS]
        self._known = tuple(found)
        self._seen = (revision.number, rules)


def _unheard(documents: object) -> None:
    """Nothing is changed here."""
    del documents
