"""Reads what a request says of callbacks: where its trace begins, and who is not told of it.

It is asked only where a callback is configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.telling import NONE, Telling
from tiergate.ports import Inbound
from tiergate.wire.members import BodyError

DISABLE: Final = "x-litellm-disable-callbacks"
"""Header that names callbacks which are not told of a request, with commas between them."""

REDACT: Final = ("x-litellm-enable-message-redaction", "litellm-enable-message-redaction")
"""Headers that keep the words of a request from all callbacks when they say `true`."""

DISABLED: Final = "litellm_disabled_callbacks"
"""Entry in the metadata of a key that names callbacks which are not told of its calls."""

NO_LOG: Final = "no-log"
"""Member of a request that keeps it from all callbacks when it is true."""

_EVERY: Final = frozenset({"*"})
_LONGEST: Final = 256


@dataclass(frozen=True, slots=True)
class TellingRules:
    """How requests are read.

    Attributes:
        may_disable: Whether a request or a key may switch callbacks off.
    """

    may_disable: bool = True

    def of(self, inbound: Inbound, headers: Mapping[str, str]) -> Telling:
        """Return what callbacks are told of a request beside its record.

        Raises:
            Refused: 400, when `no-log` is neither true nor false.
        """
        wordless = any(headers.get(name, "").lower() == "true" for name in REDACT)
        return Telling(
            inbound.received,
            headers.get("traceparent", "")[:_LONGEST],
            _printable(headers.get("x-litellm-trace-id", "")),
            _printable(headers.get("user-agent", "")),
            self._without(inbound, headers),
            wordless=wordless,
        )

    def _without(self, inbound: Inbound, headers: Mapping[str, str]) -> frozenset[str]:
        """Return the callbacks that are not told; `*` for all."""
        said = "no-log" in inbound.members and _flag(inbound)
        if not self.may_disable:
            return NONE
        if said:
            return _EVERY
        named = _of_key(inbound.caller)
        header = headers.get(DISABLE)
        if header:
            named |= {name.strip().lower() for name in header.split(",")}
        return named


def _flag(inbound: Inbound) -> bool:
    try:
        value = inbound.members.get(NO_LOG)
    except BodyError as exc:
        raise Refused(400, str(exc), param=NO_LOG, code="invalid_json") from None
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Refused(400, f"`{NO_LOG}` must be true or false.", param=NO_LOG, code="invalid_type")


def _of_key(caller: Caller) -> frozenset[str]:
    named = caller.metadata.get(DISABLED)
    if not isinstance(named, list):
        return NONE
    return frozenset(name.lower() for name in named if isinstance(name, str))


def _printable(text: str) -> str:
    return text[:_LONGEST] if text.isprintable() else ""
