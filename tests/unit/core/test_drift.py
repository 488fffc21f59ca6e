"""The first difference between two prompts: where it is, what it is, and when it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.drift import (
    CHUNK,
    MOST_CHUNKS,
    Change,
    Difference,
    Head,
    Part,
    chunks_of,
    common,
    compare_heads,
    compare_messages,
)

RULES = b"\n".join(b"Rule %c: be careful with what you were given." % (65 + n) for n in range(26))


def head(*blocks: bytes, tools: tuple[int, ...] = (1, 2, 3)) -> Head:
    return Head(tools, tuple(map(hash, blocks)), tuple(map(chunks_of, blocks)))


def compare(old: tuple[bytes, ...], new: tuple[bytes, ...], **tools: tuple[int, ...]):
    return compare_heads(head(*old), head(*new, **tools), lambda at: new[at])


# ------------------------------------------------------------------ tools


@pytest.mark.parametrize(
    ("tools", "number", "change"),
    [
        ((2, 1, 3), 1, Change.REORDERED),
        ((1, 3, 2), 2, Change.REORDERED),
        ((1, 9, 3), 2, Change.CHANGED),
        ((1, 9, 2, 3), 2, Change.ADDED),
        ((1, 2, 3, 9), 4, Change.ADDED),
        ((1, 3), 2, Change.REMOVED),
        ((1, 2), 3, Change.REMOVED),
    ],
)
def test_tools_of_the_same_agent(tools: tuple[int, ...], number: int, change: Change) -> None:
    assert compare((RULES,), (RULES,), tools=tools) == Difference(Part.TOOL, number, change)


@pytest.mark.parametrize("tools", [(7, 8, 9), (1, 8, 9), ()])
def test_other_tools_are_those_of_another_agent(tools: tuple[int, ...]) -> None:
    assert compare((RULES,), (RULES,), tools=tools) is None


def test_other_tools_and_another_system_prompt_are_another_agent() -> None:
    assert compare((RULES,), (RULES + b"x",), tools=(2, 1, 3)) is None


# ------------------------------------------------------------------ the system prompt


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (b" It is 2026-12-01T09:30:00Z. ", "timestamp"),
        (b" Today is Tuesday, 1 December. ", "timestamp"),
        (b" Today is Dec 1. ", "timestamp"),
        (b" At 9:30. ", "timestamp"),
        (b" Now: 1796117400. ", "timestamp"),
        (b" Session 0b5f8c1e-77aa-4c55-9d1e-2f0a6f1b9c3d. ", "id"),
        (b" Commit 9f8e7d6c5b4a39281706. ", "id"),
        (b" Round 17. ", "number"),
        (b" Hello. ", ""),
    ],
)
@pytest.mark.parametrize("at", [0, 300, 900])
def test_what_was_put_into_the_system_prompt_is_named(text: bytes, hint: str, at: int) -> None:
    changed = RULES[:at] + text + RULES[at:]
    found = compare((RULES,), (changed,))
    assert found is not None
    assert (found.part, found.number, found.change) == (Part.SYSTEM, 1, Change.CHANGED)
    if hint:
        assert found.hint == hint
        assert at <= found.offset <= at + len(text)
    else:
        assert found.hint in ("", "number")
        assert abs(found.offset - at) <= CHUNK


def test_a_timestamp_that_moves_on_is_found_where_it_stands() -> None:
    before = RULES[:700] + b"09:30:01" + RULES[700:]
    after = RULES[:700] + b"09:30:02" + RULES[700:]
    found = compare((before,), (after,))
    assert found == Difference(Part.SYSTEM, 1, Change.CHANGED, 700, "timestamp")


def test_another_prompt_with_the_same_tools_is_another_agent() -> None:
    other = bytes(reversed(RULES))
    assert compare((RULES,), (other,)) is None


def test_a_short_block_beside_the_same_one_has_changed() -> None:
    found = compare((b"It is noon.", RULES), (b"It is 12:01.", RULES))
    assert found == Difference(Part.SYSTEM, 1, Change.CHANGED, 6, "timestamp")


def test_a_block_that_comes_or_goes_is_told() -> None:
    new = compare((RULES,), (b"Date: 2026-12-01", RULES))
    assert new == Difference(Part.SYSTEM, 1, Change.ADDED, hint="timestamp")
    assert compare((RULES, b"end"), (RULES,)) == Difference(Part.SYSTEM, 2, Change.REMOVED)
    assert compare((RULES,), ()) == Difference(Part.SYSTEM, 1, Change.REMOVED)


def test_a_difference_far_behind_is_found_too() -> None:
    long = RULES * (2 * CHUNK * MOST_CHUNKS // len(RULES))
    found = compare((long,), (long[:-900] + b"#" + long[-900:],))
    assert found is not None
    assert found.offset >= CHUNK * MOST_CHUNKS


# ------------------------------------------------------------------ messages


@pytest.mark.parametrize(
    ("old", "new", "number", "change"),
    [
        ((1, 2, 3), (1, 9, 3, 4), 2, Change.CHANGED),
        ((1, 2, 3), (9, 2, 3, 4), 1, Change.CHANGED),
        ((1, 2, 3), (1, 2, 9, 4, 5), 3, Change.CHANGED),
        ((1, 2, 3, 4), (1, 3, 4, 5), 2, Change.REMOVED),
        ((1, 2, 3, 4, 5), (1, 4, 5, 6, 7), 2, Change.REMOVED),
        ((1, 2, 3, 4, 5), (1, 4, 5), 2, Change.REMOVED),
        ((1, 2, 3), (1, 9, 2, 3), 2, Change.ADDED),
    ],
)
def test_a_message_that_was_rewritten(
    old: tuple[int, ...], new: tuple[int, ...], number: int, change: Change
) -> None:
    assert compare_messages(old, new) == Difference(Part.MESSAGE, number, change)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((1, 2, 3), (1, 2, 3, 4, 5)),
        ((1, 2, 3), (1, 2)),
        ((1, 2, 3), (1, 2, 3)),
        ((1, 2, 3), (1, 8, 9)),
        ((1, 2, 3, 4, 5), (1, 8, 9, 7)),
        ((1, 2, 3), (1, 9, 3)),
        ((1, 2, 3, 4, 5), (1, 9, 3)),
        ((1, 2, 3), (1, 2, 9)),
    ],
)
def test_a_conversation_that_goes_on_or_another_one_is_no_drift(
    old: tuple[int, ...], new: tuple[int, ...]
) -> None:
    assert compare_messages(old, new) is None


# ------------------------------------------------------------------ in general

items = st.lists(st.integers(0, 3), max_size=8)


@given(left=items, right=items)
def test_what_is_common_is_equal_and_no_longer(left: list[int], right: list[int]) -> None:
    same = common(left, right)
    assert left[:same] == right[:same]
    assert same in (len(left), len(right)) or left[same] != right[same]


@given(tools=items, blocks=st.lists(st.binary(max_size=40), max_size=3))
def test_equal_heads_have_no_difference(tools: list[int], blocks: list[bytes]) -> None:
    one = head(*blocks, tools=tuple(tools))
    two = head(*blocks, tools=tuple(tools))
    assert one.same(two)
    assert one.common(two) == len(tools) + len(blocks)
    assert compare_heads(one, two, lambda at: blocks[at]) is None


@given(
    old=st.tuples(items, st.lists(st.binary(max_size=600), max_size=3)),
    new=st.tuples(items, st.lists(st.binary(max_size=600), max_size=3)),
)
def test_a_difference_is_where_the_heads_differ(old, new) -> None:
    one = head(*old[1], tools=tuple(old[0]))
    two = head(*new[1], tools=tuple(new[0]))
    found = compare_heads(one, two, lambda at: new[1][at])
    if found is not None:
        assert not one.same(two)
        before = len(two.tools) if found.part is Part.SYSTEM else 0
        assert one.common(two) == before + found.number - 1
