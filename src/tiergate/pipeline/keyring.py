"""Remembers who holds which key, so that a call asks no store.

What a key means is decided in `core.key_meaning`; here it is kept for as long as it is true. A
change made in this process counts at once, one made elsewhere with the next `refresh`. Expiry is
looked at with every call. While the store is down, keys that are known go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.key_documents import REVISION, read_revision
from tiergate.core.key_meaning import caller_of, unknown_key
from tiergate.core.key_terms import KeyRules
from tiergate.core.keys import (
    Holder,
    HolderKind,
    KeyRecord,
    holder_document,
    key_document,
    read_holder,
    read_key,
)
from tiergate.ports import Clock, Documents

MOST_CALLERS = 50_000
"""Callers remembered; who is forgotten is asked for again."""

MOST_REFUSALS = 10_000
"""Refused keys remembered, apart from callers: whoever guesses keys pushes out no caller."""

REFUSAL_SECONDS = 5.0
"""For so long a refused key is refused without asking the store."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a key.

    Attributes:
        answer: The caller, or why it is refused.
        until: Unix seconds from which it must be found out again.
        documents: The documents it was made of.
    """

    answer: Caller | Refused
    until: float
    documents: frozenset[str]


class CachedKeyring:
    """Implements `ports.Keyring` over shared documents.

    Args:
        documents: Where keys, users and teams are.
        rules: What the configuration says of them.
        wall: Unix seconds.
    """

    def __init__(self, documents: Documents, rules: KeyRules, wall: Clock) -> None:
        self._documents = documents
        self._rules = rules
        self._wall = wall
        self._callers: dict[str, _Known] = {}
        self._refusals: dict[str, _Known] = {}
        self._number: int | None = None
        # Counts what was forgotten: an answer that was read before must not be kept after.
        self._forgotten = 0

    @property
    def rules(self) -> KeyRules:
        """What the configuration in force says of keys."""
        return self._rules

    def configure(self, rules: KeyRules) -> None:
        """Take over another configuration; every key is understood anew."""
        self._rules = rules
        self._forget_all()

    def get(self, key: str) -> Caller | Refused | None:
        """Return what is known in this process; None when the store must be asked."""
        known = self._callers.get(key) or self._refusals.get(key)
        if known is None or self._wall() >= known.until:
            return None
        return known.answer

    async def find(self, key: str) -> Caller | Refused | None:
        """Ask the store; None when there is no such key.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        forgotten = self._forgotten
        rules = self._rules
        document = key_document(key)
        body = (await self._documents.read([document]))[document]
        now = self._wall()
        if body is None:
            answer, sources = unknown_key(), frozenset({document})
            self._keep(key, _Known(answer, now + REFUSAL_SECONDS, sources), forgotten)
            return None
        try:
            record = read_key(body)
            holders = await self._holders(record)
        except ValueError:
            return _unreadable()
        sources = frozenset({document, *(_documents_of(record))})
        user = holders.get(HolderKind.USER)
        found = caller_of(record, user, holders.get(HolderKind.TEAM), rules, now)
        if isinstance(found, Refused):
            until = now + REFUSAL_SECONDS
        else:
            until = record.expires if record.expires is not None else float("inf")
        self._keep(key, _Known(found, until, sources), forgotten)
        return found

    async def refresh(self) -> None:
        """Forget what other processes have changed; to be called every half second or so.

        Raises:
            StoreDownError: The store cannot be reached; what is known stays.
        """
        if not self._callers and not self._refusals:
            return  # whatever changes meanwhile is read when it is first asked for
        revision = read_revision((await self._documents.read([REVISION]))[REVISION])
        if revision.number == self._number:
            return
        changed = revision.since(self._number) if self._number is not None else None
        self._number = revision.number
        if changed is None:
            self._forget_all()
        else:
            self.forget(changed)

    def forget(self, documents: Iterable[str]) -> None:
        """Forget what was made of some documents: they have changed."""
        gone = frozenset(documents)
        self._forgotten += 1
        for kept in (self._callers, self._refusals):
            stale = [key for key, known in kept.items() if not gone.isdisjoint(known.documents)]
            for key in stale:
                del kept[key]

    def _forget_all(self) -> None:
        self._forgotten += 1
        self._callers.clear()
        self._refusals.clear()

    async def _holders(self, record: KeyRecord) -> dict[HolderKind, Holder]:
        names = _documents_of(record)
        if not names:
            return {}
        seen = await self._documents.read(names)
        found = [read_holder(body) for body in seen.values() if body is not None]
        return {holder.kind: holder for holder in found}

    def _keep(self, key: str, known: _Known, forgotten: int) -> None:
        if forgotten != self._forgotten:
            return
        self._callers.pop(key, None)
        self._refusals.pop(key, None)
        refused = isinstance(known.answer, Refused)
        kept, most = (self._refusals, MOST_REFUSALS) if refused else (self._callers, MOST_CALLERS)
        if len(kept) >= most:
            for old in list(kept)[: most // 10]:  # those that came first
                del kept[old]
        kept[key] = known


def _documents_of(record: KeyRecord) -> list[str]:
    """Return the documents of a key's user and team."""
    named = ((HolderKind.USER, record.user), (HolderKind.TEAM, record.team))
    return [holder_document(kind, name) for kind, name in named if name]


def _unreadable() -> Refused:
    return Refused(
        503,
        "The record of this key cannot be read. The administrator of the gateway can delete the "
        "key and make a new one.",
        code="key_unreadable",
        type="api_error",
    )
