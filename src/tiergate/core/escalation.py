"""How often a ticket has escalated, and whether it may once more: one pure arithmetic.

A ticket's log is a document that all workers share; every change here takes the log as it is and
returns the log as it shall be, and making a change twice is the same as making it once. A call of
the escalation alias opens an escalation, unless it continues one: calls of one session do, and so
does a call that is repeated under its own id. Nothing is given back when a call fails later: the
session (or the repeated id) goes on under the escalation that it has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

MOST_KEPT = 1000
"""Openings, grants and resets of one ticket that are remembered; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One escalation.

    Attributes:
        session: The session that continues it; empty: only the call itself.
        call_id: The call that opened it.
        reason: `metadata.escalation_reason`.
        wall: Unix seconds.
        key: The name of the caller's key, for people; never the key.
    """

    session: str = ""
    call_id: str
    reason: str = ""
    wall: float
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Escalations that an administrator allowed beyond the limit; `id` makes it one grant."""

    id: str
    count: int
    reason: str
    wall: float
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A count that an administrator set back; `used` and `granted` are what they were."""

    id: str
    used: int
    granted: int
    reason: str
    wall: float
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLog:
    """What is known of one ticket.

    Attributes:
        opened: The escalations, oldest first, those before a reset included: their sessions go on.
        total: How many were opened ever.
        forgiven: How many of them a reset took out of the count.
        granted: How many more than the limit are allowed.
        grants: Who allowed them.
        resets: Who set the count back.
    """

    opened: tuple[Opening, ...] = ()
    total: int = 0
    forgiven: int = 0
    granted: int = 0
    grants: tuple[Granted, ...] = ()
    resets: tuple[Reset, ...] = ()

    @property
    def used(self) -> int:
        """How many escalations count now."""
        return self.total - self.forgiven

    @property
    def counted(self) -> tuple[Opening, ...]:
        """The escalations that count now, oldest first."""
        return self.opened[len(self.opened) - self.used :] if self.used else ()


EMPTY = TicketLog()


@dataclass(frozen=True, slots=True)
class Continued:
    """The call goes on under an escalation that is open."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The call opened an escalation."""


@dataclass(frozen=True, slots=True)
class NoReason:
    """The call would open an escalation and says no reason, which is required."""


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The ticket may not escalate again.

    Attributes:
        used: How many count.
        limit: How many are allowed, grants included.
        reasons: Why those were opened, oldest first.
    """

    used: int
    limit: int
    reasons: tuple[str, ...]


Verdict: TypeAlias = Continued | Opened | NoReason | LimitReached


def open_escalation(
    log: TicketLog, ask: Opening, limit: int, *, reason_required: bool
) -> tuple[TicketLog, Verdict]:
    """Decide about one call of the escalation alias.

    Args:
        log: The ticket's log.
        ask: The escalation that the call would open.
        limit: `maxEscalationsPerTicket`.
        reason_required: Whether an escalation needs a reason; a call that continues one does not.
    """
    if _is_open(log, ask):
        return log, Continued()
    if reason_required and not ask.reason:
        return log, NoReason()
    allowed = limit + log.granted
    if log.used >= allowed:
        reasons = tuple(opening.reason for opening in log.counted)
        return log, LimitReached(log.used, allowed, reasons)
    # No more is kept than is remembered, but never less than counts.
    kept = (*log.opened, ask)[-max(MOST_KEPT, log.used + 1) :]
    return replace(log, opened=kept, total=log.total + 1), Opened()


def grant(log: TicketLog, given: Granted) -> TicketLog:
    """Allow more escalations; the same grant a second time changes nothing."""
    if any(each.id == given.id for each in log.grants):
        return log
    return replace(
        log,
        granted=log.granted + given.count,
        grants=(*log.grants, given)[-MOST_KEPT:],
    )


def reset(log: TicketLog, made: Reset) -> TicketLog:
    """Set the count back to zero, grants included; the same reset a second time changes nothing.

    Sessions whose escalations were open go on. `used` and `granted` of `made` are filled in.
    """
    if any(each.id == made.id for each in log.resets):
        return log
    noted = replace(made, used=log.used, granted=log.granted)
    return replace(log, forgiven=log.total, granted=0, resets=(*log.resets, noted)[-MOST_KEPT:])


def _is_open(log: TicketLog, ask: Opening) -> bool:
    if any(each.call_id == ask.call_id for each in log.opened):
        return True
    return bool(ask.session) and any(each.session == ask.session for each in log.opened)
