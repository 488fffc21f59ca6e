"""Windows: a text shown in pieces becomes what it would become as a whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.masking import Span, masked
from tiergate.core.sieve import MARGIN, Sieve

PATTERNS = [
    (r"[a-c]{1,6}@[a-c]{1,6}", 13),
    (r"\b\d{3}-\d{2}\b", 6),
    (r"(?<!x)sk-[a-c]{4}", 7),
    (r"\d{4}", 4),
]
TEXTS = st.text(alphabet="abc@x-1 2sk", max_size=120)


def found(pattern: str, text: str) -> list[Span]:
    return [Span(m.start(), m.end(), "#") for m in re.finditer(pattern, text)]


def sifted(pattern: str, window: int, pieces: list[str]) -> tuple[str, int]:
    sieve = Sieve(window)
    out, counted = "", 0
    for number, piece in enumerate([*pieces, ""]):
        last = number == len(pieces)
        sieve.add(piece)
        spans = found(pattern, sieve.text)
        counted += sum(sieve.settled(s.start, s.end, all_=last) for s in spans)
        out += sieve.pass_on(spans, all_=last)
    return out, counted


def cut(text: str, cuts: list[int]) -> list[str]:
    places = sorted(cuts)
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@pytest.mark.parametrize(("pattern", "window"), PATTERNS)
@given(text=TEXTS, data=st.data())
def test_text_in_pieces_is_masked_as_the_whole_is(pattern: str, window: int, text: str, data):
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=10))
    spans = found(pattern, text)
    assert sifted(pattern, window, cut(text, cuts)) == (masked(text, spans), len(spans))


@pytest.mark.parametrize(("pattern", "window"), PATTERNS)
@given(text=st.text(alphabet="abc@x-1 2sk", min_size=300, max_size=600))
def test_long_text_character_by_character_is_masked_as_the_whole_is(
    pattern: str, window: int, text: str
):
    spans = found(pattern, text)
    assert sifted(pattern, window, list(text)) == (masked(text, spans), len(spans))


def test_no_more_is_held_back_than_a_finding_can_span():
    sieve = Sieve(10)
    sieve.add("x" * 1000)
    assert sieve.ripe
    assert len(sieve.pass_on([])) == 1000 - 10 - MARGIN
    assert not sieve.ripe
    assert sieve.pass_on([], all_=True) == "x" * (10 + MARGIN)
    assert sieve.waiting == 0


def test_what_is_kept_of_a_long_text_is_bounded():
    sieve = Sieve(10)
    most = 0
    for _ in range(1000):
        sieve.add("y" * 7)
        sieve.pass_on([])
        most = max(most, len(sieve.text))
    assert most < 8 * (10 + MARGIN)


def test_a_finding_across_the_border_goes_on_whole():
    sieve = Sieve(10)
    text = "a" * 50 + "SECRET" + "b" * 30
    sieve.add(text[:60])
    shown = sieve.pass_on([])
    sieve.add(text[60:])
    rest = sieve.pass_on([Span(50, 56, "#")], all_=True)
    assert shown + rest == "a" * 50 + "#" + "b" * 30


def test_a_guard_that_finds_more_than_its_window_still_hides_what_was_not_shown():
    sieve = Sieve(2)
    sieve.add("s" * 40)
    shown = sieve.pass_on([])
    assert shown == "s" * (40 - 2 - MARGIN)
    sieve.add("s" * 10)
    assert sieve.pass_on([Span(0, 50, "#")], all_=True) == "#"
