"""Read what a request says it is for: ticket, session, phase, workflow, escalation reason.

Each may stand in `metadata`, in a header, or (the ticket) in a tag; the body wins over the header.
What follows from a purpose is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.purpose import LONGEST, NO_PURPOSE, Purpose
from tiergate.wire.members import Members

TICKET_TAG = "ticket:"
"""A tag that begins so names the ticket, and selects no deployment."""

HEADERS = frozenset(
    {
        "x-tiergate-ticket",
        "x-tiergate-phase",
        "x-tiergate-workflow",
        "x-tiergate-session",
        "x-tiergate-escalation-reason",
        "x-litellm-session-id",
        "x-litellm-trace-id",
    }
)
"""Request headers that say what a call is for."""

_SESSION_MEMBERS = ("litellm_session_id", "session_id", "litellm_trace_id")
_SESSION_NAMES = frozenset(_SESSION_MEMBERS)


def read_purpose(
    members: Members, metadata: JsonObject, headers: Mapping[str, str], tags: Sequence[str]
) -> Purpose:
    """Collect what a request says it is for.

    Raises:
        Refused: 400, when a name is no string, is too long, or is not printable.
    """
    if not metadata and HEADERS.isdisjoint(headers) and members.has_none(_SESSION_NAMES):
        ticket = _ticket_of(tags)  # most requests say no more
        return Purpose(ticket=ticket) if ticket else NO_PURPOSE
    ticket = _text(metadata, "ticket_id") or _header(headers, "x-tiergate-ticket")
    ticket = ticket or _ticket_of(tags)
    session = _text(metadata, "session_id")
    for name in _SESSION_MEMBERS:
        if not session and name in members:
            session = _checked(members.get(name), name)
    for name in ("x-tiergate-session", "x-litellm-session-id", "x-litellm-trace-id"):
        session = session or _header(headers, name)
    phase = _text(metadata, "phase") or _header(headers, "x-tiergate-phase")
    workflow = _text(metadata, "workflow") or _header(headers, "x-tiergate-workflow")
    reason = _text(metadata, "escalation_reason") or _header(
        headers, "x-tiergate-escalation-reason"
    )
    if not (ticket or session or phase or workflow or reason):
        return NO_PURPOSE
    return Purpose(ticket=ticket, session=session, phase=phase, workflow=workflow, reason=reason)


def _ticket_of(tags: Sequence[str]) -> str:
    for tag in tags:
        if tag.startswith(TICKET_TAG):
            return tag[len(TICKET_TAG) :]
    return ""


def _text(metadata: JsonObject, name: str) -> str:
    return _checked(metadata.get(name), f"metadata.{name}") if name in metadata else ""


def _header(headers: Mapping[str, str], name: str) -> str:
    return _checked(headers.get(name), name)


def _checked(value: Json, place: str) -> str:
    """Return a name; numbers are taken as they are written, since tickets often are numbers."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Refused(400, f"`{place}` must be a string.", param=place, code="invalid_type")
    text = value.strip()
    if len(text) > LONGEST or not text.isprintable():
        raise Refused(
            400,
            f"`{place}` must be at most {LONGEST} printable characters.",
            param=place,
            code="invalid_value",
        )
    return text
