"""The overview, the budgets and the costs say what ledger and budgets say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.attempts import chain
from support.fallbacks import routes_of
from support.ledger import DAY, MemoryLedger, entry
from support.ui_world import HOSTILE, USD, World, budget, text
from tiergate.base.values import AliasName
from tiergate.core.caller import MASTER
from tiergate.core.catalog import ChainKind, Chains
from tiergate.core.remarks import Remark
from tiergate.core.sighting import Seen, Sighting, UnderWay
from tiergate.pipeline.fallback_book import By
from tiergate.ui.sights import Fleet

SHARES = tuple(
    zip(map(AliasName, ("cheap", "balanced", "frontier")), (0.7, 0.25, 0.05), strict=True)
)


async def world_of(*records, **given) -> World:
    world = World(ledger=MemoryLedger(list(records)), **given)
    await world.sign_in()
    return world


async def test_the_tiles_are_of_today():
    world = await world_of(
        entry(1, cost=2 * USD, saving=USD),
        entry(2, cost=USD, status="failure"),
        entry(3, wall=World().now - DAY, cost=50 * USD),
        fleet=Fleet(
            sightings=[
                Sighting(1, (UnderWay("c", 1.0, "cheap", "chat", False, "k", "", ""),), calls=3)
            ]
        ),
    )
    page = text(await world.page("/ui"))
    assert "Spent today $3.00 Calls today 2 1 not answered Saved by caches today $1.00" in page
    assert "Under way 3" in page


async def test_the_mix_stands_against_its_targets():
    records = [entry(n, served=("cheap", "balanced")[n % 2], cost=USD) for n in range(4)]
    world = await world_of(*records)
    world.settings = replace(world.settings, traffic_shares=SHARES)
    page = text(await world.page("/ui"))
    assert "cheap 2 50 % 70 % −20 points $2.00 50 %" in page
    assert "frontier 0 0 % 5.0 % −5.0 points $0 0 %" in page


async def test_the_budgets_nearest_to_their_limits_are_shown():
    rows = [budget(name=f"a{n}", spent=n * 10 * USD) for n in range(9)]
    world = await world_of(rows=rows)
    page = await world.page("/ui")
    assert page.count('<li class="gauge ') == 6
    assert "All budgets (3 more)" in page
    assert text(page).index("a8") < text(page).index("a7")


async def test_all_is_calm_where_nothing_asks_for_a_look():
    world = await world_of(rows=[budget()])
    assert "Nothing asks for a look" in await world.page("/ui")


async def test_what_asks_for_a_look_is_told_the_worst_first():
    world = await world_of(
        rows=[budget(), budget("provider", "openai", spent=100 * USD)],
        faults=["the ledger does not answer: away"],
        fleet=Fleet(
            sightings=[Sighting(1, deployments=(Seen("a", "cooling", World().now + 90),))]
        ),
    )
    world.settings = replace(
        world.settings, remarks=(Remark("warning", "c", "f:1", "p", "is odd", ""),)
    )
    world.book.govern(routes_of(Chains(general=chain(cheap="balanced"))))
    await world.book.put(ChainKind.GENERAL, "cheap", ("frontier",), By(author="ada"))
    world.book.govern(routes_of(Chains(general=chain(cheap="local"))))
    page = text(await world.page("/ui"))
    order = [
        "the ledger does not answer: away.",
        "The budget of provider openai: used up.",
        "cheap at anthropic/",
        "The configuration has 1 warning.",
        "Fallback routes: the general fallback route of cheap",
    ]
    places = [page.index(each) for each in order]
    assert places == sorted(places)
    assert "is cooling after failures; tried again in 1 min 30 s." in page


async def test_budgets_have_limit_forecast_and_reset():
    world = await world_of(rows=[budget(held=5 * USD), budget("tag", HOSTILE, forecast=None)])
    page = await world.page("/ui/budgets")
    assert HOSTILE not in page
    shown = text(page)
    assert "alias cheap $40.00 of $100.00 45 % ● within the limit" in shown
    assert "held for calls under way $5.00 forecast $50.00 window monthly" in shown
    assert "starts anew in 6 d 12 h 2026-12-01 00:00:00 UTC" in shown
    assert "forecast not yet" in shown
    assert 'aria-label="45 % used of $100.00, forecast $50.00"' in page


async def test_without_a_budget_that_is_said():
    assert "No budget is set." in await (await world_of()).page("/ui/budgets")


@pytest.mark.parametrize(
    "by", ["alias", "ticket", "phase", "key", "team", "tag", "model", "status"]
)
async def test_costs_are_shown_by_every_group(by):
    world = await world_of(entry(1, ticket="T-1", phase="review", team="x", tags=("a", "b")))
    assert "$0.0015" in await world.page(f"/ui/costs?by={by}")


async def test_costs_by_ticket_lead_on_to_one_ticket():
    world = await world_of(
        entry(1, ticket="T&1", cost=3 * USD),
        entry(2, ticket="T-2", cost=USD),
        entry(3, cost=USD),
    )
    page = await world.page("/ui/costs?by=ticket")
    assert '<a href="/ui/costs?by=alias&amp;ticket=T%261">T&amp;1</a>' in page
    shown = text(page)
    assert "T&amp;1 $3.00 60 %" in shown
    assert "(none) $1.00 20 %" in shown
    one = text(await world.page("/ui/costs?by=alias&ticket=T%261"))
    assert "ticket T&amp;1 take away" in one
    assert "Cost $3.00 Calls 1" in one


async def test_keys_are_called_by_their_names():
    world = await world_of()
    _, record = await world.bureau.desk.make_key({"key_alias": "build"}, MASTER)
    world.ledger.records += [entry(1, key=record.hash), entry(2)]
    shown = text(await world.page("/ui/costs?by=key"))
    assert "build $0.0015" in shown
    assert "(master key) $0.0015" in shown


async def test_a_hostile_name_is_text_in_table_and_chart():
    world = await world_of(entry(1, ticket=HOSTILE))
    page = await world.page("/ui/costs?by=ticket")
    assert HOSTILE not in page
    assert "<script>" not in page


@pytest.mark.parametrize("query", ["by=colour", "period=soon", "tikcet=1"])
async def test_a_question_that_is_none_is_refused(query):
    world = await world_of()
    assert (await world.get(f"/ui/costs?{query}")).status == 400


async def test_where_nothing_is_kept_the_pages_say_so():
    world = World(ledger=None)
    await world.sign_in()
    for path in ("/ui", "/ui/costs"):
        assert "Nothing outlives this process" in await world.page(path)


async def test_a_period_without_calls_is_told():
    world = await world_of()
    assert "No call was made in this period." in await world.page("/ui/costs")


async def test_a_chart_has_its_numbers_as_a_table_too():
    world = await world_of(entry(1, cost=2 * USD))
    page = await world.page("/ui")
    assert "The same numbers as a table" in page
    assert "2026-11-24 $2.00 $2.00" in text(page)
