"""Where virtual keys are known."""

from __future__ import annotations

from typing import Protocol

from tiergate.base.errors import Refused
from tiergate.core.caller import Caller


class Keyring(Protocol):
    """Knows the holders of virtual keys.

    A key is named by its SHA-256 in hex; the key itself never comes here. An answer may be a
    refusal (a blocked or expired key): it is returned, not raised, so that it can be kept.
    """

    def get(self, key: str) -> Caller | Refused | None:
        """Return what is known in this process; None when the store must be asked."""
        ...

    async def find(self, key: str) -> Caller | Refused | None:
        """Ask the store; None when there is no such key.

        Raises:
            StoreDownError: The store cannot be reached.
        """
        ...
