"""Escalations of tickets, counted over all workers: admits calls of the escalation alias.

`core.escalation` decides; here the ticket's document is read and written, and a caller is told no.
They are counted strictly: while the documents cannot be reached, a call that would open an
escalation is refused. Calls that continue one that this worker has seen cost no round trip.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from tiergate.base.errors import Refused
from tiergate.base.values import AliasName
from tiergate.core.catalog import Deployment
from tiergate.core.escalation import (
    EMPTY,
    Continued,
    Granted,
    LimitReached,
    NoReason,
    Opened,
    Opening,
    Reset,
    TicketLog,
    Verdict,
    grant,
    open_escalation,
    reset,
)
from tiergate.core.phases import EscalationPolicy
from tiergate.core.plan import Wish
from tiergate.ports import Clock, Documents, Inbound, Seen, StoreDownError

PREFIX = "escalation:"
"""How the names of these documents begin."""

_MOST_REMEMBERED = 10_000
_LONGEST_REASONS = 400

_decoder = msgspec.json.Decoder(TicketLog)
_encode = msgspec.json.encode


class EscalationBook:
    """The logs of all tickets; outlives reloads.

    Args:
        documents: Where the logs are kept.
        wall: Unix seconds.
        new_id: Gives an id that no other grant or reset has.
    """

    def __init__(self, documents: Documents, wall: Clock, new_id: Callable[[], str]) -> None:
        self._documents = documents
        self._wall = wall
        self._new_id = new_id
        self._open: OrderedDict[tuple[str, str], None] = OrderedDict()

    def knows(self, ticket: str, session: str) -> bool:
        """Tell whether this worker has seen that the session's escalation is open."""
        if not session or (ticket, session) not in self._open:
            return False
        self._open.move_to_end((ticket, session))
        return True

    async def open(self, ticket: str, ask: Opening, policy: EscalationPolicy) -> Verdict:
        """Open an escalation, or find that the call continues one.

        Raises:
            StoreDownError: The documents cannot be reached.
        """
        key, limit = PREFIX + ticket, policy.limit
        if limit is None:
            return Continued()

        def change(seen: Seen) -> tuple[Seen, Verdict]:
            log = _read(seen[key], ticket)
            after, verdict = open_escalation(
                log, ask, limit, reason_required=policy.reason_required
            )
            return ({key: _encode(after)} if after is not log else {}), verdict

        verdict = await self._documents.update([key], change)
        if ask.session and isinstance(verdict, Opened | Continued):
            self._open[ticket, ask.session] = None
            if len(self._open) > _MOST_REMEMBERED:
                self._open.popitem(last=False)
        return verdict

    async def log(self, ticket: str) -> TicketLog:
        """Return a ticket's log; an empty one where it never escalated.

        Raises:
            StoreDownError: The documents cannot be reached.
        """
        key = PREFIX + ticket
        return _read((await self._documents.read([key]))[key], ticket)

    async def logs(self) -> list[tuple[str, TicketLog]]:
        """Return the logs of all tickets by name, in the order of the names.

        Raises:
            StoreDownError: The documents cannot be reached.
        """
        found = await self._documents.scan(PREFIX)
        return [
            (key.removeprefix(PREFIX), _read(body, key.removeprefix(PREFIX)))
            for key, body in found
        ]

    async def grant(self, ticket: str, count: int, reason: str, key: str) -> TicketLog:
        """Allow a ticket more escalations; return its log.

        Raises:
            StoreDownError: The documents cannot be reached.
        """
        given = Granted(id=self._new_id(), count=count, reason=reason, wall=self._wall(), key=key)
        return await self._change(ticket, lambda log: grant(log, given))

    async def reset(self, ticket: str, reason: str, key: str) -> TicketLog:
        """Set a ticket's count back to zero, grants included; return its log.

        Raises:
            StoreDownError: The documents cannot be reached.
        """
        made = Reset(
            id=self._new_id(), used=0, granted=0, reason=reason, wall=self._wall(), key=key
        )
        return await self._change(ticket, lambda log: reset(log, made))

    async def _change(self, ticket: str, step: Callable[[TicketLog], TicketLog]) -> TicketLog:
        name = PREFIX + ticket

        def change(seen: Seen) -> tuple[Seen, TicketLog]:
            log = step(_read(seen[name], ticket))
            return {name: _encode(log)}, log

        return await self._documents.update([name], change)


