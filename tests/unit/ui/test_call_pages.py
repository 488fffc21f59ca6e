"""The pages of calls: what is under way, what was, and why it went as it went."""

from __future__ import annotations

import pytest

from support.ledger import MemoryLedger, entry
from support.ui_world import HOSTILE, USD, World, budget, text
from tiergate.core.caller import MASTER
from tiergate.core.ledger import EntryStatus
from tiergate.core.sighting import Sighting, UnderWay
from tiergate.ui.call_pages import headline
from tiergate.ui.sights import Fleet

OUTAGE = entry(
    1, call_id="moved", asked="cheap", served="balanced", deployment="b", fallbacks=1,
    why="cheap/a 503 upstream > general chain > balanced/b ok", cost=18_000_000, key="ab" * 32,
    key_name="build", ticket="T-1", phase="review", tags=("ci",), input=1000, output=1000,
)  # fmt: skip


async def world_of(*records, **given) -> World:
    world = World(ledger=MemoryLedger(list(records)), **given)
    await world.sign_in()
    return world


def waiting(name: str = "slow") -> Fleet:
    call = UnderWay(name, World().now - 75, "frontier", "chat", True, "build", "T-9", "plan")
    return Fleet(sightings=[Sighting(1, (call,), calls=61)])


async def test_calls_under_way_are_shown_with_how_long_they_take():
    world = await world_of(fleet=waiting())
    shown = text(await world.page("/ui/requests"))
    assert "Under way 61" in shown
    assert "1 min 15 s frontier chat, stream build T-9 plan slow" in shown
    assert "and 60 more." in shown


async def test_the_last_calls_come_newest_first():
    world = await world_of(entry(2, call_id="first"), OUTAGE._replace(wall=World().now - 30))
    page = await world.page("/ui/requests")
    assert page.index("/ui/requests/moved") < page.index("/ui/requests/first")
    shown = text(page)
    assert "30 s ago , call moved cheap → balanced fallback ● answered $0.0180" in shown


async def test_paid_attempts_stand_with_their_call_and_not_in_the_list():
    world = await world_of(OUTAGE, OUTAGE._replace(part=1, status="declined", served="cheap"))
    assert (await world.page("/ui/requests")).count("/ui/requests/moved") == 2  # time and id
    assert "An attempt that was paid for" in await world.page("/ui/requests/moved")


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("ticket=T-1", True),
        ("ticket=T-2", False),
        ("asked=cheap&alias=balanced&phase=review", True),
        ("status=failure", False),
        ("key=build", True),
        ("key=master", False),
        ("key=" + "ab" * 32, True),
    ],
)
async def test_calls_are_found_by_what_is_known_of_them(query, there):
    world = await world_of(OUTAGE)
    _, record = await world.bureau.desk.make_key({"key_alias": "build"}, MASTER)
    if query == "key=build":
        world.ledger.records[0] = OUTAGE._replace(key=record.hash)
    page = await world.page(f"/ui/requests?{query}")
    assert ("/ui/requests/moved" in page) == there
    assert ("No call fits." in page) != there


async def test_earlier_calls_are_on_the_next_page():
    world = await world_of(*(entry(n, call_id=f"c-{n}") for n in range(120)))
    page = await world.page("/ui/requests?status=success")
    assert page.count('class="id"') == 50
    start = page.index("/ui/requests?status=success&amp;after=")
    link = page[start : page.index('"', start)].replace("&amp;", "&")
    older = await world.page(link)
    assert "Earlier calls" in older
    assert "/ui/requests/c-69" in older
    assert "Under way" not in older


async def test_one_call_tells_why_it_went_to_another_alias():
    world = await world_of(OUTAGE, rows=[budget(), budget(name="balanced"), budget("tag", "ci"),
                                         budget("gateway", "gateway")])  # fmt: skip
    page = await world.page("/ui/requests/moved")
    shown = text(page)
    assert "Asked for cheap; balanced answered in its place. The steps say why." in shown
    steps = [
        "anthropic/m-a (a) was asked for cheap and failed with 503: a fault of the provider.",
        "The fallback chain for failures begins.",
        "anthropic/m-b (b) answered for balanced.",
    ]
    places = [shown.index(step) for step in steps]
    assert places == sorted(places)
    assert "cheap/a 503 upstream &gt; general chain &gt; balanced/b ok" in page
    assert "input 1,000 $3.00 $0.0030" in shown
    assert "output 1,000 $15.00 $0.0150" in shown
    assert "charged $0.0180 0.018 USD" in shown
    assert "gateway all calls" in shown
    assert "alias balanced" in shown
    assert "tag ci" in shown
    assert "alias cheap" not in shown
    assert f"/ui/costs?key={'ab' * 32}" in page


async def test_a_cost_that_the_prices_of_now_do_not_give_is_told():
    world = await world_of(OUTAGE._replace(cost=USD))
    assert "do not give what was charged" in await world.page("/ui/requests/moved")


async def test_of_two_calls_with_one_id_the_latest_is_shown():
    world = await world_of(OUTAGE, OUTAGE._replace(wall=OUTAGE.wall + 9, served="frontier"))
    assert "frontier answered in its place" in await world.page("/ui/requests/moved")


async def test_a_call_that_is_under_way_has_a_page_too():
    world = await world_of(fleet=waiting("slow/1"))
    assert "This call is under way." in await world.page("/ui/requests/slow%2F1")


async def test_a_call_that_nobody_knows_is_not_there():
    world = await world_of()
    proto = await world.get("/ui/requests/nowhere")
    assert proto.status == 404
    assert "No call with this id is known." in proto.data.decode()


async def test_hostile_names_are_text_everywhere():
    record = entry(
        1, call_id="x", asked=HOSTILE, served=HOSTILE, ticket=HOSTILE, phase=HOSTILE,
        key_name=HOSTILE, user=HOSTILE, team=HOSTILE, end_user=HOSTILE, workflow=HOSTILE,
        session=HOSTILE, reason=HOSTILE, tags=(HOSTILE,), model=HOSTILE, why=HOSTILE,
        batch=HOSTILE, cache=HOSTILE, provider=HOSTILE, deployment=HOSTILE,
    )  # fmt: skip
    call = UnderWay(HOSTILE, 1.0, HOSTILE, "chat", False, HOSTILE, HOSTILE, HOSTILE)
    world = await world_of(record, fleet=Fleet(sightings=[Sighting(1, (call,), calls=1)]))
    for path in ("/ui/requests", "/ui/requests/x"):
        page = await world.page(path)
        assert HOSTILE not in page
        assert "<script>" not in page


async def test_where_nothing_is_kept_calls_under_way_are_shown_all_the_same():
    world = World(ledger=None, fleet=waiting())
    await world.sign_in()
    page = await world.page("/ui/requests")
    assert "Nothing outlives this process" in page
    assert "slow" in page


@pytest.mark.parametrize("status", list(EntryStatus))
def test_every_end_has_a_headline(status):
    said = headline(entry(1, asked="cheap", served="cheap", status=status.value, http_status=429))
    assert said.startswith("Asked for cheap; ")
    assert said.endswith(".")


def test_a_headline_says_what_stands_out():
    assert "the response cache answered" in headline(entry(1, cache="response"))
    assert "after 2 retries" in headline(entry(1, retries=2))
    assert "a name that is no alias" in headline(entry(1, asked="", served="", status="refused"))
