"""Who comes in: the right key in any of its places, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.errors import Refused
from tiergate.base.values import Secret
from tiergate.web.access import Gate

KEY = "sk-right-key-0123456789"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
        {"authorization": f"BEARER  {KEY} "},
        {"x-api-key": KEY},
        {"api-key": KEY},
        {"x-litellm-api-key": KEY},
    ],
)
def test_the_key_is_taken_from_each_of_its_places(headers):
    Gate(Secret(KEY)).check(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": f"Bearer {KEY},Bearer {KEY}"},
        {"x-api-key": ""},
        {"x-api-key": f"{KEY}\x00"},
        {"authorization": "Bearer sk-wrong", "x-api-key": KEY},
    ],
)
def test_everything_else_is_401(headers):
    with pytest.raises(Refused) as caught:
        Gate(Secret(KEY)).check(headers)

    assert caught.value.status == 401


@given(st.text(max_size=60))
def test_no_text_makes_the_gate_fail_otherwise(text):
    gate = Gate(Secret(KEY))
    for headers in ({"x-api-key": text}, {"authorization": text}):
        with pytest.raises(Refused) as caught:
            gate.check(headers)
        assert caught.value.status == 401
        assert len(text) < 9 or text not in caught.value.message


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:4000"},
        {"host": "localhost"},
        {"host": "[::1]:4000"},
        {"host": "localhost:4000", "origin": "http://localhost:3000"},
        {},
    ],
)
def test_without_a_key_local_programs_come_in(headers):
    Gate(None).check(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:4000", "origin": "https://evil.example"},
        {"host": "localhost:4000", "origin": "null"},
        {"host": "evil.example:4000"},
        {"host": "localhost.evil.example"},
    ],
)
def test_without_a_key_web_pages_and_rebound_names_do_not(headers):
    with pytest.raises(Refused) as caught:
        Gate(None).check(headers)

    assert caught.value.status == 403
