"""Which breakpoints are wanted, and when a prefix is worth one."""

from __future__ import annotations

import pytest

from tiergate.core.breakpoints import (
    Breakpoints,
    Part,
    Place,
    in_order,
    messages_meant,
    stable_prefix,
    tokens_in,
)

ROLES = ("user", "assistant", "user", "assistant", "user")


def test_the_stable_prefix_ends_with_the_tools_and_with_the_system_prompt() -> None:
    found = stable_prefix(2048, one_hour=True)
    assert [(place.part, place.one_hour) for place in found.places] == [
        (Part.TOOLS, True),
        (Part.SYSTEM, True),
    ]
    assert (found.least, found.stable) == (2048, True)


def test_a_place_in_the_messages_moves() -> None:
    assert not Breakpoints(places=(Place(part=Part.MESSAGES, index=-1),), least=1).stable


@pytest.mark.parametrize(("length", "tokens"), [(0, 0), (6, 1), (7, 2), (3584, 1024)])
def test_tokens_are_taken_by_length(length: int, tokens: int) -> None:
    assert tokens_in(length) == tokens


@pytest.mark.parametrize(
    ("hours", "good"),
    [((True, False), True), ((False, False), True), ((True, True), True), ((False, True), False)],
)
def test_an_hour_may_not_follow_five_minutes(hours: tuple[bool, bool], good: bool) -> None:
    places = (
        Place(part=Part.MESSAGES, index=-1, one_hour=hours[1]),
        Place(part=Part.SYSTEM, one_hour=hours[0]),
    )
    assert in_order(places) is good


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        (Place(part=Part.MESSAGES, index=0), (0,)),
        (Place(part=Part.MESSAGES, index=-1), (4,)),
        (Place(part=Part.MESSAGES, index=5), ()),
        (Place(part=Part.MESSAGES, index=-6), ()),
        (Place(part=Part.MESSAGES, role="user"), (0, 2, 4)),
        (Place(part=Part.MESSAGES, index=1, role="user"), (1,)),
        (Place(part=Part.MESSAGES, role="system"), ()),
    ],
)
def test_a_place_means_these_messages(place: Place, meant: tuple[int, ...]) -> None:
    assert messages_meant(place, ROLES) == meant
