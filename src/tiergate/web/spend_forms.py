"""The ledger's sums and records in the shapes that LiteLLM's spend routes answer with.

Pure. The shapes are those of the LiteLLM proxy's `/spend/*`, `/global/spend/*`, `/global/activity`
and `/budget/*` routes (1.10x). Money is USD, written exactly. What LiteLLM has and the ledger has
not (prompts, answers, addresses) is there and empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.exact_json import Exact, ExactObject, Usd
from tiergate.core.ledger import Entry, EntryStatus, SpendRow
from tiergate.core.ledger_lines import input_tokens, utc_text

_CALL_TYPES = {
    ("chat", "openai"): "acompletion",
    ("chat", "anthropic"): "anthropic_messages",
    ("completion", "openai"): "atext_completion",
    ("embedding", "openai"): "aembedding",
}
_SUCCEEDED = EntryStatus.SUCCESS.value
_NO_TEAM = "Unassigned"
"""LiteLLM's word for calls of no team."""


def log(entry: Entry) -> ExactObject:
    """Return one row of `/spend/logs`, as LiteLLM's `LiteLLM_SpendLogs` has it."""
    tags: list[Exact] = [*entry.tags]
    prompt = input_tokens(entry)
    return {
        "request_id": entry.call_id,
        "call_type": _CALL_TYPES.get((entry.operation, entry.dialect), entry.operation),
        "api_key": entry.key,
        "spend": Usd(entry.cost),
        "total_tokens": prompt + entry.output,
        "prompt_tokens": prompt,
        "completion_tokens": entry.output,
        "startTime": utc_text(entry.wall),
        "endTime": utc_text(entry.wall + entry.seconds),
        "completionStartTime": None,
        "model": entry.model,
        "model_id": entry.deployment,
        "model_group": entry.served or entry.asked,
        "custom_llm_provider": entry.provider,
        "api_base": "",
        "user": entry.user,
        "metadata": _metadata(entry),
        "cache_hit": str(bool(entry.cache)),
        "cache_key": "",
        "request_tags": tags,
        "team_id": entry.team or None,
        "end_user": entry.end_user,
        "requester_ip_address": None,
        "session_id": entry.session or None,
        "status": "success" if entry.status == _SUCCEEDED else "failure",
        "messages": {},
        "response": {},
    }


def daily_logs(rows: Sequence[SpendRow], until: float) -> list[Exact]:
    """Return `/spend/logs` by day: rows of key, user and model, each with its calendar step.

    Days without a call are there from the first day with one on, with nothing spent.

    Args:
        rows: Sums by key, user and model, by day.
        until: The first instant after the last day, Unix seconds.
    """
    days: dict[date, _Day] = {}
    for row in rows:
        day = days.setdefault(_date(row), _Day())
        day.add(row)
    if not days:
        return []
    found: list[Exact] = []
    day, end = min(days), datetime.fromtimestamp(until, UTC).date()
    while day < end:
        found.append(days.get(day, _NOTHING).form(day))
        day += timedelta(days=1)
    return found


def report_by_day(rows: Sequence[SpendRow], group: str) -> list[Exact]:
    """Return `/global/spend/report` of teams or customers.

    Args:
        rows: Sums by team or customer, model and key, by day.
        group: `team` or `customer`.
    """
    plural = f"{group}s"
    name_member = "team_name" if group == "team" else "customer"
    days: dict[date, dict[str, list[SpendRow]]] = {}
    for row in rows:
        name = row.keys[0] or (_NO_TEAM if group == "team" else "")
        days.setdefault(_date(row), {}).setdefault(name, []).append(row)
    found: list[Exact] = []
    for day, groups in sorted(days.items()):
        members: list[Exact] = [
            {
                name_member: name,
                "total_spend": Usd(sum(row.cost for row in parts)),
                "metadata": [
                    {
                        "model": row.keys[1],
                        "spend": Usd(row.cost),
                        "total_tokens": _tokens(row),
                        "api_key": row.keys[2],
                    }
                    for row in parts
                ],
            }
            for name, parts in groups.items()
        ]
        found.append({"group_by_day": f"{day.isoformat()}T00:00:00+00:00", plural: members})
    return found


def report_by_name(rows: Sequence[SpendRow], member: str) -> list[Exact]:
    """Return `/global/spend/report` of keys, users or teams, with their models.

    Args:
        rows: Sums by key (user, team) and model.
        member: How the answer calls the first: `api_key`, `internal_user_id`, `team_id`.
    """
    groups: dict[str, list[SpendRow]] = {}
    for row in rows:
        groups.setdefault(row.keys[0], []).append(row)
    return [
        {
            member: name,
            **_totals(parts),
            "model_details": [{"model": row.keys[1], **_totals([row])} for row in parts],
        }
        for name, parts in groups.items()
    ]


def keys(rows: Sequence[SpendRow], latest: Sequence[Entry | None]) -> list[Exact]:
    """Return `/global/spend/keys`; `latest` has the newest record of each key."""
    return [
        {
            "api_key": row.keys[0],
            "key_alias": entry.key_name if entry else None,
            "key_name": entry.key_name if entry else None,
            "total_spend": Usd(row.cost),
        }
        for row, entry in zip(rows, latest, strict=True)
    ]


def key_rows(rows: Sequence[SpendRow], latest: Sequence[Entry | None]) -> list[Exact]:
    """Return `/spend/keys`: virtual keys by falling spend."""
    return [
        {
            "token": row.keys[0],
            "key_name": entry.key_name if entry else None,
            "key_alias": entry.key_name if entry else None,
            "spend": Usd(row.cost),
            "user_id": (entry.user or None) if entry else None,
            "team_id": (entry.team or None) if entry else None,
        }
        for row, entry in zip(rows, latest, strict=True)
        if row.keys[0]
    ]


