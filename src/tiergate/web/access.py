"""Who may come in: the key a request presents, and the loopback rule.

Decides nothing about what a caller may use once inside.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from tiergate.base.errors import Refused
from tiergate.base.values import Secret

KEY_HEADERS = ("x-litellm-api-key", "authorization", "x-api-key", "api-key")
"""Where a key may stand; the first one present counts (LiteLLM's order, both dialects' names)."""

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


class Gate:
    """Checks the key of each request against the master key.

    Args:
        master_key: None means that the gateway asks for no key (it then listens on loopback
            only, and refuses requests that a web page makes).
    """

    __slots__ = ("_master",)

    def __init__(self, master_key: Secret | None) -> None:
        self._master = master_key.value.encode() if master_key is not None else None

    def check(self, headers: Mapping[str, str]) -> None:
        """Let the request in, or raise.

        Args:
            headers: Lower-cased names. A repeated header's values are joined by a comma, so
                two keys never match one.

        Raises:
            Refused: 401 without the right key; 403 for a web page's request when no key is asked.
        """
        if self._master is None:
            self._check_local(headers)
            return
        for name in KEY_HEADERS:
            value = headers.get(name)
            if value is None:
                continue
            key = value if name != "authorization" else _bearer(value)
            if hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._master):
                return
            break
        raise Refused(
            401,
            "The gateway does not know this key. Send the gateway's own key as "
            "`Authorization: Bearer KEY` or `x-api-key: KEY` (not a provider's key).",
            code="invalid_api_key",
            type="authentication_error",
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
