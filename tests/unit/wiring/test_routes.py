"""Which administrative routes a gateway has."""

from __future__ import annotations

from support.asking import answer, told
from support.ledger import NOON, MemoryLedger, entry
from tiergate.wiring.routes import ledger_routes


async def no_budgets():
    return []


def routes(ledger):
    return ledger_routes(ledger, no_budgets, lambda: NOON, "Europe/Berlin")


def test_where_nothing_outlives_the_process_there_is_no_ledger_to_ask():
    assert routes(None) == []


def test_tiergates_and_litellms_routes_read_one_ledger():
    found = routes(MemoryLedger([entry(1), entry(2)]))
    places = [(route.method, route.path) for route in found]
    assert len(places) == len(set(places)), "no route hides another"
    assert {("GET", "/ledger"), ("GET", "/ledger/export"), ("GET", "/spend/logs")} <= set(places)
    body = answer(told(found, "/ledger"))
    assert [record["call_id"] for record in body["records"]] == ["call-1", "call-2"]
    assert len(answer(told(found, "/spend/logs"))) == 2


def test_days_are_those_of_the_budgets():
    """23:30 UTC is the next day in Berlin."""
    late = NOON + 11.5 * 3600
    found = routes(MemoryLedger([entry(1, wall=late)]))
    assert answer(told(found, "/ledger", "since=2026-11-24&until=2026-11-24"))["records"] == []
    body = answer(told(found, "/ledger", "since=2026-11-25&until=2026-11-25"))
    assert [record["call_id"] for record in body["records"]] == ["call-1"]
