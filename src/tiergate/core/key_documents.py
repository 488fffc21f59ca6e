"""How keys, users and teams change in their documents, and how other processes learn of it.

Pure changes (`ports.keeping.Change`): each gets the documents as they are and returns what to
write. Every change adds what it wrote to one more document, the revision, so that a process that
remembers callers reads one document to know which of them it must forget. A change that finds
other documents than the ones it was made for writes nothing, and is made again by whoever asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from tiergate.base.jsontypes import Json
from tiergate.core.keys import (
    Holder,
    HolderKind,
    KeyRecord,
    alias_document,
    holder_document,
    key_document,
    write_holder,
    write_key,
)

REVISION = "keys:revision"
"""The document that counts changes."""

_REMEMBERED = 256

Seen = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it was read, with the very document: who changes it must find that one again."""

    record: KeyRecord
    body: bytes


class Clash(Enum):
    """Why a change was not made."""

    MOVED = "moved"
    """Somebody else was faster: read again."""
    KEY_TAKEN = "key_taken"
    ALIAS_TAKEN = "alias_taken"
    NO_TEAM = "no_team"
    ID_TAKEN = "id_taken"


@dataclass(frozen=True, slots=True)
class Revision:
    """What has changed.

    Attributes:
        number: How many changes there were.
        changed: The last ones: number and document.
    """

    number: int = 0
    changed: tuple[tuple[int, str], ...] = ()

    def since(self, number: int) -> frozenset[str] | None:
        """Return the documents that changed after a revision.

        None when that is not known any more: then everything may have changed.
        """
        if number == self.number:
            return frozenset()
        oldest = self.changed[0][0] if self.changed else self.number + 1
        if number > self.number or number < oldest - 1:
            return None
        return frozenset(document for at, document in self.changed if at > number)


def read_revision(body: bytes | None) -> Revision:
    """Return the revision that a document holds; one that cannot be read is a new beginning."""
    if body is None:
        return Revision()
    try:
        found: Json = json.loads(body)
    except ValueError:
        return Revision()
    if not isinstance(found, dict):
        return Revision()
    number, changed = found.get("number"), found.get("changed")
    if not isinstance(number, int) or not isinstance(changed, list):
        return Revision()
    pairs: list[tuple[int, str]] = []
    for pair in changed:
        if isinstance(pair, list) and len(pair) == 2:
            at, document = pair
            if isinstance(at, int) and isinstance(document, str):
                pairs.append((at, document))
    return Revision(number, tuple(pairs))


def documents_of(
    record: KeyRecord, old: StoredKey | None, *, team_asked: bool = False
) -> tuple[str, ...]:
    """Return the documents that writing a key has to see.

    Args:
        record: The key as it is to be.
        old: The key as it was; None for a new one.
        team_asked: The team is named anew, so it has to be there.
    """
    aliases = dict.fromkeys(
        alias for alias in (record.alias, old.record.alias if old is not None else "") if alias
    )
    teams = [holder_document(HolderKind.TEAM, record.team)] if team_asked and record.team else []
    return (
        key_document(record.hash),
        *(alias_document(alias) for alias in aliases),
        *teams,
        REVISION,
    )


def put_key(
    seen: Seen, record: KeyRecord, old: StoredKey | None, *, team_asked: bool = False
) -> tuple[Seen, Clash | None]:
    """Write a key.

    Args:
        seen: The documents of `documents_of`.
        record: The key as it is to be.
        old: The key that `record` was made of; None for a new one.
        team_asked: See `documents_of`.
    """
    name = key_document(record.hash)
    body = write_key(record)
    if seen[name] == body:
        return {}, None  # made before, by this very change
    if seen[name] != (old.body if old is not None else None):
        return {}, Clash.KEY_TAKEN if old is None else Clash.MOVED
    owner = record.hash.encode()
    if record.alias and seen[alias_document(record.alias)] not in (None, owner):
        return {}, Clash.ALIAS_TAKEN
    if team_asked and record.team and seen[holder_document(HolderKind.TEAM, record.team)] is None:
        return {}, Clash.NO_TEAM
    writes: dict[str, bytes | None] = {name: body}
    if old is not None and old.record.alias:
        writes[alias_document(old.record.alias)] = None
    if record.alias:
        writes[alias_document(record.alias)] = owner
    return _noted(seen, writes, [name]), None


def documents_to_drop(keys: Iterable[StoredKey]) -> tuple[str, ...]:
    """Return the documents that dropping some keys has to see."""
    found: list[str] = []
    for key in keys:
        found.append(key_document(key.record.hash))
        if key.record.alias:
            found.append(alias_document(key.record.alias))
    return (*dict.fromkeys(found), REVISION)


def drop_keys(seen: Seen, keys: Iterable[StoredKey]) -> tuple[Seen, Clash | None]:
    """Remove some keys: all of them, or none.

    Args:
        seen: The documents of `documents_to_drop`.
        keys: The keys as they were read.
    """
    writes: dict[str, bytes | None] = {}
    for key in keys:
        record, name = key.record, key_document(key.record.hash)
        if seen[name] is None:
            continue
        if seen[name] != key.body:
            return {}, Clash.MOVED
        writes[name] = None
        if record.alias and seen[alias_document(record.alias)] == record.hash.encode():
            writes[alias_document(record.alias)] = None
    changed = [name for name in writes if not name.startswith(alias_document(""))]
    return (_noted(seen, writes, changed) if writes else {}), None


def put_holder(seen: Seen, holder: Holder, old: bytes | None) -> tuple[Seen, Clash | None]:
    """Write a user or a team.

    Args:
        seen: Its document and the revision.
        holder: As it is to be.
        old: The document that `holder` was made of; None for a new one.
    """
    name = holder_document(holder.kind, holder.id)
    body = write_holder(holder)
    if seen[name] == body:
        return {}, None
    if seen[name] != old:
        return {}, Clash.ID_TAKEN if old is None else Clash.MOVED
    return _noted(seen, {name: body}, [name]), None


def drop_holder(seen: Seen, kind: HolderKind, name: str) -> tuple[Seen, Clash | None]:
    """Remove a user or a team; its keys are removed apart."""
    document = holder_document(kind, name)
    if seen[document] is None:
        return {}, None
    return _noted(seen, {document: None}, [document]), None


def _noted(seen: Seen, writes: Mapping[str, bytes | None], changed: Iterable[str]) -> Seen:
    """Add to some writes the revision that tells of them."""
    before = read_revision(seen[REVISION])
    number = before.number + 1
    told = [*before.changed, *((number, name) for name in changed)]
    # A revision is told whole or not at all: half of one would hide the other half.
    first = told[-_REMEMBERED][0] if len(told) > _REMEMBERED else told[0][0]
    kept: list[Json] = [[at, name] for at, name in told if at > first or len(told) <= _REMEMBERED]
    form: dict[str, Json] = {"number": number, "changed": kept}
    return {**writes, REVISION: json.dumps(form, separators=(",", ":")).encode()}
