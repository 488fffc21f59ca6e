"""Names and ids that the Messages API accepts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.providers.anthropic.names import MAX_NAME, fit_id, fit_name, loss_word


@pytest.mark.parametrize("name", ["look", "get_weather-2", "A" * MAX_NAME])
def test_a_name_that_fits_stays(name):
    assert fit_name(name) == name
    assert fit_id(name) == name


@given(st.text(max_size=200))
def test_any_name_and_id_comes_to_fit(text):
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", fit_name(text))
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", fit_id(text))


@given(st.text(max_size=200))
def test_a_fitted_name_fits_again_as_itself(text):
    assert fit_name(fit_name(text)) == fit_name(text)


def test_names_that_differ_in_foreign_letters_stay_different():
    assert len({fit_name(name) for name in ("a.b", "a_b", "a/b", "a b")}) == 4
    assert len({fit_id(name) for name in ("a.b", "a_b", "a/b", "a b")}) == 4


def test_long_names_that_differ_at_the_end_stay_different():
    assert fit_name("a" * 200 + "x") != fit_name("a" * 200 + "y")


@given(st.text(max_size=200))
def test_any_word_of_a_loss_can_stand_in_a_header(text):
    assert re.fullmatch(r"[a-zA-Z0-9_.-]{0,64}", loss_word(text))
