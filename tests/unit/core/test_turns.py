"""What is left out first: whole turns, then whole exchanges; instructions and the last never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.turns import Role, cut_order

LETTERS = {"i": Role.INSTRUCTION, "u": Role.USER, "a": Role.ANSWER, "r": Role.RESULT}


def roles(text: str) -> list[Role]:
    return [LETTERS[letter] for letter in text]


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("", ()),
        ("i", ()),
        ("u", ()),
        ("iu", ()),
        ("uau", ((0, 1),)),
        ("iuauau", ((1, 2), (3, 4))),
        ("uarrau", ((0, 1, 2, 3, 4),)),
        ("uiau", ((0, 2),)),
        ("uarar", ((1, 2),)),
        ("uararar", ((1, 2), (3, 4))),
        ("uauarar", ((0, 1), (3, 4))),
        ("au", ((0,),)),
        ("uu", ((0,),)),
        ("arar", ((0, 1),)),
        ("ua", ()),
    ],
)
def test_these_conversations_are_cut_in_this_order(text, groups):
    assert cut_order(roles(text)) == groups


CONVERSATIONS = st.text("iuar", max_size=30)


@given(CONVERSATIONS)
def test_a_result_goes_or_stays_with_the_answer_before_it(text):
    group_of = {index: at for at, group in enumerate(cut_order(roles(text))) for index in group}
    last_answer: int | None = None
    for index, letter in enumerate(text):
        if letter == "u":
            last_answer = None
        elif letter == "a":
            last_answer = index
        elif letter == "r" and last_answer is not None:
            assert group_of.get(index) == group_of.get(last_answer)


@given(CONVERSATIONS)
def test_nothing_is_cut_twice_and_something_to_answer_stays(text):
    cut = [index for group in cut_order(roles(text)) for index in group]
    assert len(cut) == len(set(cut))
    spoken = [index for index, letter in enumerate(text) if letter != "i"]
    assert not {index for index, letter in enumerate(text) if letter == "i"} & set(cut)
    assert not spoken or spoken[-1] not in cut
    last_user = text.rfind("u")
    assert last_user not in cut


@given(CONVERSATIONS)
def test_the_oldest_go_first_within_each_kind(text):
    last_user = text.rfind("u")
    groups = cut_order(roles(text))
    turns = [group for group in groups if group[0] < last_user]
    exchanges = [group for group in groups if group[0] > last_user]
    assert [*turns, *exchanges] == list(groups)
    assert turns == sorted(turns)
    assert exchanges == sorted(exchanges)
