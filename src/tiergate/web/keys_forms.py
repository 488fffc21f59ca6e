"""How keys, users and teams are shown in answers: LiteLLM's members, money written exactly.

Nothing is decided here. What was spent and held is asked of whoever keeps the budgets.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tiergate.base.errors import Refused
from tiergate.core.budget import Budget, BudgetId
from tiergate.core.exact_json import Exact, ExactObject, Usd, encode
from tiergate.core.key_meaning import effective_terms, holder_budget, key_budget
from tiergate.core.key_terms import KeyRules
from tiergate.core.keys import Holder, KeyRecord, Terms
from tiergate.ports import StoreDownError
from tiergate.web.admin import Asked, Handler, Told

Amounts = Mapping[BudgetId, tuple[int, int, int | None]]
"""By budget: nano-USD spent and held in its window, and the Unix time of the reset or None."""

Standings = Callable[[Sequence[Budget]], Awaitable[Amounts]]
"""Tells how some budgets stand."""

LONGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Forms:
    """Writes records with how their budgets stand.

    Attributes:
        rules: What the configuration says of keys.
        amounts: How the budgets of the records stand.
    """

    rules: KeyRules
    amounts: Amounts

    @staticmethod
    async def of(
        rules: KeyRules,
        standings: Standings,
        keys: Sequence[KeyRecord] = (),
        holders: Sequence[Holder] = (),
    ) -> Forms:
        """Ask how the budgets of some records stand, all at once."""
        budgets = [key_budget(key, rules) for key in keys]
        budgets += [holder_budget(holder, rules) for holder in holders]
        return Forms(rules, await standings(budgets))

    def key(self, key: KeyRecord) -> ExactObject:
        """Return a key without the key."""
        return {
            "token": key.hash,
            "token_id": key.hash,
            "key_name": key.masked,
            "key_alias": key.alias or None,
            "user_id": key.user or None,
            "team_id": key.team or None,
            "expires": _instant(key.expires),
            **_terms(key.terms, self._amounts(key_budget(key, self.rules))),
            "budget_fallbacks": {alias: list(chain) for alias, chain in key.chains},
            "created_at": _instant(key.created),
            "updated_at": _instant(key.updated),
            "created_by": key.author or None,
            "updated_by": key.editor or None,
        }

    def user(self, user: Holder) -> ExactObject:
        """Return a user; the cap is the file's where there is none of their own."""
        return {
            "user_id": user.id,
            "user_alias": user.alias or None,
            "user_email": user.email or None,
            "user_role": None,
            **self._holder(user),
        }

    def team(self, team: Holder) -> ExactObject:
        """Return a team."""
        members: list[Exact] = [
            {"user_id": member.user, "role": member.role} for member in team.members
        ]
        return {
            "team_id": team.id,
            "team_alias": team.alias or None,
            "members_with_roles": members,
            **self._holder(team),
        }

    def _holder(self, holder: Holder) -> ExactObject:
        terms = effective_terms(holder, self.rules)
        return {
            **_terms(terms, self._amounts(holder_budget(holder, self.rules))),
            "created_at": _instant(holder.created),
            "updated_at": _instant(holder.updated),
        }

    def _amounts(self, budget: Budget) -> tuple[int, int, int | None]:
        return self.amounts.get(budget.id, (0, 0, None))


def _terms(terms: Terms, amounts: tuple[int, int, int | None]) -> ExactObject:
    spent, held, resets = amounts
    failure = terms.on_store_failure
    return {
        "models": list(terms.models),
        "spend": Usd(spent),
        "held": Usd(held),
        "max_budget": None if terms.max_budget is None else Usd(terms.max_budget),
        "soft_budget": None if terms.soft_budget is None else Usd(terms.soft_budget),
        "budget_duration": None if terms.period == "none" else terms.window,
        "budget_reset_at": _instant(resets),
        "rpm_limit": terms.rpm,
        "tpm_limit": terms.tpm,
        "max_parallel_requests": terms.parallel,
        "tags": list(terms.tags),
        "guardrails": list(terms.guardrails),
        "metadata": terms.metadata,
        "blocked": terms.blocked,
        "on_store_failure": failure.value if failure is not None else None,
    }


def _instant(seconds: float | None) -> str | None:
    """Write a Unix time as ISO 8601 in UTC: `2026-12-01T00:00:00+00:00`."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def answer(body: Exact, warnings: Sequence[str] = ()) -> Told:
    """Return an answer; `warnings` stands in it where there is something to say."""
    if warnings and isinstance(body, Mapping):
        body = {**body, "warnings": list(warnings)}
    return Told(encode(body).encode("utf-8", "replace"))


def guarded(handler: Handler) -> Handler:
    """Return a handler that says in words when the store of keys does not answer."""

    async def handle(asked: Asked) -> Told:
        try:
            return await handler(asked)
        except StoreDownError as exc:
            raise Refused(
                503,
                f"The store of keys does not answer ({exc}). Nothing is known to be changed; try "
                "again, a change that is made twice does no harm.",
                code="key_store_unavailable",
                type="api_error",
                headers=(("retry-after", "1"),),
            ) from None

    return handle


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is shown.

    Attributes:
        number: From 1.
        size: Entries on a page.
    """

    number: int
    size: int

    @staticmethod
    def of(query: Mapping[str, str], size: str, usual: int) -> Page:
        """Read the page of a query.

        Args:
            query: The query.
            size: LiteLLM's name of the parameter for the size.
            usual: The size without it.

        Raises:
            Refused: 400, when a number is none.
        """
        return Page(
            _number(query, "page", 1, 1_000_000), _number(query, size, usual, LONGEST_PAGE)
        )

    def cut(self, count: int) -> slice:
        """Return which entries of a list of `count` are on the page."""
        start = min(count, (self.number - 1) * self.size)
        return slice(start, min(count, start + self.size))

    def pages(self, count: int) -> int:
        """Return how many pages a list of `count` has."""
        return math.ceil(count / self.size)


def _number(query: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return usual
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most:
        return int(text)
    raise Refused(
        400,
        f"`{name}` must be a whole number from 1 to {most}.",
        code="invalid_request",
        param=name,
    )


def check_query(query: Mapping[str, str], known: Sequence[str]) -> None:
    """Refuse parameters that are not known: a filter that is misspelt must not show everything.

    Raises:
        Refused: 400, which names the parameter.
    """
    for name in query:
        if name not in known:
            raise Refused(
                400,
                f"`{name[:100]}` is not known here. Known are {', '.join(known)}.",
                code="unknown_field",
                param=name[:100],
            )
