"""The page of the virtual keys: who may call and spend what; keys are made and blocked here.

A key itself is shown once, on the page that answers the form which makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.key_meaning import key_budget
from tiergate.core.key_terms import changed_key
from tiergate.core.keys import KeyRecord
from tiergate.ui.rendering import Page
from tiergate.ui.sights import Sights
from tiergate.ui.visits import Done, Entrance, Visit
from tiergate.web.keys import tell

_MOST_KEYS: Final = 200
NEAR: Final = 0.8


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key, ready to be shown; money is nano-USD.

    Attributes:
        record: The key.
        name: What it is called.
        spent: In its budget's window.
        held: For calls under way.
        resets: Unix seconds at which its budget starts anew; None where it does not.
        used: Spent and held as a part of its limit; None without one.
        mood: `good`, `warn` or `bad`.
        state: In words.
    """

    record: KeyRecord
    name: str
    spent: int
    held: int
    resets: int | None
    used: float | None
    mood: str
    state: str


class KeyPages:
    """Makes the page, and carries out what its forms ask for.

    Args:
        sights: What it may look at.
    """

    def __init__(self, sights: Sights) -> None:
        self._sights = sights
        self._desk = sights.keys

    def entrances(self) -> list[Entrance]:
        """Return the addresses of the page and its forms."""
        return [
            Entrance("GET", "/ui/keys", self._show),
            Entrance("POST", "/ui/keys/make", self._make),
            Entrance("POST", "/ui/keys/block", self._block),
            Entrance("POST", "/ui/keys/unblock", self._unblock),
            Entrance("POST", "/ui/keys/delete", self._delete),
        ]

    async def _show(self, visit: Visit) -> Page:
        return await self._page(visit)

    async def _page(
        self,
        visit: Visit,
        *,
        fresh: str = "",
        fresh_name: str = "",
        fault: str = "",
        status: int = 200,
    ) -> Page:
        wanted = visit.query.get("find", "").lower()
        records = [each for each in await self._desk.book.keys() if _matches(each, wanted)]
        shown = records[::-1][:_MOST_KEYS]
        rules = self._desk.rules()
        budgets = {record.hash: key_budget(record, rules) for record in shown}
        amounts = await self._desk.standings(list(budgets.values()))
        rows = [
            _row(record, amounts.get(budgets[record.hash].id, (0, 0, None)), visit.moment.now)
            for record in shown
        ]
        return Page(
            template="keys.html",
            title="Keys",
            place="/ui/keys",
            data={
                "rows": rows,
                "total": len(records),
                "more": max(0, len(records) - _MOST_KEYS),
                "find": visit.query.get("find", ""),
                "fresh": fresh,
                "fresh_name": fresh_name,
                "fault": fault,
                "given": {name: visit.form.get(name, "") for name in _FIELDS},
                "aliases": list(dict.fromkeys(rules.names.values())),
            },
            status=status,
        )

    async def _make(self, visit: Visit) -> Page:
        try:
            key, record = await self._desk.make_key(_body(visit.form), visit.caller)
        except Refused as refused:
            return await self._page(visit, fault=refused.message, status=refused.status)
        clean = replace(visit, form={})
        return await self._page(clean, fresh=key, fresh_name=record.alias or record.masked)

    async def _block(self, visit: Visit) -> Page | Done:
        return await self._set(visit, {"blocked": True}, "key-blocked")

    async def _unblock(self, visit: Visit) -> Page | Done:
        return await self._set(visit, {"blocked": False}, "key-unblocked")

    async def _set(self, visit: Visit, fields: JsonObject, said: str) -> Page | Done:
        desk = self._desk
        rules, now = desk.rules(), desk.wall()

        def edit(record: KeyRecord) -> KeyRecord:
            return replace(changed_key(fields, record, rules, now), editor=visit.caller.name)

        try:
            record = await desk.book.change_key(visit.form.get("key", ""), edit)
        except Refused as refused:
            return await self._page(visit, fault=refused.message, status=refused.status)
        tell("key changed", record, visit.caller, fields)
        return Done("/ui/keys", said)

    async def _delete(self, visit: Visit) -> Page | Done:
        try:
            gone = await self._desk.book.delete_keys([visit.form.get("key", "")])
        except Refused as refused:
            return await self._page(visit, fault=refused.message, status=refused.status)
        for record in gone:
            tell("key deleted", record, visit.caller)
        return Done("/ui/keys", "key-deleted")


_FIELDS: Final = (
    "key_alias", "models", "max_budget", "budget_duration", "duration", "team_id", "user_id",
    "rpm_limit", "tpm_limit",
)  # fmt: skip
_NUMBERS: Final = frozenset({"max_budget"})
_WHOLE: Final = frozenset({"rpm_limit", "tpm_limit"})


def _body(form: Mapping[str, str]) -> JsonObject:
    """Return the fields of a form as `/key/generate` takes them; empty ones are left out.

    Raises:
        Refused: 400, when a number is none.
    """
    body: JsonObject = {}
    for name in _FIELDS:
        text = form.get(name, "")
        if text:
            body[name] = _value(name, text)
    return body


def _value(name: str, text: str) -> Json:
    if name == "models":
        return [each for part in text.split(",") if (each := part.strip())]
    if name not in _NUMBERS | _WHOLE:
        return text
    try:
        return int(text) if name in _WHOLE else float(text)
    except ValueError:
        raise Refused(400, f"`{name}` must be a number.", code="invalid_value") from None


def _row(record: KeyRecord, amounts: tuple[int, int, int | None], now: float) -> KeyRow:
    spent, held, resets = amounts
    limit = record.terms.max_budget
    used = None
    if limit is not None:
        used = (spent + held) / limit if limit else 1.0
    mood, state = _state(record, used, now)
    name = record.alias or record.masked or record.hash[:12]
    return KeyRow(record, name, spent, held, resets, used, mood, state)


def _state(record: KeyRecord, used: float | None, now: float) -> tuple[str, str]:
    if record.terms.blocked:
        return "bad", "blocked"
    if record.expires is not None and now >= record.expires:
        return "bad", "expired"
    if used is not None and used >= 1:
        return "bad", "budget used up"
    if used is not None and used >= NEAR:
        return "warn", "nearly used up"
    return "good", "works"


def _matches(record: KeyRecord, wanted: str) -> bool:
    """Tell whether a key has a word in its name, its user or its team, or begins with its hash."""
    if not wanted:
        return True
    named = (record.alias, record.user, record.team, record.masked)
    return record.hash.startswith(wanted) or any(wanted in each.lower() for each in named)
