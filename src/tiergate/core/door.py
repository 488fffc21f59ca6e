"""What is remembered of the dashboard's door: wrong keys that were tried, and who has signed out.

Pure: a value, what changes it, and its form as a document that all workers and replicas share.
Keys are not in it, and addresses are hashed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from tiergate.base.jsontypes import Json

TRY_SECONDS: Final = 300.0
"""A wrong key is remembered for so long."""

MOST_OF_ONE: Final = 10
"""Wrong keys from one address in that time; then it has to wait."""

MOST_OF_ALL: Final = 100
"""Wrong keys from all addresses in that time: somebody with many addresses is held up too."""

MOST_GONE: Final = 1000
"""Sessions that were ended before their time and are remembered."""


@dataclass(frozen=True, slots=True)
class Door:
    """What is remembered.

    Attributes:
        tries: Wrong keys: Unix time, and the hash of the address; the oldest first.
        gone: Names of sessions that were ended, and the Unix time at which they end by themselves.
    """

    tries: tuple[tuple[float, str], ...] = ()
    gone: tuple[tuple[str, int], ...] = ()

    def wait(self, who: str, now: float) -> float | None:
        """Return the seconds until an address may try a key; None when it may now."""
        young = [(at, of) for at, of in self.tries if at > now - TRY_SECONDS]
        own = [at for at, of in young if of == who]
        until: list[float] = []
        if len(own) >= MOST_OF_ONE:
            until.append(own[-MOST_OF_ONE] + TRY_SECONDS)
        if len(young) >= MOST_OF_ALL:
            until.append(young[-MOST_OF_ALL][0] + TRY_SECONDS)
        return max(until) - now if until else None

    def failed(self, who: str, now: float) -> Door:
        """Note a wrong key."""
        young = [each for each in self.tries if now - TRY_SECONDS < each[0] <= now]
        return replace(self, tries=(*young[-(MOST_OF_ALL - 1) :], (now, who)))

    def ended(self, name: str, expires: int, now: float) -> Door:
        """Note a session that somebody has signed out of."""
        alive = [each for each in self.gone if each[1] > now and each[0] != name]
        return replace(self, gone=(*alive[-(MOST_GONE - 1) :], (name, expires)))

    def is_gone(self, name: str) -> bool:
        """Tell whether somebody has signed out of a session."""
        return any(name == each for each, _ in self.gone)

    def to_bytes(self) -> bytes:
        """Return the document."""
        return json.dumps({"tries": self.tries, "gone": self.gone}).encode()

    @staticmethod
    def from_bytes(body: bytes | None) -> Door:
        """Return what a document says; nothing is remembered where there is none, or another one.

        A document that cannot be read would shut the administrator out if it were an error.
        """
        if body is None:
            return Door()
        try:
            found: Json = json.loads(body)
        except ValueError:
            return Door()
        return Door(_tries(found), _gone(found))


def _tries(found: Json) -> tuple[tuple[float, str], ...]:
    return tuple(
        (float(at), who)
        for at, who in _pairs(found, "tries")
        if isinstance(at, int | float) and isinstance(who, str)
    )


def _gone(found: Json) -> tuple[tuple[str, int], ...]:
    return tuple(
        (name, expires)
        for name, expires in _pairs(found, "gone")
        if isinstance(name, str) and isinstance(expires, int)
    )


def _pairs(found: Json, name: str) -> list[tuple[Json, Json]]:
    rows = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(rows, list):
        return []
    return [(row[0], row[1]) for row in rows if isinstance(row, list) and len(row) == 2]
