"""Fallback routes in the shared documents: who sees what, when, and what is recorded."""

from __future__ import annotations

import asyncio
import logging

import pytest

from support.attempts import chain, general
from support.fallbacks import NOW, Desk, Hand, Shaky, chain_of, names, routes_of
from tiergate.base.errors import Refused
from tiergate.core.catalog import ChainKind, Chains
from tiergate.core.fallback_changes import Action, Change
from tiergate.core.fallback_overrides import ConflictKind
from tiergate.pipeline.fallback_book import DOCUMENT, RECORDS, By, FallbackBook
from tiergate.ports import StoreDownError

GENERAL = ChainKind.GENERAL
ADA = By(author="ada", key="master", note="an outage")
FILE = Chains(general=chain(cheap="balanced"), default=names("local"))


def pair(chains: Chains | None = None) -> tuple[Desk, Desk]:
    """Two workers on one store and one clock."""
    store, clock = Shaky(), Hand()
    one, two = (Desk(store, routes_of(chains), clock, name) for name in ("a", "b"))
    return one, two


async def refused(step) -> tuple[int, str | None, str]:
    with pytest.raises(Refused) as caught:
        await step
    return caught.value.status, caught.value.code, caught.value.message


# ------------------------------------------------------------------ what acts, and when


async def test_a_route_acts_at_once_here_and_elsewhere_after_a_look():
    one, two = pair()
    await one.book.put(GENERAL, "cheap", ("frontier",), ADA)
    assert (one.chain("cheap"), two.chain("cheap")) == ("frontier", "")
    await two.book.refresh()
    assert two.chain("cheap") == "frontier"
    (route,) = two.book.listing().routes
    assert route.override is not None
    assert (route.override.author, route.override.note) == ("ada", "an outage")


async def test_a_request_that_began_keeps_its_chain():
    desk = Desk(made=routes_of(FILE))
    held = desk.routes.of("cheap")
    await desk.book.put(GENERAL, "cheap", ("frontier",), ADA)
    assert held is not None
    assert held.chains[GENERAL] == ("balanced", "local")


async def test_members_chains_follow_what_was_set_for_them():
    desk = Desk(made=routes_of(general(cheap="balanced")))
    await desk.book.put(GENERAL, "balanced", ("local",), ADA)
    assert desk.chain("cheap") == "balanced local"


async def test_other_names_of_an_alias_name_its_route():
    desk = Desk(made=routes_of(FILE, others={"small": "cheap", "big": "frontier"}))
    change = await desk.book.put(GENERAL, "small", ("big",), ADA)
    assert (change.alias, desk.chain("cheap")) == ("cheap", "frontier local")
    assert (await desk.book.remove(GENERAL, "small", ADA)).alias == "cheap"
    assert (await desk.book.restore(GENERAL, "small", ADA)).alias == "cheap"
    assert len(await desk.book.changes(9, alias="small")) == 3


async def test_a_route_ends_at_its_instant_and_the_files_comes_back():
    one, two = pair(FILE)
    await one.book.put(GENERAL, "cheap", ("frontier",), By(author="ada", seconds=7200))
    await two.book.refresh()
    assert one.book.next_end() == two.book.next_end() == NOW + 7200
    one.clock.now += 7199.9
    for desk in (one, two):
        desk.book.apply()
        assert desk.chain("cheap") == "frontier local"
    one.clock.now = NOW + 7200
    for desk in (one, two):
        desk.book.apply()
        assert desk.chain("cheap") == "balanced local"
        assert desk.book.next_end() is None


async def test_an_end_is_recorded_once_by_whoever_looks_first():
    one, two = pair(FILE)
    await one.book.put(GENERAL, "cheap", ("frontier",), By(author="ada", seconds=10))
    await one.book.put(GENERAL, "local", ("frontier",), By(author="ada", seconds=10))
    await two.book.refresh()
    one.clock.now += 60
    await asyncio.gather(two.book.refresh(), one.book.refresh())
    await one.book.refresh()
    expired = [c for c in await one.book.changes(99) if c.action is Action.EXPIRED]
    assert sorted((c.alias, c.at) for c in expired) == [("cheap", NOW + 10), ("local", NOW + 10)]
    assert {c.number for c in expired} == {3, 4}


