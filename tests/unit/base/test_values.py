"""Small values: masks, sums, positions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.values import Position, Secret, Usage

COUNT = st.none() | st.integers(0, 10**9)


@given(st.text(min_size=4).filter(lambda text: text not in "Secret()***"))
def test_a_secret_never_shows_itself(text):
    secret = Secret(text)
    assert text not in f"{secret}"
    assert text not in f"{secret!r} {(secret,)} { {'key': secret} }"
    assert secret == Secret(text)


@given(st.integers(0, 10**9), COUNT, COUNT, COUNT)
def test_the_prompt_is_all_of_its_kinds_together(fresh, read, short, long):
    usage = Usage(fresh, 5, read, short, long)
    assert usage.prompt_total == fresh + (read or 0) + (short or 0) + (long or 0)


def test_a_position_is_written_as_editors_read_it():
    assert str(Position("config.yaml", 7, 3)) == "config.yaml:7"
