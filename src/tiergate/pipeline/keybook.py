"""Makes, changes and removes keys, users and teams in the shared documents.

How documents change is decided by `core.key_documents`; here they are read, and what clashed is
tried again or told in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tiergate.base.errors import Refused
from tiergate.core.key_documents import (
    REVISION,
    Clash,
    Seen,
    StoredKey,
    documents_of,
    documents_to_drop,
    drop_holder,
    drop_keys,
    put_holder,
    put_key,
)
from tiergate.core.keys import (
    KEY_PREFIX,
    Holder,
    HolderKind,
    KeyRecord,
    alias_document,
    holder_document,
    key_document,
    read_holder,
    read_key,
)
from tiergate.ports import Documents

_TRIES = 8
_TOGETHER = 200


class KeyBook:
    """All keys, users and teams.

    Args:
        documents: Where they are.
        changed: Told which documents this process has changed.
    """

    def __init__(self, documents: Documents, changed: Callable[[Iterable[str]], None]) -> None:
        self._documents = documents
        self._changed = changed

    # ------------------------------------------------------------------ keys

    async def key(self, key: str) -> KeyRecord | None:
        """Return a key by its hash."""
        stored = await self._stored(key)
        return stored.record if stored is not None else None

    async def hash_of_alias(self, alias: str) -> str | None:
        """Return the hash of the key that has an alias."""
        name = alias_document(alias)
        owner = (await self._documents.read([name]))[name]
        return owner.decode() if owner is not None else None

    async def keys(self) -> list[KeyRecord]:
        """Return all keys, the oldest first."""
        found = [read_key(body) for _, body in await self._documents.scan(KEY_PREFIX)]
        return sorted(found, key=lambda record: (record.created, record.hash))

    async def create_key(self, record: KeyRecord) -> None:
        """Add a key.

        Raises:
            Refused: 400, when its alias or value is taken, or its team is not there.
        """
        names = documents_of(record, None, team_asked=True)

        def change(seen: Seen) -> tuple[Seen, Clash | None]:
            return put_key(seen, record, None, team_asked=True)

        clash = await self._documents.update(names, change)
        if clash is not None:
            raise _clashed(clash, record)
        self._changed(names)

    async def change_key(
        self, key: str, edit: Callable[[KeyRecord], KeyRecord], *, team_asked: bool = False
    ) -> KeyRecord:
        """Change a key.

        Args:
            key: Its hash.
            edit: Makes the new record of the old one; may be called again.
            team_asked: The team is named anew, so it has to be there.

        Raises:
            Refused: 404, when there is none; 400, see `create_key`.
        """
        for _ in range(_TRIES):
            old = await self._stored(key)
            if old is None:
                raise no_such_key()
            record = edit(old.record)
            names = documents_of(record, old, team_asked=team_asked)
            clash = await self._documents.update(names, _putting(record, old, team_asked))
            if clash is None:
                self._changed(names)
                return record
            if clash is not Clash.MOVED:
                raise _clashed(clash, record)
        raise _busy()

    async def delete_keys(self, keys: Sequence[str]) -> list[KeyRecord]:
        """Remove some keys: all of them, or none.

        Args:
            keys: Their hashes.

        Raises:
            Refused: 404, when one is not there.
        """
        for _ in range(_TRIES):
            stored = [found for key in keys if (found := await self._stored(key)) is not None]
            if len(stored) != len(keys):
                raise no_such_key()
            if await self._drop(stored):
                return [each.record for each in stored]
        raise _busy()

    # ------------------------------------------------------------------ users and teams

    async def holder(self, kind: HolderKind, name: str) -> Holder | None:
        """Return a user or a team."""
        body = await self._body(holder_document(kind, name))
        return read_holder(body) if body is not None else None

    async def holders(self, kind: HolderKind) -> list[Holder]:
        """Return all users or all teams, the oldest first."""
        prefix = holder_document(kind, "")
        found = [read_holder(body) for _, body in await self._documents.scan(prefix)]
        return sorted(found, key=lambda holder: (holder.created, holder.id))

    async def keys_of(self, kind: HolderKind, name: str) -> list[KeyRecord]:
        """Return the keys of a user or a team."""
        return [key for key in await self.keys() if _belongs(key, kind, name)]

    async def create_holder(self, holder: Holder) -> None:
        """Add a user or a team.

        Raises:
            Refused: 400, when the id is taken.
        """
        if await self._put_holder(holder, None) is not None:
            raise Refused(
                400,
                f"There is a {holder.kind.value} {holder.id} already. Change it with "
                f"POST /{holder.kind.value}/update.",
                code="id_taken",
                param=f"{holder.kind.value}_id",
            )

    async def change_holder(
        self, kind: HolderKind, name: str, edit: Callable[[Holder], Holder]
    ) -> Holder:
        """Change a user or a team.

        Args:
            kind: Which of the two.
            name: Its id.
            edit: Makes the new one of the old one; may be called again.

        Raises:
            Refused: 404, when there is none.
        """
        for _ in range(_TRIES):
            body = await self._body(holder_document(kind, name))
            if body is None:
                raise no_such_holder(kind, name)
            holder = edit(read_holder(body))
            if await self._put_holder(holder, body) is None:
                return holder
        raise _busy()

    async def delete_holder(self, kind: HolderKind, name: str) -> list[KeyRecord]:
        """Remove a user or a team with all its keys, as LiteLLM does.

        Returns:
            The keys that are gone.

        Raises:
            Refused: 404, when there is none.
        """
        if await self.holder(kind, name) is None:
            raise no_such_holder(kind, name)
        gone = await self._delete_keys_of(kind, name)
        names = (holder_document(kind, name), REVISION)

        def change(seen: Seen) -> tuple[Seen, Clash | None]:
            return drop_holder(seen, kind, name)

        await self._documents.update(names, change)
        self._changed(names)
        # A key may have been made meanwhile; without its user no cap would hold it.
        return gone + await self._delete_keys_of(kind, name)

    # ------------------------------------------------------------------ documents

    async def _delete_keys_of(self, kind: HolderKind, name: str) -> list[KeyRecord]:
        for _ in range(_TRIES):
            stored = [
                StoredKey(record, body)
                for _, body in await self._documents.scan(KEY_PREFIX)
                if _belongs(record := read_key(body), kind, name)
            ]
            parts = [stored[at : at + _TOGETHER] for at in range(0, len(stored), _TOGETHER)]
            if all([await self._drop(part) for part in parts]):
                return [each.record for each in stored]
        raise _busy()

    async def _drop(self, stored: Sequence[StoredKey]) -> bool:
        names = documents_to_drop(stored)

        def change(seen: Seen) -> tuple[Seen, Clash | None]:
            return drop_keys(seen, stored)

        clash = await self._documents.update(names, change)
        self._changed(names)
        return clash is None

    async def _put_holder(self, holder: Holder, old: bytes | None) -> Clash | None:
        names = (holder_document(holder.kind, holder.id), REVISION)

        def change(seen: Seen) -> tuple[Seen, Clash | None]:
            return put_holder(seen, holder, old)

        clash = await self._documents.update(names, change)
        self._changed(names)
        return clash

    async def _stored(self, key: str) -> StoredKey | None:
        body = await self._body(key_document(key))
        return StoredKey(read_key(body), body) if body is not None else None

    async def _body(self, name: str) -> bytes | None:
        return (await self._documents.read([name]))[name]


def _putting(
    record: KeyRecord, old: StoredKey, team_asked: bool
) -> Callable[[Seen], tuple[Seen, Clash | None]]:
    return lambda seen: put_key(seen, record, old, team_asked=team_asked)


def _belongs(key: KeyRecord, kind: HolderKind, name: str) -> bool:
    return (key.user if kind is HolderKind.USER else key.team) == name


def no_such_key() -> Refused:
    """Make the 404 of a key that is not there."""
    return Refused(
        404,
        "There is no such key. GET /key/list shows those there are, by their hashes (`token`).",
        code="key_not_found",
        type="not_found_error",
        param="key",
    )


def no_such_holder(kind: HolderKind, name: str) -> Refused:
    """Make the 404 of a user or team that is not there."""
    if kind is HolderKind.USER:
        return _not_there(kind, name, code="user_not_found")
    return _not_there(kind, name, code="team_not_found")


def _not_there(kind: HolderKind, name: str, *, code: str) -> Refused:
    return Refused(
        404,
        f"There is no {kind.value} {name}. GET /{kind.value}/list shows those there are.",
        code=code,
        type="not_found_error",
        param=f"{kind.value}_id",
    )


def _clashed(clash: Clash, record: KeyRecord) -> Refused:
    match clash:
        case Clash.ALIAS_TAKEN:
            return Refused(
                400,
                f"Another key has the alias `{record.alias}`. Aliases of keys are unique.",
                code="key_alias_taken",
                param="key_alias",
            )
        case Clash.NO_TEAM:
            return Refused(
                400,
                f"There is no team {record.team}. Make it first, with POST /team/new.",
                code="team_not_found",
                param="team_id",
            )
        case Clash.KEY_TAKEN | Clash.ID_TAKEN:
            return Refused(400, "This key is there already.", code="key_taken", param="key")
        case Clash.MOVED:
            return _busy()


def _busy() -> Refused:
    return Refused(
        409,
        "Others change the same record again and again. Try once more.",
        code="busy",
        type="api_error",
    )
