"""What was spent, over HTTP: LiteLLM's spend and budget routes, from the ledger.

LiteLLM's days are those of UTC, and its `end_date` is meant whole. Its reports over "the last 30
days" begin at midnight 30 days ago. The ledger's own form is in `web.ledger_routes`. Nothing is
changed by any of these routes: budgets are made in the configuration, and with keys.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.ledger import Bucket, Entry, Filter, Group, SpendRow
from tiergate.core.ledger_query import condition_value
from tiergate.ports import Clock, Ledger
from tiergate.web import spend_forms as forms
from tiergate.web.admin import Asked, Route, Told
from tiergate.web.ledger_words import (
    days_of,
    exact,
    guarded,
    number,
    own_records,
    required_days,
    within,
)

BudgetRows = Callable[[], Awaitable[Sequence[JsonObject]]]
"""Gives every budget as `GET /budgets` lists it."""

MOST_LOGS = 10_000
"""Records that `/spend/logs` answers with at most, the newest; `/ledger/export` gives all."""

MOST_KEYS = 100
"""Keys in one answer whose names are looked up."""

_LAST_DAYS = 30
_TOP_MODELS = 10

_REPORTS = {"team": Group.TEAM, "customer": Group.END_USER}
_SUBJECTS = (
    ("api_key", Group.KEY, "api_key"),
    ("internal_user_id", Group.USER, "internal_user_id"),
    ("team_id", Group.TEAM, "team_id"),
    ("customer_id", Group.END_USER, "customer"),
)
"""Parameters of `/global/spend/report` that name one subject: its group, and its member."""


class SpendRoutes:
    """The spend routes in LiteLLM's shapes.

    Args:
        ledger: Where the records are.
        budgets: Gives every budget.
        now: Unix seconds.
    """

    def __init__(self, ledger: Ledger, budgets: BudgetRows, now: Clock) -> None:
        self._ledger = ledger
        self._budgets = budgets
        self._now = now

    def routes(self) -> list[Route]:
        """Return the routes; those open to virtual keys show a key its own records only."""
        return [
            Route("GET", "/spend/logs", guarded(self._logs), keys=True),
            Route("GET", "/spend/tags", guarded(self._tags)),
            Route("GET", "/spend/keys", guarded(self._keys)),
            Route("GET", "/spend/users", guarded(self._users)),
            Route("GET", "/global/spend/report", guarded(self._report)),
            Route("GET", "/global/spend/keys", guarded(self._top_keys)),
            Route("GET", "/global/spend/models", guarded(self._top_models)),
            Route("GET", "/global/spend/teams", guarded(self._teams)),
            Route("GET", "/global/spend/provider", guarded(self._providers)),
            Route("GET", "/global/activity", guarded(self._activity)),
            Route("GET", "/budget/list", self._budget_list),
            Route("POST", "/budget/info", self._budget_info),
            *(
                Route("POST", f"/budget/{verb}", _refuse_budget)
                for verb in ("new", "update", "delete")
            ),
        ]

    # ------------------------------------------------------------------ records

    async def _logs(self, asked: Asked) -> Told:
        query = asked.query
        since, until = days_of(query, self._now())
        conditions: dict[Group, str] = {}
        if key := query.get("api_key"):
            conditions[Group.KEY] = condition_value(Group.KEY, key)
        if user := query.get("user_id"):
            conditions[Group.USER] = user
        which = Filter(
            since=since,
            until=until,
            equal=own_records(asked.caller, conditions),
            call_id=query.get("request_id") or None,
        )
        whole = since is not None and until is not None and which.call_id is None
        if whole and query.get("summarize", "true").lower() != "false":
            rows = await self._ledger.spend(
                (Group.KEY, Group.USER, Group.MODEL), which, bucket=Bucket.DAY
            )
            return exact(forms.daily_logs(rows, until or 0.0))
        limit = number(query, "limit", default=MOST_LOGS, most=MOST_LOGS)
        entries, _ = await self._ledger.entries(which, limit=limit, newest=True)
        return exact([forms.log(entry) for entry in entries])

    # ------------------------------------------------------------------ sums

    async def _tags(self, asked: Asked) -> Told:
        return exact(forms.tags(await self._sums(asked, Group.TAG)))

    async def _users(self, asked: Asked) -> Told:
        user = asked.query.get("user_id")
        equal = ((Group.USER, user),) if user else ()
        return exact(forms.users(await self._ledger.spend((Group.USER,), Filter(equal=equal))))

    async def _keys(self, asked: Asked) -> Told:
        rows = (await self._sums(asked, Group.KEY))[:MOST_KEYS]
        return exact(forms.key_rows(rows, await self._latest(rows)))

    async def _top_keys(self, asked: Asked) -> Told:
        limit = number(asked.query, "limit", default=MOST_KEYS, most=MOST_KEYS)
        rows = (await self._ledger.spend((Group.KEY,), self._recently()))[:limit]
        return exact(forms.keys(rows, await self._latest(rows)))

    async def _top_models(self, asked: Asked) -> Told:
        limit = number(asked.query, "limit", default=_TOP_MODELS, most=1000)
        rows = await self._ledger.spend((Group.MODEL,), self._recently())
        return exact(forms.named(rows, "model", "total_spend")[:limit])

    async def _providers(self, asked: Asked) -> Told:
        which = within(asked.query, self._now(), self._recently())
        rows = await self._ledger.spend((Group.PROVIDER,), which)
        return exact(forms.named(rows, "provider", "spend"))

    async def _teams(self, asked: Asked) -> Told:
        del asked
        rows = await self._ledger.spend((Group.TEAM,), self._recently(), bucket=Bucket.DAY)
        return exact(forms.teams(rows))

    async def _activity(self, asked: Asked) -> Told:
        which = required_days(asked.query, self._now())
        return exact(forms.activity(await self._ledger.spend((), which, bucket=Bucket.DAY)))

    async def _report(self, asked: Asked) -> Told:
        query = asked.query
        which = required_days(query, self._now())
        subject = next((each for each in _SUBJECTS if query.get(each[0])), None)
        if subject is not None:
            parameter, group, member = subject
            value = condition_value(group, query[parameter])
            chosen = Filter(since=which.since, until=which.until, equal=((group, value),))
            rows = await self._ledger.spend((group, Group.MODEL), chosen)
            return exact(forms.report_by_name(rows, member))
        by = query.get("group_by") or "team"
        if by == "api_key":
            rows = await self._ledger.spend((Group.KEY, Group.MODEL), which)
            return exact(forms.report_by_name(rows, "api_key"))
        if by not in _REPORTS:
            raise Refused(
                400,
                f"`group_by` is {by!r}; choose team, customer or api_key. GET /ledger and "
                "`tiergate spend` know more groups.",
                code="invalid_request",
                param="group_by",
            )
        rows = await self._ledger.spend(
            (_REPORTS[by], Group.MODEL, Group.KEY), which, bucket=Bucket.DAY
        )
        return exact(forms.report_by_day(rows, by))

    async def _sums(self, asked: Asked, group: Group) -> list[SpendRow]:
        return await self._ledger.spend((group,), within(asked.query, self._now(), Filter()))

    async def _latest(self, rows: Sequence[SpendRow]) -> list[Entry | None]:
        """Return the newest record of each row's key: it knows how the key is called."""
        found: list[Entry | None] = []
        for row in rows:
            entries, _ = await self._ledger.entries(
                Filter(equal=((Group.KEY, row.keys[0]),)), limit=1, newest=True
            )
            found.append(entries[0] if entries else None)
        return found

    def _recently(self) -> Filter:
        """Return the last 30 days, today included."""
        today = datetime.fromtimestamp(self._now(), UTC).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return Filter(since=(today - timedelta(days=_LAST_DAYS)).timestamp())

    # ------------------------------------------------------------------ budgets

    async def _budget_list(self, asked: Asked) -> Told:
        del asked
        rows: list[Json] = [forms.budget(row) for row in await self._budgets()]
        return Told(rows)

    async def _budget_info(self, asked: Asked) -> Told:
        wanted = asked.body.get("budgets")
        if not isinstance(wanted, list) or not wanted:
            raise Refused(
                400,
                '`budgets` must be a list of budget ids, as in {"budgets": ["alias:frontier"]}. '
                "GET /budget/list gives the ids.",
                code="invalid_type",
                param="budgets",
            )
        rows: list[Json] = [
            forms.budget(row) for row in await self._budgets() if forms.budget_id(row) in wanted
        ]
        return Told(rows)


async def _refuse_budget(asked: Asked) -> Told:
    del asked
    raise Refused(
        400,
        "Budgets are not made here. A key, user or team gets its own with `max_budget` and "
        "`budget_duration` at /key/generate, /user/new and /team/new; those of aliases, providers "
        "and the gateway stand in the configuration file.",
        code="budgets_in_configuration",
    )