def users(rows: Sequence[SpendRow]) -> list[Exact]:
    """Return `/spend/users`: users of keys by falling spend."""
    return [
        {
            "user_id": row.keys[0],
            "spend": Usd(row.cost),
            "total_tokens": _tokens(row),
            "api_requests": row.calls,
        }
        for row in rows
        if row.keys[0]
    ]


def named(rows: Sequence[SpendRow], member: str, spend: str) -> list[Exact]:
    """Return sums as pairs: `/global/spend/models` and `/global/spend/provider`."""
    return [{member: row.keys[0], spend: Usd(row.cost)} for row in rows if row.keys[0]]


def tags(rows: Sequence[SpendRow]) -> list[Exact]:
    """Return `/spend/tags`."""
    return [
        {
            "individual_request_tag": row.keys[0],
            "log_count": row.calls,
            "total_spend": Usd(row.cost),
        }
        for row in rows
        if row.keys[0]
    ]


def teams(rows: Sequence[SpendRow]) -> ExactObject:
    """Return `/global/spend/teams` of sums by team and day."""
    days: dict[date, dict[str, int]] = {}
    totals: dict[str, int] = {}
    for row in rows:
        name = row.keys[0] or _NO_TEAM
        day = days.setdefault(_date(row), {})
        day[name] = day.get(name, 0) + row.cost
        totals[name] = totals.get(name, 0) + row.cost
    daily: list[Exact] = [
        {"date": day.isoformat(), **{name: Usd(cost) for name, cost in spent.items()}}
        for day, spent in sorted(days.items())
    ]
    by_cost = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "daily_spend": daily,
        "teams": [name for name, _ in by_cost],
        "total_spend_per_team": [
            {"team_id": name, "total_spend": Usd(cost)} for name, cost in by_cost
        ],
    }


def activity(rows: Sequence[SpendRow]) -> ExactObject:
    """Return `/global/activity` of sums by day."""
    daily: list[Exact] = [
        {
            # LiteLLM's own form of a day, English in every locale.
            "date": f"{_MONTHS[_date(row).month - 1]} {_date(row).day:02d}",
            "api_requests": row.calls,
            "total_tokens": _tokens(row),
        }
        for row in rows
    ]
    return {
        "daily_data": daily,
        "sum_api_requests": sum(row.calls for row in rows),
        "sum_total_tokens": sum(_tokens(row) for row in rows),
    }


def budget(row: JsonObject) -> JsonObject:
    """Return a budget of the configuration as LiteLLM's `LiteLLM_BudgetTable` has it.

    Args:
        row: As `GET /budgets` lists it.
    """
    return {
        "budget_id": budget_id(row),
        "max_budget": row.get("limit_usd"),
        "soft_budget": None,
        "max_parallel_requests": None,
        "tpm_limit": None,
        "rpm_limit": None,
        "model_max_budget": None,
        "budget_duration": row.get("window"),
        "budget_reset_at": row.get("resets_at"),
        "created_by": "configuration",
        "updated_by": "configuration",
        "spend": row.get("spent_usd"),
        "held": row.get("held_usd"),
    }


def budget_id(row: JsonObject) -> str:
    """Return what names a budget: scope and name (`alias:frontier`)."""
    return f"{row.get('scope')}:{row.get('name')}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Day:
    """The sums of one day of `/spend/logs`."""

    def __init__(self) -> None:
        self._spend = 0
        self._keys: dict[str, int] = {}
        self._users: dict[str, int] = {}
        self._models: dict[str, int] = {}

    def add(self, row: SpendRow) -> None:
        key, user, model = row.keys
        self._spend += row.cost
        if key:  # the master key has no name to stand beside the fixed members
            self._keys[key] = self._keys.get(key, 0) + row.cost
        self._users[user] = self._users.get(user, 0) + row.cost
        self._models[model] = self._models.get(model, 0) + row.cost

    def form(self, day: date) -> ExactObject:
        return {
            # LiteLLM has the keys beside the fixed members; those keep their meaning.
            **_usd(self._keys),
            "startTime": day.isoformat(),
            "spend": Usd(self._spend),
            "users": _usd(self._users),
            "models": _usd(self._models),
        }


_NOTHING = _Day()


def _usd(sums: dict[str, int]) -> ExactObject:
    return {name: Usd(cost) for name, cost in sums.items()}


def _metadata(entry: Entry) -> ExactObject:
    words: dict[str, Json] = {
        "user_api_key_alias": entry.key_name or None,
        "user_api_key_user_id": entry.user or None,
        "user_api_key_team_id": entry.team or None,
        "status": entry.status,
        "part": entry.part,
        "asked": entry.asked,
        "ticket_id": entry.ticket or None,
        "phase": entry.phase or None,
        "workflow": entry.workflow or None,
        "escalation_reason": entry.reason or None,
        "estimated": entry.estimated,
    }
    return {**words}


def _totals(rows: Iterable[SpendRow]) -> ExactObject:
    parts = tuple(rows)
    return {
        "total_cost": Usd(sum(row.cost for row in parts)),
        "total_input_tokens": sum(row.input + row.cached + row.written for row in parts),
        "total_output_tokens": sum(row.output for row in parts),
    }


def _tokens(row: SpendRow) -> int:
    return row.input + row.cached + row.written + row.output


def _date(row: SpendRow) -> date:
    return datetime.fromtimestamp(row.start or 0, UTC).date()
