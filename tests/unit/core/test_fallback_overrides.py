"""Overrides laid over the file: what acts, what is shown, what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.attempts import chain
from support.fallbacks import NOW, file_of, names, override
from tiergate.base.values import AliasName
from tiergate.core.catalog import ChainKind, Chains
from tiergate.core.fallback_overrides import (
    EVERY,
    ConflictKind,
    Overrides,
    acts,
    conflicts,
    listing,
    overlaid,
    usable,
    words,
)

FILE = file_of(
    chains=Chains(
        general=chain(cheap="balanced frontier", balanced="frontier"),
        context_window=chain(cheap="frontier"),
        default=names("local"),
    )
)
CHEAP = AliasName("cheap")


def test_an_override_takes_the_place_of_its_own_route_and_of_no_other():
    chains = overlaid(FILE, [override("cheap", "local"), override("local", "cheap")])
    assert dict(chains.general) == {
        "cheap": ("local",),
        "balanced": ("frontier",),
        "local": ("cheap",),
    }
    assert chains.context_window == FILE.chains.context_window
    assert chains.default == ("local",)


@pytest.mark.parametrize("kind", list(ChainKind))
def test_each_kind_has_overrides_of_its_own(kind: ChainKind):
    chains = overlaid(file_of(), [override("cheap", "local", kind=kind)])
    assert [bool(chains.written(each)) for each in ChainKind] == [
        each is kind for each in ChainKind
    ]
    assert chains.of(kind, CHEAP) == ("local",)


def test_a_route_that_is_switched_off_is_as_if_the_file_had_no_such_line():
    chains = overlaid(FILE, [override("cheap")])
    assert "cheap" not in chains.general
    assert chains.of(ChainKind.GENERAL, CHEAP) == ("local",), "the default acts"
    assert overlaid(FILE, [override("frontier")]) == FILE.chains


def test_the_default_can_be_replaced_and_switched_off():
    assert overlaid(FILE, [override("*", "frontier")]).default == ("frontier",)
    assert overlaid(FILE, [override("*")]).default == ()


def test_targets_that_are_gone_are_left_out_and_with_none_left_the_file_acts():
    some, none = override("cheap", "gone local"), override("cheap", "gone away")
    assert usable(some, FILE) == ("local",)
    assert overlaid(FILE, [some]).general[CHEAP] == ("local",)
    assert not acts(none, FILE)
    assert overlaid(FILE, [none]) == FILE.chains


def test_an_override_of_an_alias_that_is_gone_does_nothing():
    assert overlaid(FILE, [override("gone", "local")]) == FILE.chains
    assert not acts(override("gone"), FILE)
    assert acts(override("*"), FILE)


def test_an_override_ends_at_its_instant_and_not_before():
    made = override("cheap", "local", expires=NOW + 10)
    assert made.acts_at(NOW + 9.99)
    assert not made.acts_at(NOW + 10)
    assert override("cheap", "local").acts_at(NOW * 2)


def test_the_next_end_is_the_first_that_is_still_to_come():
    made = Overrides(
        1,
        (
            override("cheap", "local", expires=NOW + 30),
            override("balanced", "local", expires=NOW + 20),
            override("frontier", "local"),
        ),
    )
    assert made.next_end(NOW) == NOW + 20
    assert made.next_end(NOW + 20) == NOW + 30
    assert made.next_end(NOW + 30) is None
    assert [each.alias for each in made.at(NOW + 25)] == ["cheap", "frontier"]


def test_what_is_shown_says_where_each_route_comes_from():
    made = Overrides(
        3,
        (
            override("cheap", "local", over=names("balanced frontier")),
            override("balanced", over=names("frontier")),
            override("local", "cheap"),
            override("frontier", "local", expires=NOW - 1),
        ),
    )
    found = listing(FILE, made, NOW)
    shown = [(r.kind.value, r.alias, words(r.targets), bool(r.override)) for r in found.routes]
    assert shown == [
        ("general", "cheap", "[local]", True),
        ("general", "*", "[local]", False),
        ("general", "local", "[cheap]", True),
        ("context_window", "cheap", "[frontier]", False),
    ]
    assert found.routes[0].file == ("balanced", "frontier")
    assert found.routes[2].file is None
    assert [each.alias for each in found.off] == ["balanced"]
    assert found.idle == found.conflicts == ()
    assert found.of((ChainKind.GENERAL, EVERY)) is found.routes[1]
    assert found.of((ChainKind.GENERAL, AliasName("balanced"))) is None


def test_an_empty_list_of_the_file_is_a_route_that_keeps_the_default_away():
    file = file_of(chains=Chains(general=chain(cheap=""), default=names("local")))
    (route, default) = listing(file, Overrides(), NOW).routes
    assert (route.alias, route.targets, route.file) == ("cheap", (), ())
    assert default.alias == EVERY


def test_overrides_that_change_nothing_are_shown_apart():
    made = Overrides(2, (override("gone", "local"), override("cheap", "away")))
    found = listing(FILE, made, NOW)
    assert [each.alias for each in found.idle] == ["gone", "cheap"]
    route = found.of((ChainKind.GENERAL, CHEAP))
    assert route is not None
    assert (route.override, words(route.targets)) == (None, "[balanced, frontier]")


def test_nothing_differs_while_the_file_says_what_it_said():
    made = (
        override("cheap", "local", over=names("balanced frontier")),
        override("frontier", "local"),
        override("balanced", over=names("frontier")),
        override("*", "frontier", over=names("local")),
    )
    assert conflicts(FILE, made) == ()


def test_a_file_that_says_something_else_now_is_a_conflict_with_both_values():
    (found,) = conflicts(FILE, [override("balanced", "local")])
    assert found.kind is ConflictKind.FILE_CHANGED
    assert found.what == (
        "the general fallback route of balanced was set to [local] at run time when the file "
        "said nothing, and now the file says [frontier]"
    )
    assert "acts until it is removed" in found.rule
    assert "DELETE /fallback/balanced?fallback_type=general&origin=runtime" in found.rule


def test_an_alias_that_is_gone_is_a_conflict_that_says_so():
    (found,) = conflicts(FILE, [override("gone", "local", over=names("cheap"))])
    assert (found.kind, found.gone) == (ConflictKind.ALIAS_GONE, ("gone",))
    assert "no alias gone any more" in found.what
    assert "does nothing until the alias is back" in found.rule


@pytest.mark.parametrize(
    ("targets", "rule"),
    [("gone local", "The targets that are left act."), ("gone away", "The file acts, as no")],
)
def test_targets_that_are_gone_are_a_conflict_that_names_them(targets: str, rule: str):
    made = override("cheap", targets, over=names("balanced frontier"))
    (found,) = conflicts(FILE, [made])
    assert found.kind is ConflictKind.TARGETS_GONE
    assert "no longer has gone" in found.what
    assert found.rule.startswith(rule)
    both = conflicts(FILE, [replace(made, over=None)])
    assert [each.kind for each in both] == [ConflictKind.TARGETS_GONE, ConflictKind.FILE_CHANGED]


def test_the_default_is_a_route_of_the_file_only_where_there_is_one_and_only_a_general_one():
    assert FILE.of((ChainKind.GENERAL, EVERY)) == ("local",)
    assert FILE.of((ChainKind.BUDGET, EVERY)) is None
    assert file_of().of((ChainKind.GENERAL, EVERY)) is None
