"""A sealed text opens with its own key, under its own name, and not otherwise."""

from __future__ import annotations

import pytest

from tiergate.base.values import Secret
from tiergate.stores.answer_seal import AnswerSeal

ONE, TWO = AnswerSeal(Secret("one")), AnswerSeal(Secret("two"))
TEXT = b"a private sentence"


def test_what_is_sealed_opens_again():
    sealed = ONE.close(TEXT, b"name")
    assert TEXT not in sealed
    assert ONE.open(sealed, b"name") == TEXT
    assert AnswerSeal(Secret("one")).open(sealed, b"name") == TEXT


def test_the_same_text_is_never_sealed_alike():
    assert ONE.close(TEXT, b"name") != ONE.close(TEXT, b"name")


@pytest.mark.parametrize("cut", [0, 5, 12, 20])
def test_anything_else_stays_closed(cut):
    sealed = ONE.close(TEXT, b"name")
    assert TWO.open(sealed, b"name") is None
    assert ONE.open(sealed, b"other name") is None
    assert ONE.open(sealed[:cut], b"name") is None
    assert ONE.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"name") is None
