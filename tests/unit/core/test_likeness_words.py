"""The lists of words are consistent: a word has one meaning in each."""

from __future__ import annotations

from itertools import combinations

from tiergate.core.likeness_words import EXACT, NEGATIONS, NUMBERS, OPPOSITES, STARTERS


def test_every_word_is_written_as_it_is_compared():
    lists = [STARTERS, NEGATIONS, frozenset(NUMBERS), *EXACT.values()]
    lists += [words for both in OPPOSITES.values() for words in both]
    for words in lists:
        assert words
        assert all(word == word.lower() for word in words)


def test_no_word_is_in_two_families_or_on_two_sides():
    for one, other in combinations(EXACT.values(), 2):
        assert not one & other
    sides = [words for both in OPPOSITES.values() for words in both]
    for one, other in combinations(sides, 2):
        assert not one & other


def test_every_axis_has_at_least_two_sides_and_a_name_of_one_word():
    for axis, both in OPPOSITES.items():
        assert 2 <= len(both) <= 8
        assert axis.isalpha()
