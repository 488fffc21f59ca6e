"""Fallback routes are shown with where they come from, and changed by forms."""

from __future__ import annotations

import pytest

from support.attempts import chain
from support.fallbacks import chain_of, names, routes_of
from support.ui_world import HOSTILE, World, text
from tiergate.core.catalog import ChainKind, Chains
from tiergate.pipeline.fallback_book import By
from tiergate.ports import StoreDownError

FILE = Chains(general=chain(cheap="balanced frontier"), default=names("local"))


@pytest.fixture
async def world():
    made = World()
    made.routes = routes_of(FILE)
    made.book.govern(made.routes)
    await made.sign_in()
    return made


def form(**given: str) -> dict[str, str]:
    return {"kind": "general", "alias": "cheap", "targets": "balanced", **given}


async def test_routes_of_the_file_are_shown_as_such(world):
    shown = text(await world.page("/ui/routes"))
    assert "cheap balanced → frontier the file never edit" in shown
    assert "all other aliases local the file never" in shown


async def test_a_route_is_set_for_a_while_with_a_note(world):
    proto = await world.post(
        "/ui/routes/set", **form(targets=" frontier , local ", expires_in="2h", note="an outage")
    )
    assert proto.header("location") == "/ui/routes?said=route-set"
    assert chain_of(world.routes, "cheap") == "frontier local"
    page = await world.page("/ui/routes?said=route-set")
    shown = text(page)
    assert "The route is set." in shown
    assert "frontier → local the file says balanced, frontier" in shown
    assert "master (dashboard), now an outage" in shown
    assert "in 2 h" in shown
    assert "cheap Failures set balanced, frontier frontier, local an outage" in shown
    world.now += 7200
    assert "balanced → frontier the file" in text(await world.page("/ui/routes"))
    assert "ended by itself" in text(await world.page("/ui/routes"))


async def test_a_route_of_the_file_is_switched_off_and_given_back(world):
    proto = await world.post("/ui/routes/remove", kind="general", alias="cheap")
    assert proto.header("location") == "/ui/routes?said=route-removed"
    assert chain_of(world.routes, "cheap") == "local"
    assert "▲ switched off the file says balanced, frontier" in text(
        await world.page("/ui/routes")
    )
    proto = await world.post("/ui/routes/restore", kind="general", alias="cheap")
    assert proto.header("location") == "/ui/routes?said=route-restored"
    assert chain_of(world.routes, "cheap") == "balanced frontier local"


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"targets": ""}, 400, ""),
        ({"targets": "nobody"}, 400, "nobody"),
        ({"targets": "cheap"}, 400, ""),
        ({"alias": "nobody"}, 404, "nobody"),
        ({"kind": "weather"}, 400, "no such kind"),
        ({"expires_in": "soon"}, 400, "is not a length of time"),
        ({"expires_in": "0s"}, 400, "a second at least"),
        ({"expires_in": "800d"}, 400, "a year at most"),
        ({"note": "x" * 501}, 400, "longer than 500"),
        ({"targets": HOSTILE}, 400, ""),
    ],
)
async def test_what_cannot_be_set_says_why_and_keeps_what_was_written(world, given, status, said):
    proto = await world.post("/ui/routes/set", **form(**given))
    page = proto.data.decode()
    assert proto.status == status
    assert 'role="alert"' in page
    assert said in page
    assert HOSTILE not in page
    assert "data-live" not in page
    if given.get("targets") == "nobody":
        assert 'value="nobody"' in page
    assert chain_of(world.routes, "cheap") == "balanced frontier local"


async def test_a_ring_is_set_only_when_that_is_meant(world):
    await world.post("/ui/routes/set", **form(alias="balanced", targets="frontier"))
    ring = form(alias="frontier", targets="balanced")
    assert (await world.post("/ui/routes/set", **ring)).status == 400
    assert (await world.post("/ui/routes/set", **ring, allow_ring="yes")).status == 303


async def test_nothing_is_removed_that_is_not_there(world):
    assert (await world.post("/ui/routes/remove", kind="budget", alias="cheap")).status == 404
    assert (await world.post("/ui/routes/restore", kind="general", alias="cheap")).status == 404


async def test_editing_begins_with_what_is_there(world):
    page = await world.page("/ui/routes")
    start = page.index("/ui/routes?kind=general&amp;alias=cheap")
    link = page[start : page.index('"', start)].replace("&amp;", "&").partition("#")[0]
    edited = await world.page(link)
    assert 'name="targets" value="balanced, frontier"' in edited
    assert '<option value="cheap" selected>' in edited


async def test_a_conflict_is_told_with_the_rule(world):
    await world.book.put(ChainKind.GENERAL, "cheap", ("local",), By(author=HOSTILE, note=HOSTILE))
    world.book.govern(routes_of(Chains(general=chain(cheap="frontier"))))
    page = await world.page("/ui/routes")
    assert HOSTILE not in page
    shown = text(page)
    assert "disagree" in shown
    (conflict,) = world.book.listing().conflicts
    assert conflict.what[1:] in shown
    assert conflict.rule.partition(".")[0] in shown


async def test_while_the_store_is_down_the_last_known_routes_are_shown(world, monkeypatch):
    async def away(*_):
        raise StoreDownError("away")

    monkeypatch.setattr(world.bureau.documents, "read", away)
    monkeypatch.setattr(world.bureau.documents, "update", away)
    proto = await world.get("/ui/routes")
    shown = text(proto.data.decode())
    assert proto.status == 200
    assert "The store does not answer (away). These are the last known routes" in shown
    assert "balanced → frontier" in shown
    assert (await world.post("/ui/routes/set", **form())).status == 503
