"""The routes of virtual keys: make, show, change, block and remove them, in LiteLLM's shapes.

What the fields mean is decided in `core.key_terms`, how a key is kept in `pipeline.keybook`. A key
is shown once, in the answer that makes it; afterwards its hash names it.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.core.caller import Caller
from tiergate.core.exact_json import Exact
from tiergate.core.key_fields import check_fields, invalid, read_text, read_texts
from tiergate.core.key_terms import (
    KEY_FIELDS,
    KeyRules,
    changed_key,
    made_key,
    window_warnings,
)
from tiergate.core.keys import KeyRecord
from tiergate.pipeline.keybook import KeyBook, no_such_key
from tiergate.ports import Clock
from tiergate.web.access import KEY_START, hash_of
from tiergate.web.admin import Asked, Route, Told
from tiergate.web.keys_forms import Forms, Page, Standings, answer, check_query, guarded

LOG = logging.getLogger("tiergate.keys")

KEY_BYTES: Final = 32
SHORTEST_KEY: Final = 16
LONGEST_KEY: Final = 256

_HASH = re.compile(r"[0-9a-f]{64}")
_SIGNS = re.compile(r"sk-[!-~]+")
_PAGE = 10
_FILTERS = (
    "page", "size", "user_id", "team_id", "key_alias", "key_hash", "return_full_object",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDesk:
    """What the routes of keys, users and teams work with.

    Attributes:
        book: Keys, users and teams.
        rules: Gives what the configuration in force says of them.
        standings: Tells how budgets stand.
        wall: Unix seconds.
        random_bytes: Gives that many random bytes, fit for secrets.
    """

    book: KeyBook
    rules: Callable[[], KeyRules]
    standings: Standings
    wall: Clock
    random_bytes: Callable[[int], bytes]

    def new_key(self) -> str:
        """Return a fresh key: `sk-` and 32 random bytes."""
        return KEY_START + base64.urlsafe_b64encode(self.random_bytes(KEY_BYTES)).decode().rstrip(
            "="
        )

    def new_id(self) -> str:
        """Return a fresh id for a user or a team."""
        return self.random_bytes(16).hex()

    async def make_key(
        self, body: Mapping[str, Json], caller: Caller, value: str | None = None
    ) -> tuple[str, KeyRecord]:
        """Make a key and keep it.

        Args:
            body: The fields of the request.
            caller: Who asks.
            value: The key itself; None makes one.

        Returns:
            The key, which nobody can tell afterwards, and its record.

        Raises:
            Refused: 400, which names the field.
        """
        key = value if value is not None else self.new_key()
        now = self.wall()
        blank = KeyRecord(
            hash=hash_of(key),
            masked=f"{KEY_START}...{key[-4:]}",
            updated=now,
            author=caller.name,
            editor=caller.name,
        )
        record = made_key(body, blank, self.rules(), now)
        await self.book.create_key(record)
        tell("key created", record, caller, body)
        return key, record


class KeyRoutes:
    """`/key/generate`, `info`, `update`, `delete`, `list`, `block`, `unblock`."""

    def __init__(self, desk: KeyDesk) -> None:
        self._desk = desk
        self._book = desk.book

    def routes(self) -> list[Route]:
        """Return the routes; a virtual key may see itself."""
        return [
            Route("POST", "/key/generate", guarded(self._generate)),
            Route("GET", "/key/info", guarded(self._info), keys=True),
            Route("POST", "/key/update", guarded(self._update)),
            Route("POST", "/key/delete", guarded(self._delete)),
            Route("GET", "/key/list", guarded(self._list)),
            Route("POST", "/key/block", guarded(self._block)),
            Route("POST", "/key/unblock", guarded(self._unblock)),
        ]

    async def _generate(self, asked: Asked) -> Told:
        rules = self._desk.rules()
        warnings = (*check_fields(asked.body, KEY_FIELDS), *window_warnings(asked.body, rules))
        value = _own_value(asked.body, rules)
        fields = {name: each for name, each in asked.body.items() if name != "key"}
        key, record = await self._desk.make_key(fields, asked.caller, value)
        forms = await self._forms([record])
        return answer({"key": key, **forms.key(record)}, warnings)

    async def _info(self, asked: Asked) -> Told:
        check_query(asked.query, ("key",))
        named = asked.query.get("key")
        key = _hash(named, "key") if named else asked.caller.key
        if not asked.caller.admin and key != asked.caller.key:
            raise _not_yours()
        if not key:
            raise invalid("key", "Give `key`: the key, or its hash.", code="missing_parameter")
        record = await self._book.key(key)
        if record is None:
            raise no_such_key()
        forms = await self._forms([record])
        return answer({"key": record.hash, "info": forms.key(record)})

    async def _update(self, asked: Asked) -> Told:
        rules = self._desk.rules()
        warnings = (*check_fields(asked.body, KEY_FIELDS), *window_warnings(asked.body, rules))
        key, identified_by = await self._identified(asked.body)
        fields = {name: each for name, each in asked.body.items() if name != identified_by}
        record = await self._change(key, fields, asked.caller)
        forms = await self._forms([record])
        return answer({"key": record.hash, **forms.key(record)}, warnings)

    async def _delete(self, asked: Asked) -> Told:
        check_fields(asked.body, frozenset({"keys", "key_aliases"}))
        keys = [_hash(each, "keys") for each in read_texts(asked.body.get("keys"), "keys")]
        for alias in read_texts(asked.body.get("key_aliases"), "key_aliases"):
            found = await self._book.hash_of_alias(alias)
            if found is None:
                raise no_such_key()
            keys.append(found)
        if not keys:
            raise invalid("keys", "Give `keys` or `key_aliases`.", code="missing_parameter")
        gone = await self._book.delete_keys(list(dict.fromkeys(keys)))
        for record in gone:
            tell("key deleted", record, asked.caller)
        return answer({"deleted_keys": [record.hash for record in gone]})

    async def _list(self, asked: Asked) -> Told:
        check_query(asked.query, _FILTERS)
        page = Page.of(asked.query, "size", _PAGE)
        found = [key for key in await self._book.keys() if _matches(key, asked.query)]
        part = found[page.cut(len(found))]
        shown: list[Exact] = [record.hash for record in part]
        if asked.query.get("return_full_object", "").lower() == "true":
            forms = await self._forms(part)
            shown = [forms.key(record) for record in part]
        return answer(
            {
                "keys": shown,
                "total_count": len(found),
                "current_page": page.number,
                "total_pages": page.pages(len(found)),
            }
        )

    async def _block(self, asked: Asked) -> Told:
        return await self._set_blocked(asked, blocked=True)

    async def _unblock(self, asked: Asked) -> Told:
        return await self._set_blocked(asked, blocked=False)

    async def _set_blocked(self, asked: Asked, *, blocked: bool) -> Told:
        check_fields(asked.body, frozenset({"key", "key_alias"}))
        key, _ = await self._identified(asked.body)
        record = await self._change(key, {"blocked": blocked}, asked.caller)
        return answer((await self._forms([record])).key(record))

    # ------------------------------------------------------------------ parts

    async def _change(self, key: str, fields: Mapping[str, Json], caller: Caller) -> KeyRecord:
        rules, now = self._desk.rules(), self._desk.wall()

        def edit(record: KeyRecord) -> KeyRecord:
            return replace(changed_key(fields, record, rules, now), editor=caller.name)

        team_asked = bool(fields.get("team_id"))
        record = await self._book.change_key(key, edit, team_asked=team_asked)
        tell("key changed", record, caller, fields)
        return record

    async def _identified(self, body: Mapping[str, Json]) -> tuple[str, str]:
        """Return the hash of the key that a request means, and the field that names it."""
        named = body.get("key")
        if named is not None:
            return _hash(named if isinstance(named, str) else "", "key"), "key"
        alias = read_text(body.get("key_alias"), "key_alias")
        if not alias:
            raise invalid("key", "Give `key` or `key_alias`.", code="missing_parameter")
        found = await self._book.hash_of_alias(alias)
        if found is None:
            raise no_such_key()
        return found, "key_alias"

    async def _forms(self, keys: Sequence[KeyRecord]) -> Forms:
        return await Forms.of(self._desk.rules(), self._desk.standings, keys)


def tell(
    event: str, record: KeyRecord, caller: Caller, fields: Mapping[str, Json] | None = None
) -> None:
    """Log a change of a key for whoever audits: who, which, and the names of the fields."""
    LOG.info(
        event,
        extra={
            "token": record.hash,
            "alias": record.alias or record.masked,
            "by": caller.name,
            "fields": ",".join(sorted(fields or ())),
        },
    )


def _own_value(body: Mapping[str, Json], rules: KeyRules) -> str | None:
    """Return the key that a request brings; None where the gateway is to make one."""
    value = body.get("key")
    if value is None:
        return None
    if not rules.defaults.own_values:
        raise invalid(
            "key",
            "`key` cannot be chosen: general_settings.disable_custom_api_keys is set. Leave it "
            "out, and the gateway makes one.",
        )
    if (
        not isinstance(value, str)
        or not SHORTEST_KEY <= len(value) <= LONGEST_KEY
        or not _SIGNS.fullmatch(value)
    ):
        raise invalid(
            "key",
            f"`key` must begin with `{KEY_START}` and have {SHORTEST_KEY} to {LONGEST_KEY} "
            "characters of ASCII without blanks.",
        )
    return value


def _hash(named: str, name: str) -> str:
    """Return the hash of a key that is given itself or by its hash.

    The refusal does not repeat what was given: it may be a key.
    """
    if named.startswith(KEY_START):
        return hash_of(named)
    if _HASH.fullmatch(named.lower()):
        return named.lower()
    raise invalid(
        name, f"`{name}` takes keys (they begin with `{KEY_START}`) or their hashes (`token`)."
    )


def _matches(key: KeyRecord, query: Mapping[str, str]) -> bool:
    wanted = {
        "user_id": key.user,
        "team_id": key.team,
        "key_alias": key.alias,
        "key_hash": key.hash,
    }
    return all(query[name] == value for name, value in wanted.items() if name in query)


def _not_yours() -> Refused:
    return Refused(
        403,
        "A virtual key may see itself only; the master key sees all.",
        code="not_your_key",
        type="permission_error",
    )
