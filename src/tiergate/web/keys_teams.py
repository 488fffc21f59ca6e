"""The routes of teams: what several keys may use and spend together.

Their shapes are LiteLLM's. Members are noted, and have no rights or limits of their own: a call
belongs to the team that its key names.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.exact_json import Exact
from tiergate.core.key_fields import (
    check_fields,
    invalid,
    read_text,
    read_texts,
    required_text,
)
from tiergate.core.key_terms import TEAM_FIELDS, changed_holder, read_members, window_warnings
from tiergate.core.keys import Holder, HolderKind
from tiergate.pipeline.keybook import no_such_holder
from tiergate.web.admin import Asked, Route, Told
from tiergate.web.keys import KeyDesk, tell
from tiergate.web.keys_forms import Forms, answer, check_query, guarded

LOG = logging.getLogger("tiergate.keys")

_KIND: Final = HolderKind.TEAM


class TeamRoutes:
    """`/team/new`, `info`, `update`, `delete`, `list`, members, `block`, `unblock`."""

    def __init__(self, desk: KeyDesk) -> None:
        self._desk = desk
        self._book = desk.book

    def routes(self) -> list[Route]:
        """Return the routes; a virtual key may see its own team."""
        return [
            Route("POST", "/team/new", guarded(self._new)),
            Route("GET", "/team/info", guarded(self._info), keys=True),
            Route("POST", "/team/update", guarded(self._update)),
            Route("POST", "/team/delete", guarded(self._delete)),
            Route("GET", "/team/list", guarded(self._list)),
            Route("POST", "/team/member_add", guarded(self._member_add)),
            Route("POST", "/team/member_delete", guarded(self._member_delete)),
            Route("POST", "/team/block", guarded(self._block)),
            Route("POST", "/team/unblock", guarded(self._unblock)),
        ]

    async def _new(self, asked: Asked) -> Told:
        rules, now, body = self._desk.rules(), self._desk.wall(), asked.body
        warnings = (*check_fields(body, TEAM_FIELDS), *window_warnings(body, rules))
        name = read_text(body.get("team_id"), "team_id") or self._desk.new_id()
        fields = {key: value for key, value in body.items() if value is not None}
        team = changed_holder(fields, Holder(kind=_KIND, id=name, created=now), rules, now)
        await self._book.create_holder(team)
        _tell("team created", team, asked.caller)
        return answer((await self._forms(team)).team(team), warnings)

    async def _info(self, asked: Asked) -> Told:
        """Show a team. The holder of a key sees the team alone, not its other keys."""
        check_query(asked.query, ("team_id",))
        name = asked.query.get("team_id") or asked.caller.team
        if not name:
            raise invalid("team_id", "Give `team_id`.", code="missing_parameter")
        if not asked.caller.admin and name != asked.caller.team:
            raise Refused(
                403,
                "A virtual key may see its own team only; the master key sees all.",
                code="not_your_team",
                type="permission_error",
            )
        team = await self._book.holder(_KIND, name)
        if team is None:
            raise no_such_holder(_KIND, name)
        keys = await self._book.keys_of(_KIND, name) if asked.caller.admin else []
        forms = await Forms.of(self._desk.rules(), self._desk.standings, keys, [team])
        shown: list[Exact] = [forms.key(key) for key in keys]
        return answer(
            {"team_id": name, "team_info": forms.team(team), "keys": shown, "team_memberships": []}
        )

    async def _update(self, asked: Asked) -> Told:
        rules, now, body = self._desk.rules(), self._desk.wall(), asked.body
        warnings = (*check_fields(body, TEAM_FIELDS), *window_warnings(body, rules))
        name = required_text(body, "team_id")
        team = await self._book.change_holder(
            _KIND, name, lambda old: changed_holder(body, old, rules, now)
        )
        _tell("team changed", team, asked.caller, tuple(body))
        return answer({"team_id": name, "data": (await self._forms(team)).team(team)}, warnings)

    async def _delete(self, asked: Asked) -> Told:
        """Remove teams with all their keys, as LiteLLM does."""
        check_fields(asked.body, frozenset({"team_ids"}))
        names = read_texts(asked.body.get("team_ids"), "team_ids")
        if not names:
            raise invalid("team_ids", "Give `team_ids`.", code="missing_parameter")
        for name in names:
            if await self._book.holder(_KIND, name) is None:
                raise no_such_holder(_KIND, name)
        gone: list[str] = []
        for name in names:
            keys = await self._book.delete_holder(_KIND, name)
            gone += [key.hash for key in keys]
            _tell("team deleted", Holder(kind=_KIND, id=name), asked.caller)
            for key in keys:
                tell("key deleted", key, asked.caller)
        return answer({"deleted_teams": list(names), "deleted_keys": gone})

    async def _list(self, asked: Asked) -> Told:
        """Show all teams, or those of a user, as the plain list that LiteLLM gives."""
        check_query(asked.query, ("user_id",))
        user = asked.query.get("user_id")
        teams = [
            team
            for team in await self._book.holders(_KIND)
            if user is None or any(member.user == user for member in team.members)
        ]
        forms = await self._forms(*teams)
        shown: list[Exact] = [forms.team(team) for team in teams]
        return answer(shown)

    async def _member_add(self, asked: Asked) -> Told:
        body = asked.body
        warnings = check_fields(body, frozenset({"team_id", "member"}))
        added = read_members(body.get("member"), "member")
        if not added:
            raise invalid("member", "`member` is required.", code="missing_parameter")
        names = frozenset(member.user for member in added)

        def edit(old: Holder) -> Holder:
            left = tuple(member for member in old.members if member.user not in names)
            return replace(old, members=(*left, *added), updated=self._desk.wall())

        team = await self._book.change_holder(_KIND, required_text(body, "team_id"), edit)
        _tell("team changed", team, asked.caller, ("members",))
        return answer((await self._forms(team)).team(team), warnings)

    async def _member_delete(self, asked: Asked) -> Told:
        body = asked.body
        check_fields(body, frozenset({"team_id", "user_id"}))
        user = required_text(body, "user_id")

        def edit(old: Holder) -> Holder:
            left = tuple(member for member in old.members if member.user != user)
            if len(left) == len(old.members):
                raise invalid("user_id", f"{user} is no member of {old.id}.")
            return replace(old, members=left, updated=self._desk.wall())

        team = await self._book.change_holder(_KIND, required_text(body, "team_id"), edit)
        _tell("team changed", team, asked.caller, ("members",))
        return answer((await self._forms(team)).team(team))

    async def _block(self, asked: Asked) -> Told:
        return await self._set_blocked(asked, blocked=True)

    async def _unblock(self, asked: Asked) -> Told:
        return await self._set_blocked(asked, blocked=False)

    async def _set_blocked(self, asked: Asked, *, blocked: bool) -> Told:
        check_fields(asked.body, frozenset({"team_id"}))
        rules, now = self._desk.rules(), self._desk.wall()
        team = await self._book.change_holder(
            _KIND,
            required_text(asked.body, "team_id"),
            lambda old: changed_holder({"blocked": blocked}, old, rules, now),
        )
        _tell("team changed", team, asked.caller, ("blocked",))
        return answer((await self._forms(team)).team(team))

    async def _forms(self, *teams: Holder) -> Forms:
        return await Forms.of(self._desk.rules(), self._desk.standings, holders=teams)


def _tell(event: str, team: Holder, caller: Caller, fields: tuple[str, ...] = ()) -> None:
    LOG.info(
        event,
        extra={"team_id": team.id, "by": caller.name, "fields": ",".join(sorted(fields))},
    )
