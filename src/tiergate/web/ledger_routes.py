"""The ledger over HTTP in its own form: records page by page, and as JSON Lines.

`GET /ledger` and `GET /ledger/export` take the filters of `tiergate ledger export`. A virtual key
sees its own records only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from zoneinfo import ZoneInfo

from tiergate.base.errors import Refused
from tiergate.core.exact_json import Exact
from tiergate.core.ledger import Entry, Filter, Group, Mark
from tiergate.core.ledger_lines import full_form, full_line, toolkit_line
from tiergate.core.ledger_query import condition_value, read_group, read_since, read_until
from tiergate.ports import Clock, Ledger
from tiergate.web.admin import Asked, Route, Told
from tiergate.web.ledger_words import exact, guarded, number, own_records

NEXT_HEADER = "x-tiergate-next"
"""Where `/ledger/export` stopped: the `after` of the next request."""

_PAGE = 100
_LONGEST_PAGE = 1000
_EXPORT = 1000
_LONGEST_EXPORT = 10_000
_CONTROLS = frozenset({"since", "until", "tz", "limit", "after", "order", "call_id", "full"})


class LedgerRoutes:
    """`GET /ledger` and `GET /ledger/export`.

    Args:
        ledger: Where the records are.
        now: Unix seconds.
        timezone: The zone of days where the query names none.
    """

    def __init__(self, ledger: Ledger, now: Clock, timezone: str = "UTC") -> None:
        self._ledger = ledger
        self._now = now
        self._timezone = timezone

    def routes(self) -> list[Route]:
        """Return both routes."""
        return [
            Route("GET", "/ledger", guarded(self._page), keys=True),
            Route("GET", "/ledger/export", guarded(self._export), keys=True),
        ]

    async def _page(self, asked: Asked) -> Told:
        limit = number(asked.query, "limit", default=_PAGE, most=_LONGEST_PAGE)
        order = asked.query.get("order", "oldest")
        if order not in ("oldest", "newest"):
            raise Refused(
                400,
                f"`order` is {order!r}; choose oldest (first) or newest (first).",
                code="invalid_request",
                param="order",
            )
        entries, mark = await self._read(asked, limit, newest=order == "newest")
        records: list[Exact] = [full_form(entry) for entry in entries]
        return exact({"records": records, "next": mark.number if mark is not None else None})

    async def _export(self, asked: Asked) -> Told:
        limit = number(asked.query, "limit", default=_EXPORT, most=_LONGEST_EXPORT)
        entries, mark = await self._read(asked, limit, newest=False)
        line = full_line if asked.query.get("full", "false").lower() == "true" else toolkit_line
        text = "".join(f"{line(entry)}\n" for entry in entries)
        heads = ((NEXT_HEADER, str(mark.number)),) if mark is not None else ()
        return Told(
            text.encode("utf-8", "replace"),
            content_type="application/x-ndjson; charset=utf-8",
            headers=heads,
        )

    async def _read(
        self, asked: Asked, limit: int, *, newest: bool
    ) -> tuple[list[Entry], Mark | None]:
        query = asked.query
        after = number(query, "after", default=0, most=999_999_999) if query.get("after") else 0
        return await self._ledger.entries(
            self._filter(asked),
            limit=limit,
            after=Mark(after) if after else None,
            newest=newest,
        )

    def _filter(self, asked: Asked) -> Filter:
        query = asked.query
        zone = _zone(query, self._timezone)
        since, until = query.get("since"), query.get("until")
        return Filter(
            since=read_since(since, zone, self._now()) if since else None,
            until=read_until(until, zone, self._now()) if until else None,
            equal=own_records(asked.caller, _conditions(query)),
            call_id=query.get("call_id") or None,
        )


def _conditions(query: Mapping[str, str]) -> dict[Group, str]:
    """Return the conditions: every parameter that is no control is a group.

    Raises:
        QueryError: There is no such group, so that a misspelt filter never shows all records.
    """
    found: dict[Group, str] = {}
    for name, value in query.items():
        if name not in _CONTROLS:
            group = read_group(name)
            found[group] = condition_value(group, value)
    return found


def _zone(query: Mapping[str, str], otherwise: str) -> tzinfo:
    name = query.get("tz") or otherwise
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise Refused(
            400,
            f"`tz` is {name!r}, which is no time zone known here; write one as Europe/Berlin.",
            code="invalid_request",
            param="tz",
        ) from None
