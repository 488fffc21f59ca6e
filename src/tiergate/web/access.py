"""Who may come in: the key a request presents, and the loopback rule.

Decides nothing about what a caller may use once inside.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from tiergate.base.errors import Refused
from tiergate.base.values import Secret
from tiergate.core.caller import LOCAL, MASTER, Caller
from tiergate.ports import Keyring, StoreDownError

KEY_HEADERS = ("x-litellm-api-key", "authorization", "x-api-key", "api-key")
"""Where a key may stand; the first one present counts (LiteLLM's order, both dialects' names)."""

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


KEY_START = "sk-"
"""How every virtual key begins (LiteLLM's rule too); anything else is not worth a look."""

_LONGEST_KEY = 256


class Gate:
    """Recognises who presents the key of a request.

    Args:
        master_key: None means that the gateway asks for no key (it then listens on loopback
            only, and refuses requests that a web page makes).
        keyring: Knows the virtual keys; None where there are none.
    """

    __slots__ = ("_keyring", "_master")

    def __init__(self, master_key: Secret | None, keyring: Keyring | None = None) -> None:
        self._master = master_key.value.encode() if master_key is not None else None
        self._keyring = keyring

    def check(self, headers: Mapping[str, str]) -> Caller | None:
        """Return who is calling, or raise.

        Args:
            headers: Lower-cased names. A repeated header's values are joined by a comma, so
                two keys never match one.

        Returns:
            The caller; None when the key may be a virtual one that this process has not seen
            yet: `find` asks the store.

        Raises:
            Refused: 401 without the right key; 403 for a web page's request when no key is asked,
                and for a key that is blocked.
        """
        if self._master is None:
            self._check_local(headers)
            return LOCAL
        key = _presented(headers)
        if hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._master):
            return MASTER
        if self._keyring is None or not _may_be_virtual(key):
            raise _unknown()
        known = self._keyring.get(hash_of(key))
        if isinstance(known, Refused):
            raise known
        return known

    async def find(self, headers: Mapping[str, str]) -> Caller:
        """Ask the store who is calling, where `check` did not know.

        Raises:
            Refused: 401 for an unknown key, 403 for one that is blocked, 503 when the store
                cannot be asked.
        """
        key = hash_of(_presented(headers))
        try:
            found = await self._keyring.find(key) if self._keyring is not None else None
        except StoreDownError as exc:
            raise Refused(
                503,
                f"The key cannot be checked: the store of keys does not answer ({exc}). "
                "Try again; the gateway's master key works meanwhile.",
                code="key_store_unavailable",
                type="api_error",
                headers=(("retry-after", "1"),),
            ) from None
        if found is None:
            raise _unknown()
        if isinstance(found, Refused):
            raise found
        return found

    async def caller(self, headers: Mapping[str, str]) -> Caller:
        """Return who is calling, from memory or from the store.

        Raises:
            Refused: See `check` and `find`.
        """
        known = self.check(headers)
        return known if known is not None else await self.find(headers)

    async def admin(self, headers: Mapping[str, str]) -> Caller:
        """Return who is calling if it is an administrator.

        Raises:
            Refused: 403 for a virtual key; see `check` too.
        """
        caller = await self.caller(headers)
        if caller.admin:
            return caller
        raise Refused(
            403,
            "This route is for the administrator; it needs the gateway's master key.",
            code="admin_only",
            type="permission_error",
        )

    @staticmethod
    def _check_local(headers: Mapping[str, str]) -> None:
        """Without a key, any page in a browser on this machine could spend money: refuse those."""
        origin = headers.get("origin")
        host = headers.get("host", "localhost")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        local_origin = (
            origin is None or origin.split("://", 1)[-1].rsplit(":", 1)[0] in _LOCAL_NAMES
        )
        if name.lower() in _LOCAL_NAMES and local_origin:
            return
        raise Refused(
            403,
            "This gateway runs without a master key and serves programs on this machine only; "
            "requests from web pages or under another host name are refused. Set "
            "general_settings.master_key to open it.",
            code="loopback_only",
            type="permission_error",
        )


def _bearer(value: str) -> str:
    """Return the key of an Authorization header; empty when it has another form."""
    scheme, _, key = value.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def hash_of(key: str) -> str:
    """Return the name under which a virtual key is kept: SHA-256 in hex, LiteLLM's `token`."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _may_be_virtual(key: str) -> bool:
    return key.startswith(KEY_START) and len(key) <= _LONGEST_KEY


def _presented(headers: Mapping[str, str]) -> str:
    """Return the key that a request presents; empty when there is none."""
    for name in KEY_HEADERS:
        value = headers.get(name)
        if value is not None:
            return value if name != "authorization" else _bearer(value)
    return ""


def _unknown() -> Refused:
    return Refused(
        401,
        "The gateway does not know this key. Send the gateway's own key as "
        "`Authorization: Bearer KEY` or `x-api-key: KEY` (not a provider's key).",
        code="invalid_api_key",
        type="authentication_error",
    )
