"""Changes of overrides, and the record of each."""

from __future__ import annotations

import pytest

from support.fallbacks import NOW, file_of, names, override
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Chains
from tiergate.core.fallback_changes import (
    EXPIRY,
    Acting,
    Action,
    Change,
    Nothing,
    NothingLasts,
    Origin,
    Ring,
    acting,
    expire,
    put,
    remove,
    restore,
)
from tiergate.core.fallback_overrides import Overrides

FILE = file_of(cheap="balanced", balanced="frontier")
CHEAP = (ChainKind.GENERAL, AliasName("cheap"))
EMPTY = Overrides()


def of_file(text: str) -> Acting:
    return Acting(names(text), Origin.FILE)


def of_runtime(text: str) -> Acting:
    return Acting(names(text), Origin.RUNTIME)


def holding(*made, number: int = 7) -> Overrides:
    return Overrides(number, made)


# ------------------------------------------------------------------ set


def test_a_route_is_set_with_what_the_file_said_and_a_record_of_both():
    new = override("cheap", "local", note="an outage", expires=NOW + 60)
    after, change = put(holding(), new, FILE)
    (kept,) = after.made
    assert (kept.over, kept.targets, after.number) == (("balanced",), ("local",), 8)
    assert change == Change(
        number=8,
        id=new.id,
        at=NOW,
        action=Action.SET,
        kind=ChainKind.GENERAL,
        alias=AliasName("cheap"),
        before=of_file("balanced"),
        after=of_runtime("local"),
        expires=NOW + 60,
        author="ada",
        key="master",
        note="an outage",
    )


def test_a_route_set_again_takes_the_place_of_the_first():
    first, _ = put(EMPTY, override("local", "cheap"), FILE)
    after, change = put(first, override("local", "frontier"), FILE)
    assert isinstance(change, Change)
    assert (change.before, change.after) == (of_runtime("cheap"), of_runtime("frontier"))
    assert [each.targets for each in after.made] == [("frontier",)]


def test_a_route_of_another_kind_stays_beside_it():
    first, _ = put(EMPTY, override("local", "cheap"), FILE)
    after, change = put(first, override("local", "frontier", kind=ChainKind.BUDGET), FILE)
    assert isinstance(change, Change)
    assert change.before is None
    assert len(after.made) == 2


@pytest.mark.parametrize(
    ("held", "new", "way"),
    [
        ((), override("balanced", "cheap"), "balanced cheap"),
        ((), override("frontier", "local cheap"), "frontier cheap balanced"),
        ((override("local", "cheap"),), override("frontier", "local"),
         "frontier local cheap balanced"),
    ],
)  # fmt: skip
def test_a_ring_over_file_and_runtime_changes_nothing_and_is_named(held, new, way):
    before = holding(*held)
    assert put(before, new, FILE) == (before, Ring(names(way)))
    after, change = put(before, new, FILE, allow_ring=True)
    assert isinstance(change, Change)
    assert after.of(new.name) is not None


def test_no_ring_is_seen_where_the_way_back_is_switched_off_or_over():
    off = holding(override("balanced"))
    assert isinstance(put(off, override("frontier", "balanced"), FILE)[1], Change)
    over = holding(override("local", "cheap", expires=NOW))
    assert isinstance(put(over, override("cheap", "local"), FILE)[1], Change)


def test_the_default_closes_no_ring():
    file = file_of(chains=Chains(default=names("local")))
    assert isinstance(put(EMPTY, override("*", "cheap"), file)[1], Change)
    assert isinstance(put(EMPTY, override("local", "cheap"), file)[1], Change)


# ------------------------------------------------------------------ remove and restore


def test_removing_a_route_of_the_file_switches_it_off():
    after, change = remove(EMPTY, override("cheap", expires=NOW + 5), FILE)
    assert isinstance(change, Change)
    assert (change.action, change.before, change.after, change.expires) == (
        Action.SWITCHED_OFF,
        of_file("balanced"),
        None,
        NOW + 5,
    )
    assert after.made[0].off
    assert after.made[0].over == ("balanced",)
    assert acting(after, FILE, CHEAP, NOW) is None
    assert acting(after, FILE, CHEAP, NOW + 5) == of_file("balanced")


