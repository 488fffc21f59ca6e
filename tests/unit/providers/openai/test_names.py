"""Tool names and call ids that hosts accept."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tiergate.providers.openai.names import fit_id, fit_name, fit_user


def test_most_names_and_ids_stay_as_they_are() -> None:
    assert fit_name("mcp__server__read_file-2") == "mcp__server__read_file-2"
    assert fit_id("toolu_01A09q90qw90lq917835lq9", short=False) == "toolu_01A09q90qw90lq917835lq9"
    assert fit_id("D681PevKs", short=True) == "D681PevKs"


def test_long_names_that_differ_at_the_end_stay_different() -> None:
    assert fit_name("x" * 100 + "a") != fit_name("x" * 100 + "b")


@given(st.text())
def test_a_fitted_name_is_accepted_and_always_the_same(name: str) -> None:
    fitted = fit_name(name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", fitted)
    assert fitted == fit_name(name)


@given(st.text(min_size=1))
def test_a_fitted_id_is_accepted_and_always_the_same(identity: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", fit_id(identity, short=True))
    assert len(fit_id(identity, short=False)) <= 40
    assert fit_id(identity, short=True) == fit_id(identity, short=True)


def test_a_long_user_becomes_a_digest_that_is_always_the_same() -> None:
    long = "user_" + "x" * 140 + "_account__session_1"
    assert fit_user("ann@example.com") == "ann@example.com"
    assert len(fit_user(long)) <= 64
    assert fit_user(long) == fit_user(long) != fit_user(long + "2")