class Stale(Shaky):
    """Documents that can be read as they were."""

    stale = None

    async def read(self, keys):
        return self.stale or await super().read(keys)


async def test_an_end_that_another_has_recorded_meanwhile_is_not_recorded_again():
    store, clock = Stale(), Hand()
    one, two = (Desk(store, routes_of(FILE), clock, name) for name in ("a", "b"))
    await one.book.put(GENERAL, "cheap", ("frontier",), By(author="ada", seconds=10))
    before = await store.read([DOCUMENT])
    clock.now += 10
    await one.book.refresh()
    store.stale = before
    await two.book.refresh()
    store.stale = None
    assert two.book.next_end() is None
    assert [c.number for c in await two.book.changes(9)] == [2, 1]


async def test_a_change_after_an_end_that_nobody_recorded_records_both():
    one, two = pair(FILE)
    await one.book.put(GENERAL, "cheap", ("frontier",), By(author="ada", seconds=10))
    one.clock.now += 60
    change = await two.book.put(GENERAL, "cheap", ("local",), ADA)
    assert change.before is not None
    assert change.before.targets == ("balanced",)
    actions = [each.action for each in await two.book.changes(9)]
    assert actions == [Action.SET, Action.EXPIRED, Action.SET]


async def test_another_configuration_keeps_what_was_set():
    desk = Desk(made=routes_of(FILE))
    await desk.book.put(GENERAL, "cheap", ("frontier",), ADA)
    again = routes_of(general(balanced="local"))
    desk.book.govern(again)
    assert chain_of(again, "cheap") == "frontier"
    assert chain_of(again, "balanced") == "local"
    assert [c.kind for c in desk.book.listing().conflicts] == [ConflictKind.FILE_CHANGED]


async def test_what_was_set_is_there_for_a_process_that_starts_later():
    first = Desk()
    await first.book.put(GENERAL, "cheap", ("frontier",), ADA)
    later = Desk(first.documents)
    await later.book.refresh()
    assert later.chain("cheap") == "frontier"


# ------------------------------------------------------------------ changes


async def test_removing_and_taking_back_a_route_of_the_file():
    desk = Desk(made=routes_of(FILE))
    change = await desk.book.remove(GENERAL, "cheap", ADA)
    assert change.action is Action.SWITCHED_OFF
    assert desk.chain("cheap") == "local", "the default acts for it"
    assert [each.alias for each in desk.book.listing().off] == ["cheap"]
    status, code, message = await refused(desk.book.remove(GENERAL, "cheap", ADA))
    assert (status, code) == (404, "fallback_not_found")
    assert "switched off by ada" in message
    change = await desk.book.restore(GENERAL, "cheap", ADA)
    assert change.action is Action.RESTORED
    assert desk.chain("cheap") == "balanced local"
    assert (await refused(desk.book.restore(GENERAL, "cheap", ADA)))[0] == 404


async def test_the_default_is_a_route_too_and_only_a_general_one():
    desk = Desk(made=routes_of(FILE))
    await desk.book.put(GENERAL, "*", ("frontier",), ADA)
    assert desk.chain("balanced") == "frontier"
    await desk.book.remove(GENERAL, "*", ADA)
    assert desk.chain("balanced") == ""
    assert (await refused(desk.book.put(ChainKind.BUDGET, "*", ("cheap",), ADA)))[:2] == (
        400,
        "no_default_of_this_type",
    )


