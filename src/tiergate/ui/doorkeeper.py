"""Holds up who tries keys, and remembers who has signed out, over all workers and replicas.

What follows from what is decided in `core.door`; here it is read and written. While the store does
not answer, this worker goes by what it knows itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from tiergate.core.door import Door
from tiergate.ports import Clock, Documents, Seen, StoreDownError
from tiergate.ui.session import Session

DOCUMENT: Final = "ui:door"
FRESH_SECONDS: Final = 1.0
"""What was read is believed for so long: signing out counts everywhere within a second."""


class Doorkeeper:
    """The door of the dashboard.

    Args:
        documents: Shared by all workers.
        wall: Unix seconds.
    """

    def __init__(self, documents: Documents, wall: Clock) -> None:
        self._documents = documents
        self._wall = wall
        self._known = Door()
        self._read_at = float("-inf")

    async def wait(self, who: str) -> float | None:
        """Return the seconds until an address may try a key; None when it may now."""
        await self._read()
        return self._known.wait(_hashed(who), self._wall())

    async def failed(self, who: str) -> None:
        """Note a wrong key from an address."""
        name, now = _hashed(who), self._wall()
        await self._change(lambda door: door.failed(name, now))

    async def leave(self, session: Session) -> None:
        """Note that somebody has signed out."""
        now = self._wall()
        await self._change(lambda door: door.ended(session.name, session.expires, now))

    async def has_left(self, session: Session) -> bool:
        """Tell whether somebody has signed out of a session."""
        if self._wall() - self._read_at >= FRESH_SECONDS:
            await self._read()
        return self._known.is_gone(session.name)

    async def _read(self) -> None:
        try:
            seen = await self._documents.read([DOCUMENT])
        except StoreDownError:
            return
        self._keep(Door.from_bytes(seen[DOCUMENT]))

    async def _change(self, edit: Callable[[Door], Door]) -> None:
        def change(seen: Seen) -> tuple[Seen, Door]:
            door = edit(Door.from_bytes(seen[DOCUMENT]))
            return {DOCUMENT: door.to_bytes()}, door

        try:
            door = await self._documents.update([DOCUMENT], change)
        except StoreDownError:
            self._known = edit(self._known)
        else:
            self._keep(door)

    def _keep(self, door: Door) -> None:
        self._known = door
        self._read_at = self._wall()


def _hashed(who: str) -> str:
    return hashlib.sha256(who.encode("utf-8", "surrogatepass")).hexdigest()[:16]