class Escalations:
    """Admits calls of one configuration's escalation alias.

    Args:
        policy: What the configuration says.
        book: The logs.
        wall: Unix seconds.
    """

    __slots__ = ("_book", "_wall", "policy")

    def __init__(self, policy: EscalationPolicy, book: EscalationBook, wall: Clock) -> None:
        self.policy = policy
        self._book = book
        self._wall = wall

    @property
    def alias(self) -> AliasName:
        """The escalation alias."""
        return self.policy.alias

    def guards(self, deployment: Deployment, wish: Wish) -> bool:
        """Tell whether a call is an escalation that counts: one of the alias asked.

        A fallback to the alias is recorded and not counted; one that a drill forces is counted,
        since it would be a way round the limit.
        """
        alias = self.policy.alias
        return deployment.alias == alias and (wish.alias == alias or wish.drill is not None)

    async def admit(self, inbound: Inbound) -> None:
        """Let a call of the escalation alias pass; it then has an escalation, if it has a ticket.

        To be asked when everything else is settled and the call would go out, so that a call that
        a budget or a cooldown stops uses nothing up.

        Raises:
            Refused: 400 without a required reason; 403 beyond the maximum; 503 while escalations
                cannot be counted.
        """
        purpose, policy = inbound.purpose, self.policy
        if self._book.knows(purpose.ticket, purpose.session):
            return
        if not purpose.ticket or policy.limit is None:
            if policy.reason_required and not purpose.reason:
                raise _no_reason(policy)
            return
        ask = Opening(
            session=purpose.session,
            call_id=inbound.call_id,
            reason=purpose.reason,
            wall=self._wall(),
            key=inbound.caller.name,
        )
        try:
            verdict = await self._book.open(purpose.ticket, ask, policy)
        except StoreDownError as exc:
            raise _store_down(policy, exc) from None
        if isinstance(verdict, NoReason):
            raise _no_reason(policy)
        if isinstance(verdict, LimitReached):
            raise _limit_reached(policy, purpose.ticket, verdict)


def _read(document: bytes | None, ticket: str) -> TicketLog:
    if document is None:
        return EMPTY
    try:
        return _decoder.decode(document)
    except msgspec.DecodeError as exc:
        raise StoreDownError(f"the log of ticket {ticket} cannot be read: {exc}") from exc


def _no_reason(policy: EscalationPolicy) -> Refused:
    return Refused(
        400,
        f"A call of `{policy.alias}` is an escalation and must say why "
        "(llmOps.gateway.requireEscalationReason): send `metadata.escalation_reason`, or the "
        "header x-tiergate-escalation-reason.",
        code="escalation_reason_required",
        param="metadata.escalation_reason",
    )


def _limit_reached(policy: EscalationPolicy, ticket: str, reached: LimitReached) -> Refused:
    said = [reason or "no reason given" for reason in reached.reasons]
    reasons = "; ".join(said)
    if len(reasons) > _LONGEST_REASONS:
        reasons = f"{reasons[: _LONGEST_REASONS - 3]}..."
    why = f" (reasons: {reasons})" if reasons else ""
    return Refused(
        403,
        f"Ticket `{ticket}` has used {reached.used} of {reached.limit} escalations to "
        f"`{policy.alias}`{why}. Go on with the session_id of one that is open, ask for another "
        "alias, or let an administrator grant one more (POST /escalations/grant).",
        code="escalation_limit_reached",
        type="escalation_limit_reached",
        anthropic_type="escalation_limit_reached",
        headers=(("x-should-retry", "false"),),
        details=(
            ("ticket", ticket),
            ("count", reached.used),
            ("limit", reached.limit),
            ("reasons", reasons),
        ),
    )


def _store_down(policy: EscalationPolicy, exc: StoreDownError) -> Refused:
    return Refused(
        503,
        f"Escalations to `{policy.alias}` are counted strictly, and their store does not answer "
        f"({exc}). The call was not sent. Try again, or ask for another alias.",
        code="escalation_store_unavailable",
        type="api_error",
        anthropic_type="api_error",
        headers=(("retry-after", "1"),),
    )