@pytest.mark.parametrize(
    ("alias", "to", "status", "code"),
    [
        ("nobody", ("cheap",), 404, "model_not_found"),
        ("cheap", (), 400, "empty_fallback_models"),
        ("cheap", ("nobody",), 400, "unknown_fallback_model"),
        ("cheap", ("*",), 400, "unknown_fallback_model"),
        ("cheap", ("cheap",), 400, "fallback_to_itself"),
        ("cheap", ("local", "local"), 422, "duplicate_fallback_model"),
        ("balanced", ("cheap",), 400, "fallback_cycle"),
    ],
)
async def test_what_makes_no_route_is_refused_and_changes_nothing(alias, to, status, code):
    desk = Desk(made=routes_of(FILE))
    found = await refused(desk.book.put(GENERAL, alias, to, ADA))
    assert found[:2] == (status, code)
    assert not desk.book.listing().conflicts
    assert await desk.book.changes(9) == []


async def test_a_ring_can_be_set_by_who_asks_for_it():
    desk = Desk(made=routes_of(FILE))
    await desk.book.put(GENERAL, "balanced", ("cheap",), ADA, allow_ring=True)
    assert desk.chain("balanced") == "cheap"


async def test_a_time_for_a_removal_needs_a_route_that_comes_back():
    desk = Desk(made=routes_of(FILE))
    await desk.book.put(GENERAL, "frontier", ("cheap",), ADA)
    soon = By(author="ada", seconds=5)
    assert (await refused(desk.book.remove(GENERAL, "frontier", soon)))[1] == "nothing_to_expire"
    await desk.book.remove(GENERAL, "cheap", soon)
    desk.clock.now += 5
    desk.book.apply()
    assert desk.chain("cheap") == "balanced local"


async def test_changes_are_told_the_newest_first_and_by_kind_and_alias():
    desk = Desk()
    for number, (kind, alias) in enumerate(
        [(GENERAL, "cheap"), (ChainKind.BUDGET, "cheap"), (GENERAL, "balanced")]
    ):
        desk.clock.now = NOW + number
        await desk.book.put(kind, alias, ("local",), ADA)
    assert [c.number for c in await desk.book.changes(9)] == [3, 2, 1]
    assert [c.number for c in await desk.book.changes(2)] == [3, 2]
    assert [c.number for c in await desk.book.changes(9, kind=GENERAL)] == [3, 1]
    assert [c.number for c in await desk.book.changes(9, alias="cheap")] == [2, 1]
    assert await desk.book.changes(9, alias="gone") == []


async def test_workers_that_change_at_once_lose_nothing():
    one, two = pair()
    await asyncio.gather(
        *(desk.book.put(GENERAL, name, ("frontier",), ADA)
          for desk in (one, two) for name in ("cheap", "balanced", "local"))
    )  # fmt: skip
    await one.book.refresh()
    assert len(one.book.listing().routes) == 3
    assert sorted(c.number for c in await one.book.changes(99)) == [1, 2, 3, 4, 5, 6]


class Forgetful(Shaky):
    """Makes each change, and then makes it again, as after an answer that was lost."""

    async def update(self, keys, change):
        await super().update(keys, change)
        return await super().update(keys, change)


async def test_a_change_that_is_made_twice_is_one_change():
    desk = Desk(Forgetful(), routes_of(FILE))
    change = await desk.book.put(GENERAL, "cheap", ("frontier",), ADA)
    assert change.before is not None
    assert change.before.targets == ("balanced",)
    assert [c.number for c in await desk.book.changes(9)] == [1]


# ------------------------------------------------------------------ the store


async def test_while_the_store_is_down_routes_act_and_end_and_changes_fail():
    one, _ = pair(FILE)
    store = one.documents
    assert isinstance(store, Shaky)
    await one.book.put(GENERAL, "cheap", ("frontier",), By(author="ada", seconds=10))
    store.down = True
    for step in (
        one.book.refresh(),
        one.book.put(GENERAL, "cheap", ("local",), ADA),
        one.book.remove(GENERAL, "cheap", ADA),
        one.book.changes(9),
    ):
        with pytest.raises(StoreDownError):
            await step
    assert one.chain("cheap") == "frontier local"
    one.clock.now += 10
    with pytest.raises(StoreDownError):
        await one.book.refresh()
    assert one.chain("cheap") == "balanced local"
    store.down = False
    one.clock.now += 50
    await one.book.refresh()
    assert [(c.action, c.at) for c in await one.book.changes(1)] == [(Action.EXPIRED, NOW + 10)]


