"""Escalations of tickets over HTTP: who has them, one more, start again. For administrators.

`GET /escalations`, `POST /escalations/grant` and `POST /escalations/reset`. What a change does to
a count is decided in `core.escalation`; here its reason is demanded, and the change is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.core.escalation import TicketLog
from tiergate.core.ledger_lines import utc_text
from tiergate.core.phases import EscalationPolicy
from tiergate.core.purpose import LONGEST
from tiergate.pipeline.escalations import EscalationBook
from tiergate.ports import StoreDownError
from tiergate.web.admin import Asked, Handler, Route, Told
from tiergate.web.ledger_words import number

LOG = logging.getLogger("tiergate.escalations")

_MOST_GRANTED = 1000
_PAGE = 100
_LONGEST_PAGE = 1000


class EscalationRoutes:
    """The routes.

    Args:
        book: The logs of all tickets.
        policy: What the configuration in force says; None without an escalation alias.
    """

    def __init__(
        self, book: EscalationBook, policy: Callable[[], EscalationPolicy | None]
    ) -> None:
        self._book = book
        self._policy = policy

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("GET", "/escalations", _guarded(self._show)),
            Route("POST", "/escalations/grant", _guarded(self._grant)),
            Route("POST", "/escalations/reset", _guarded(self._reset)),
        ]

    async def _show(self, asked: Asked) -> Told:
        ticket = asked.query.get("ticket", "").strip()
        if ticket:
            return Told(self._form(_checked(ticket, "ticket"), await self._book.log(ticket)))
        most = number(asked.query, "limit", default=_PAGE, most=_LONGEST_PAGE)
        logs = await self._book.logs()
        latest = sorted(logs, key=lambda each: -_last(each[1]))[:most]
        rows: list[Json] = [self._row(name, log) for name, log in latest]
        return Told({**self._head(), "tickets": rows, "total": len(logs)})

    async def _grant(self, asked: Asked) -> Told:
        self._demand_limit()
        _known(asked.body, ("ticket", "count", "reason"))
        ticket, reason = _text(asked.body, "ticket"), _text(asked.body, "reason")
        count = asked.body.get("count", 1)
        if (
            isinstance(count, bool)
            or not isinstance(count, int)
            or not 1 <= count <= _MOST_GRANTED
        ):
            raise Refused(
                400,
                f"`count` must be a whole number from 1 to {_MOST_GRANTED}.",
                param="count",
                code="invalid_value",
            )
        log = await self._book.grant(ticket, count, reason, asked.caller.name)
        LOG.info(
            "escalations granted",
            extra={"ticket": ticket, "count": count, "reason": reason, "by": asked.caller.name},
        )
        return Told(self._form(ticket, log))

    async def _reset(self, asked: Asked) -> Told:
        self._demand_limit()
        _known(asked.body, ("ticket", "reason"))
        ticket, reason = _text(asked.body, "ticket"), _text(asked.body, "reason")
        log = await self._book.reset(ticket, reason, asked.caller.name)
        LOG.info(
            "escalations reset",
            extra={"ticket": ticket, "reason": reason, "by": asked.caller.name},
        )
        return Told(self._form(ticket, log))

    def _demand_limit(self) -> None:
        policy = self._policy()
        if policy is None or policy.limit is None:
            raise Refused(
                400,
                "Escalations are not limited here: backlog.config.json sets no "
                "llmOps.routing.escalationModel with maxEscalationsPerTicket, so there is nothing "
                "to grant or reset.",
                code="escalations_not_limited",
            )

    def _head(self) -> JsonObject:
        policy = self._policy()
        return {
            "alias": policy.alias if policy is not None else None,
            "limit": policy.limit if policy is not None else None,
        }

    def _row(self, ticket: str, log: TicketLog) -> JsonObject:
        policy = self._policy()
        allowed = None
        if policy is not None and policy.limit is not None:
            allowed = policy.limit + log.granted
        return {
            "ticket": ticket,
            "count": log.used,
            "granted": log.granted,
            "allowed": allowed,
            "left": max(0, allowed - log.used) if allowed is not None else None,
            "last_at": utc_text(log.opened[-1].wall) if log.opened else None,
        }

    def _form(self, ticket: str, log: TicketLog) -> JsonObject:
        earlier = len(log.opened) - log.used
        return {
            **self._head(),
            **self._row(ticket, log),
            "openings": [
                {
                    "at": utc_text(each.wall),
                    "session_id": each.session or None,
                    "call_id": each.call_id,
                    "reason": each.reason or None,
                    "key": each.key,
                    "counts": index >= earlier,
                }
                for index, each in enumerate(log.opened)
            ],
            "grants": [
                {
                    "at": utc_text(each.wall),
                    "count": each.count,
                    "reason": each.reason,
                    "key": each.key,
                }
                for each in log.grants
            ],
            "resets": [
                {
                    "at": utc_text(each.wall),
                    "count": each.used,
                    "granted": each.granted,
                    "reason": each.reason,
                    "key": each.key,
                }
                for each in log.resets
            ],
        }


def _guarded(handler: Handler) -> Handler:
    """Return a handler that says in words that the store does not answer."""

    async def handle(asked: Asked) -> Told:
        try:
            return await handler(asked)
        except StoreDownError as exc:
            raise Refused(
                503,
                f"The store of escalations does not answer ({exc}). Nothing is known to have "
                "changed; look again with GET /escalations.",
                code="escalation_store_unavailable",
                type="api_error",
                headers=(("retry-after", "1"),),
            ) from None

    return handle


def _last(log: TicketLog) -> float:
    return log.opened[-1].wall if log.opened else 0.0


def _known(body: JsonObject, names: tuple[str, ...]) -> None:
    for name in body:
        if name not in names:
            raise Refused(
                400,
                f"`{name[:40]}` is not known here; send {', '.join(names)}.",
                code="unknown_parameter",
                param=name[:40],
            )


def _text(body: JsonObject, name: str) -> str:
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and name == "ticket":
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise Refused(
            400,
            f"`{name}` is required: a text that is not empty.",
            code="missing_parameter",
            param=name,
        )
    return _checked(value.strip(), name)


def _checked(text: str, name: str) -> str:
    if len(text) > LONGEST or not text.isprintable():
        raise Refused(
            400,
            f"`{name}` must be at most {LONGEST} printable characters.",
            code="invalid_value",
            param=name,
        )
    return text
