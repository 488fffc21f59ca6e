"""The routes of users: whom keys belong to, and what a user may spend over all their keys.

Their shapes are LiteLLM's. What the fields mean is decided in `core.key_terms`.
"""

from __future__ import annotations

import logging
from typing import Final

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.core.caller import Caller
from tiergate.core.exact_json import Exact, ExactObject
from tiergate.core.key_fields import (
    check_fields,
    invalid,
    read_flag,
    read_text,
    read_texts,
    required_text,
)
from tiergate.core.key_terms import USER_FIELDS, changed_holder, window_warnings
from tiergate.core.keys import Holder, HolderKind
from tiergate.pipeline.keybook import no_such_holder
from tiergate.web.admin import Asked, Route, Told
from tiergate.web.keys import KeyDesk, tell
from tiergate.web.keys_forms import Forms, Page, answer, check_query, guarded

LOG = logging.getLogger("tiergate.keys")

_KIND: Final = HolderKind.USER
_OF_THE_KEY: Final = ("key_alias", "duration", "team_id")
"""Fields of `/user/new` that are meant for the key made with the user."""

_PAGE = 25


class UserRoutes:
    """`/user/new`, `info`, `update`, `delete`, `list`."""

    def __init__(self, desk: KeyDesk) -> None:
        self._desk = desk
        self._book = desk.book

    def routes(self) -> list[Route]:
        """Return the routes; a virtual key may see its own user."""
        return [
            Route("POST", "/user/new", guarded(self._new)),
            Route("GET", "/user/info", guarded(self._info), keys=True),
            Route("POST", "/user/update", guarded(self._update)),
            Route("POST", "/user/delete", guarded(self._delete)),
            Route("GET", "/user/list", guarded(self._list)),
        ]

    async def _new(self, asked: Asked) -> Told:
        """Make a user, and (unless told otherwise, as LiteLLM) a key that belongs to it."""
        rules, now, body = self._desk.rules(), self._desk.wall(), asked.body
        warnings = (
            *check_fields(body, USER_FIELDS | {"auto_create_key", *_OF_THE_KEY}),
            *window_warnings(body, rules),
        )
        name = read_text(body.get("user_id"), "user_id") or self._desk.new_id()
        fields = {key: value for key, value in body.items() if value is not None}
        user = changed_holder(fields, Holder(kind=_KIND, id=name, created=now), rules, now)
        await self._book.create_holder(user)
        _tell("user created", user, asked.caller)
        made: ExactObject = {}
        if body.get("auto_create_key") is None or read_flag(
            body["auto_create_key"], "auto_create_key"
        ):
            made = await self._first_key(user, asked)
        forms = await Forms.of(rules, self._desk.standings, holders=[user])
        return answer({**forms.user(user), "teams": [], **made}, warnings)

    async def _first_key(self, user: Holder, asked: Asked) -> ExactObject:
        fields: dict[str, Json] = {
            name: asked.body[name] for name in _OF_THE_KEY if name in asked.body
        }
        try:
            key, record = await self._desk.make_key({**fields, "user_id": user.id}, asked.caller)
        except Refused:
            await self._book.delete_holder(_KIND, user.id)
            raise
        forms = await Forms.of(self._desk.rules(), self._desk.standings, [record])
        shown = forms.key(record)
        names = ("token", "token_id", "key_name", "key_alias", "expires", "team_id")
        return {"key": key, **{name: shown[name] for name in names}}

    async def _info(self, asked: Asked) -> Told:
        """Show a user. The holder of a key sees the user alone, not the other keys."""
        check_query(asked.query, ("user_id",))
        name = asked.query.get("user_id") or asked.caller.user
        if not name:
            raise invalid("user_id", "Give `user_id`.", code="missing_parameter")
        if not asked.caller.admin and name != asked.caller.user:
            raise Refused(
                403,
                "A virtual key may see its own user only; the master key sees all.",
                code="not_your_user",
                type="permission_error",
            )
        user = await self._book.holder(_KIND, name)
        if user is None:
            raise no_such_holder(_KIND, name)
        keys = await self._book.keys_of(_KIND, name) if asked.caller.admin else []
        teams = await self._book.holders(HolderKind.TEAM) if asked.caller.admin else []
        teams = [team for team in teams if any(member.user == name for member in team.members)]
        forms = await Forms.of(self._desk.rules(), self._desk.standings, keys, [user, *teams])
        shown_keys: list[Exact] = [forms.key(key) for key in keys]
        shown_teams: list[Exact] = [forms.team(team) for team in teams]
        return answer(
            {
                "user_id": name,
                "user_info": forms.user(user),
                "keys": shown_keys,
                "teams": shown_teams,
            }
        )

    async def _update(self, asked: Asked) -> Told:
        rules, now, body = self._desk.rules(), self._desk.wall(), asked.body
        warnings = (*check_fields(body, USER_FIELDS), *window_warnings(body, rules))
        name = required_text(body, "user_id")
        user = await self._book.change_holder(
            _KIND, name, lambda old: changed_holder(body, old, rules, now)
        )
        _tell("user changed", user, asked.caller, tuple(body))
        forms = await Forms.of(rules, self._desk.standings, holders=[user])
        return answer({"user_id": name, "data": forms.user(user)}, warnings)

    async def _delete(self, asked: Asked) -> Told:
        """Remove users with all their keys, as LiteLLM does."""
        check_fields(asked.body, frozenset({"user_ids"}))
        names = read_texts(asked.body.get("user_ids"), "user_ids")
        if not names:
            raise invalid("user_ids", "Give `user_ids`.", code="missing_parameter")
        for name in names:
            if await self._book.holder(_KIND, name) is None:
                raise no_such_holder(_KIND, name)
        gone: list[str] = []
        for name in names:
            keys = await self._book.delete_holder(_KIND, name)
            gone += [key.hash for key in keys]
            _tell("user deleted", Holder(kind=_KIND, id=name), asked.caller)
            for key in keys:
                tell("key deleted", key, asked.caller)
        return answer({"deleted_users": list(names), "deleted_keys": gone})

    async def _list(self, asked: Asked) -> Told:
        check_query(asked.query, ("page", "page_size", "user_ids", "user_email"))
        page = Page.of(asked.query, "page_size", _PAGE)
        wanted = frozenset(asked.query.get("user_ids", "").split(",")) - {""}
        email = asked.query.get("user_email")
        found = [
            user
            for user in await self._book.holders(_KIND)
            if (not wanted or user.id in wanted) and (email is None or user.email == email)
        ]
        part = found[page.cut(len(found))]
        forms = await Forms.of(self._desk.rules(), self._desk.standings, holders=part)
        shown: list[Exact] = [forms.user(user) for user in part]
        return answer(
            {
                "users": shown,
                "total": len(found),
                "page": page.number,
                "page_size": page.size,
                "total_pages": page.pages(len(found)),
            }
        )


def _tell(event: str, user: Holder, caller: Caller, fields: tuple[str, ...] = ()) -> None:
    LOG.info(
        event,
        extra={"user_id": user.id, "by": caller.name, "fields": ",".join(sorted(fields))},
    )