async def test_a_store_that_lost_everything_is_told(caplog):
    desk = Desk()
    await desk.book.put(GENERAL, "cheap", ("frontier",), ADA)
    await desk.documents.update([DOCUMENT], lambda _seen: ({DOCUMENT: None}, None))
    with caplog.at_level(logging.WARNING, "tiergate.fallbacks"):
        await desk.book.refresh()
    assert "has lost fallback routes" in caplog.text
    assert desk.chain("cheap") == ""


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"number": "many"}'])
async def test_a_document_that_cannot_be_read_is_told_and_left(body: bytes):
    desk = Desk()
    await desk.book.put(GENERAL, "cheap", ("frontier",), ADA)
    await desk.documents.update([DOCUMENT], lambda _seen: ({DOCUMENT: body}, None))
    for step in (desk.book.refresh(), desk.book.put(GENERAL, "cheap", ("local",), ADA)):
        with pytest.raises(StoreDownError, match="cannot be read"):
            await step
    assert desk.chain("cheap") == "frontier"
    assert (await desk.documents.read([DOCUMENT]))[DOCUMENT] == body


async def test_a_record_that_cannot_be_read_is_told_by_its_name():
    desk = Desk()
    await desk.documents.update([f"{RECORDS}1"], lambda _seen: ({f"{RECORDS}1": b"{"}, None))
    with pytest.raises(StoreDownError, match=f"{RECORDS}1"):
        await desk.book.changes(9)


class Racing(Shaky):
    """Always has something that has just ended and is not recorded."""

    async def update(self, keys, change):
        answer = await super().update(keys, lambda seen: (seen, change(seen)[1]))
        return None if isinstance(answer, tuple) and isinstance(answer[1], Change) else answer


async def test_who_is_never_first_is_told_to_try_again():
    found = await refused(Desk(Racing()).book.put(GENERAL, "cheap", ("local",), ADA))
    assert found[:2] == (409, "busy")


# ------------------------------------------------------------------ the log


async def test_changes_and_conflicts_are_logged_once(caplog):
    with caplog.at_level(logging.INFO, "tiergate.fallbacks"):
        desk = Desk()
        await desk.book.put(GENERAL, "cheap", ("frontier",), ADA)
        changed = general(cheap="local")
        desk.book.govern(routes_of(changed))
        desk.book.govern(routes_of(changed))
        await desk.book.refresh()
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert logged == [
        ("INFO", "fallback route changed"),
        ("WARNING", "a fallback route set at run time and the file differ"),
    ]
    change, conflict = (vars(record) for record in caplog.records)
    assert [change[k] for k in ("action", "alias", "before", "after", "by", "note")] == [
        "set",
        "cheap",
        "nothing",
        "[frontier]",
        "ada",
        "an outage",
    ]
    assert "cheap" in conflict["conflict"]
    assert "[frontier]" in conflict["conflict"]
    assert "[local]" in conflict["conflict"]


async def test_a_book_that_governs_nothing_yet_knows_no_alias():
    book = FallbackBook(Shaky(), Hand(), lambda: "x")
    assert book.alias("cheap") is None
    assert book.aliases() == ()
    other = Desk()
    await other.book.put(GENERAL, "cheap", ("frontier",), ADA)
    book = FallbackBook(other.documents, Hand(), lambda: "x")
    await book.refresh()
    assert book.listing().routes == ()
    book.govern(later := routes_of())
    assert chain_of(later, "cheap") == "frontier"
