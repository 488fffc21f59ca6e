"""When guards look, by tags."""

from __future__ import annotations

import pytest

from tiergate.core.guard_plan import Modes, Stage, unknown_names

PRE, POST, LATER = Stage.PRE_CALL, Stage.POST_CALL, Stage.LOGGING_ONLY
BY_TAG = Modes(frozenset({PRE}), {"quiet": frozenset({LATER}), "both": frozenset({PRE, POST})})


@pytest.mark.parametrize(
    ("tags", "key_tags", "stages"),
    [
        ((), (), {PRE}),
        (("other",), (), {PRE}),
        (("quiet",), (), {PRE, LATER}),
        (("quiet",), ("quiet",), {LATER}),
        (("quiet", "both"), ("quiet",), {LATER, PRE, POST}),
    ],
)
def test_tags_of_a_request_add_stages_and_only_those_of_a_key_replace_them(tags, key_tags, stages):
    assert BY_TAG.of(tags, key_tags) == stages


def test_without_tags_the_usual_stages_hold():
    assert Modes(frozenset({POST})).of(("any",), ("any",)) == {POST}


def test_all_stages_stand_in_the_order_of_a_call():
    assert BY_TAG.all == (PRE, POST, LATER)


def test_names_that_are_no_guard_are_told_once_each():
    assert unknown_names(["a", "b", "a", "c"], {"c"}) == ("a", "b")
