"""How HTTP asks the ledger, and is answered: days, numbers, whose records, exact JSON.

What is asked is the matter of the routes (`web.spend`, `web.ledger_routes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from tiergate.base.errors import Refused
from tiergate.core.caller import Caller
from tiergate.core.exact_json import Exact, encode
from tiergate.core.ledger import Filter, Group
from tiergate.core.ledger_query import QueryError, read_since, read_until
from tiergate.ports import StoreDownError
from tiergate.web.admin import Asked, Handler, Told

Query = Mapping[str, str]

_LONGEST_DAYS = 3700
_DAY_SECONDS = 86_400


def exact(body: Exact) -> Told:
    """Return an answer whose money is written exactly."""
    return Told(encode(body).encode("utf-8", "replace"))


def guarded(handler: Handler) -> Handler:
    """Return a handler that answers in words what the ledger cannot do, or does not understand."""

    async def handle(asked: Asked) -> Told:
        try:
            return await handler(asked)
        except QueryError as exc:
            raise Refused(400, str(exc), code="invalid_request") from None
        except StoreDownError as exc:
            raise Refused(
                503,
                f"The ledger cannot be read now: {exc} Calls go on, and are recorded later.",
                code="ledger_unavailable",
                type="server_error",
                headers=(("retry-after", "2"),),
            ) from None

    return handle


def own_records(caller: Caller, conditions: Mapping[Group, str]) -> tuple[tuple[Group, str], ...]:
    """Return the conditions under which a caller may look: a virtual key sees its own records.

    Raises:
        Refused: 403, when a virtual key asks for the records of another.
    """
    if caller.admin:
        return tuple(conditions.items())
    if not caller.key or conditions.get(Group.KEY, caller.key) != caller.key:
        raise Refused(
            403,
            "A virtual key may see its own records only; the master key sees all.",
            code="not_your_records",
            type="permission_error",
        )
    return tuple({**conditions, Group.KEY: caller.key}.items())


def days_of(query: Query, now: float) -> tuple[float | None, float | None]:
    """Return from when to when `start_date` and `end_date` mean, days of UTC.

    Raises:
        QueryError: One is no time.
        Refused: 400, when they are the wrong way round or too far apart.
    """
    start, end = query.get("start_date"), query.get("end_date")
    since = read_since(start, UTC, now) if start else None
    until = read_until(end, UTC, now) if end else None
    if since is not None and until is not None:
        if until <= since:
            raise Refused(
                400,
                f"`end_date` ({end}) is before `start_date` ({start}).",
                code="invalid_request",
            )
        if until - since > _LONGEST_DAYS * _DAY_SECONDS:
            raise Refused(
                400, f"At most {_LONGEST_DAYS} days can be asked for.", code="invalid_request"
            )
    return since, until


def required_days(query: Query, now: float) -> Filter:
    """Return the filter of `start_date` and `end_date`, which must both be there.

    Raises:
        Refused: 400, when one is not.
    """
    since, until = days_of(query, now)
    if since is None or until is None:
        raise Refused(
            400,
            "Give `start_date` and `end_date`, as in start_date=2026-11-01&end_date=2026-11-30.",
            code="missing_parameter",
            param="start_date" if since is None else "end_date",
        )
    return Filter(since=since, until=until)


def within(query: Query, now: float, otherwise: Filter) -> Filter:
    """Return the filter of `start_date` and `end_date`, or another one where neither is there."""
    since, until = days_of(query, now)
    return Filter(since=since, until=until) if (since, until) != (None, None) else otherwise


def number(query: Query, name: str, *, default: int, most: int) -> int:
    """Return a whole number from 1 to `most`.

    Raises:
        Refused: 400, when it is something else.
    """
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most:
        return int(text)
    raise Refused(
        400,
        f"`{name}` is {text!r}; give a whole number from 1 to {most}.",
        code="invalid_request",
        param=name,
    )
