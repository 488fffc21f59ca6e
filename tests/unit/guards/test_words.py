"""Words and phrases, and how they may stand."""

from __future__ import annotations

import unicodedata

import pytest

from tiergate.core.guard_options import Nearness, PhraseRule
from tiergate.guards.matching import compiled
from tiergate.guards.width import widest
from tiergate.guards.words import phrase_pattern, word_pattern


def word(text: str, wanted: str, *, whole: bool = True) -> bool:
    pattern, _ = word_pattern(wanted, whole=whole)
    return compiled(pattern, ignore_case=True).search(text) is not None


def phrase(text: str, words: str, nearness: Nearness, distance: int = 0) -> bool:
    rule = PhraseRule(words=tuple(words.split()), nearness=nearness, distance=distance)
    return compiled(phrase_pattern(rule)[0], ignore_case=True).search(text) is not None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("this is CONFIDENTIAL.", "confidential"),
        ("top   secret", "top secret"),
        ("top\nsecret", "top secret"),
        ("(c++)", "c++"),
        ("a.b|c", "a.b|c"),
        ("これは機密です", "機密"),
        ("Der Ärger", "ärger"),
        (unicodedata.normalize("NFD", "café au lait"), "café"),
        (unicodedata.normalize("NFC", "café au lait"), unicodedata.normalize("NFD", "café")),
    ],
)
def test_a_word_is_found_as_people_write_it(text, wanted):
    assert word(text, wanted)


@pytest.mark.parametrize(
    ("text", "wanted"), [("category", "cat"), ("topsecret", "top secret"), ("axb", "a.b")]
)
def test_a_word_is_not_found_in_another(text, wanted):
    assert not word(text, wanted)


def test_a_word_may_be_looked_for_anywhere():
    assert word("category", "cat", whole=False)


@pytest.mark.parametrize("wanted", ["cat", "top secret", "機密", "c++", "a b c"])
def test_the_reach_of_a_word_covers_its_pattern(wanted):
    pattern, reach = word_pattern(wanted)
    assert reach >= (widest(pattern) or 0)


def test_an_exact_phrase_is_its_words():
    assert phrase("how to do it", "to do", Nearness.EXACT)
    assert not phrase("to never do", "to do", Nearness.EXACT)


@pytest.mark.parametrize("text", ["planning an attack", "planned attacks", "plan the big attack"])
def test_a_fuzzy_phrase_takes_inflections_and_up_to_two_words_between(text):
    assert phrase(text, "plan attack", Nearness.FUZZY)


@pytest.mark.parametrize("text", ["the plane attacks later on", "plan a b c attack"])
def test_a_fuzzy_phrase_is_not_everything(text):
    assert phrase(text, "plan attack", Nearness.FUZZY) is (text == "the plane attacks later on")


def test_near_words_count_in_any_order_within_their_distance():
    assert phrase("brought a gun to the school", "gun school", Nearness.PROXIMITY, 5)
    assert phrase("the school has a gun", "gun school", Nearness.PROXIMITY, 5)
    assert not phrase("gun a b c school", "gun school", Nearness.PROXIMITY, 2)


@pytest.mark.parametrize("nearness", list(Nearness))
def test_the_reach_of_a_phrase_covers_its_pattern(nearness):
    rule = PhraseRule(words=("plan", "big", "attack"), nearness=nearness, distance=2)
    pattern, reach = phrase_pattern(rule)
    assert reach >= (widest(pattern) or 0)