def test_removing_a_route_that_covers_the_files_leaves_none():
    after, change = remove(holding(override("cheap", "local")), override("cheap"), FILE)
    assert isinstance(change, Change)
    assert (change.before, change.after) == (of_runtime("local"), None)
    assert change.action is Action.SWITCHED_OFF
    assert acting(after, FILE, CHEAP, NOW) is None


def test_removing_a_route_that_the_file_has_not_takes_it_away():
    held = holding(override("local", "cheap", expires=NOW + 9))
    after, change = remove(held, override("local", note="over"), FILE)
    assert isinstance(change, Change)
    assert (change.action, change.after, change.expires) == (Action.REMOVED, None, None)
    assert change.note == "over"
    assert after == Overrides(8)


def test_a_route_that_changes_nothing_can_be_removed_too():
    after, change = remove(holding(override("gone", "cheap")), override("gone"), FILE)
    assert isinstance(change, Change)
    assert (change.before, change.after, after.made) == (None, None, ())


def test_there_is_nothing_to_remove_where_there_is_no_route():
    off = override("cheap")
    assert remove(EMPTY, override("local"), FILE) == (EMPTY, Nothing())
    assert remove(holding(off), override("cheap"), FILE) == (holding(off), Nothing(off))
    over = holding(override("local", "cheap", expires=NOW))
    assert remove(over, override("local"), FILE) == (over, Nothing())


def test_a_switch_that_is_over_can_be_made_again():
    held = holding(override("cheap", expires=NOW))
    assert isinstance(remove(held, override("cheap"), FILE)[1], Change)


def test_a_removal_for_a_time_needs_a_route_that_can_come_back():
    held = holding(override("local", "cheap"))
    assert remove(held, override("local", expires=NOW + 9), FILE) == (held, NothingLasts())


@pytest.mark.parametrize(
    ("held", "action", "before"),
    [
        (override("cheap"), Action.RESTORED, None),
        (override("cheap", "local"), Action.REMOVED, of_runtime("local")),
    ],
)
def test_taking_back_lets_the_file_act(held, action, before):
    after, change = restore(holding(held), override("cheap"), FILE)
    assert isinstance(change, Change)
    assert (change.action, change.before, change.after) == (action, before, of_file("balanced"))
    assert after.made == ()


def test_there_is_nothing_to_take_back_where_nothing_was_set_or_it_is_over():
    assert restore(EMPTY, override("cheap"), FILE) == (EMPTY, Nothing())
    over = holding(override("cheap", "local", expires=NOW))
    assert restore(over, override("cheap"), FILE) == (over, Nothing())


# ------------------------------------------------------------------ expire


def test_what_is_over_is_taken_out_with_a_record_at_its_instant():
    held = holding(
        override("cheap", "local", expires=NOW + 5, note="hotfix"),
        override("local", "cheap", expires=NOW + 6),
        override("frontier", "local"),
    )
    after, made = expire(held, FILE, NOW + 60, {each.id for each in held.made})
    assert [each.alias for each in after.made] == ["frontier"]
    assert [(c.number, c.at, c.action, c.author) for c in made] == [
        (8, NOW + 5, Action.EXPIRED, EXPIRY),
        (9, NOW + 6, Action.EXPIRED, EXPIRY),
    ]
    assert (made[0].before, made[0].after) == (of_runtime("local"), of_file("balanced"))
    assert (made[1].before, made[1].after) == (of_runtime("cheap"), None)
    assert made[0].note == "hotfix"
    assert after.number == 9


def test_only_what_is_asked_for_and_over_is_taken_out():
    soon = override("cheap", "local", expires=NOW + 5)
    held = holding(soon, override("local", "cheap", expires=NOW + 6))
    assert expire(held, FILE, NOW + 5, {each.id for each in held.made})[0].made == held.made[1:]
    assert expire(held, FILE, NOW + 60, {"another"}) == (held, ())
    assert expire(held, FILE, NOW, {soon.id}) == (held, ())
