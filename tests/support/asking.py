"""Ask administrative routes as HTTP would, and read their answers without a float in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from decimal import Decimal

from tiergate.base.jsontypes import JsonObject
from tiergate.core.caller import MASTER, Caller
from tiergate.web.admin import Asked, Found, Route, Routes, Told, read_query


def told(
    routes: Iterable[Route],
    path: str,
    query: str = "",
    *,
    method: str = "GET",
    caller: Caller = MASTER,
    body: JsonObject | None = None,
) -> Told:
    """Ask one route; a route that is not for virtual keys is not found by them."""
    found = Routes([r for r in routes if r.keys or caller.admin]).find(method, path)
    assert isinstance(found, Found), f"{method} {path}: {found}"
    asked = Asked(
        method=method,
        path=path,
        query=read_query(query),
        body=body or {},
        caller=caller,
        rest=found.rest,
    )

    async def ask() -> Told:
        return await found.route.handler(asked)

    return asyncio.run(ask())


def answer(answered: Told) -> object:
    """Return the decoded body; decimals are exact."""
    if isinstance(answered.body, bytes):
        return json.loads(answered.body, parse_float=Decimal)
    return answered.body
