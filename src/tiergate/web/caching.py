"""Read what a request says to the response cache, from its body and from its headers."""

from __future__ import annotations

from collections.abc import Mapping

from tiergate.base.errors import Refused
from tiergate.core.caching import NO_CONTROLS, Controls, read_controls
from tiergate.ports import Inbound
from tiergate.wire.members import BodyError

_MEMBER = "cache"
_HEADER = "cache-control"


def controls_of(inbound: Inbound, headers: Mapping[str, str]) -> Controls:
    """Return what a request says of the cache; most say nothing.

    Raises:
        Refused: 400 that names what is wrong.
    """
    members = inbound.members
    header = headers.get(_HEADER, "")
    if _MEMBER not in members:
        return read_controls(None, header) if header else NO_CONTROLS
    try:
        value = members.get(_MEMBER)
    except BodyError as exc:
        raise Refused(400, str(exc), param=_MEMBER, code="invalid_json") from None
    return read_controls(value, header)
