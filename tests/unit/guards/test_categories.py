"""Subjects of the user's: words, phrases and exceptions."""

from __future__ import annotations

from support.guarded import found_in
from tiergate.core.guard_options import CategoryRule, Nearness, PhraseRule, Reaction
from tiergate.guards.categories import category_rules


def find(text: str, **fields: object) -> list[tuple[str, str]]:
    category = CategoryRule(name="harm", reaction=Reaction.BLOCK, **fields)
    return found_in(list(category_rules(category, "[X]")), text)


def test_words_and_phrases_are_found_under_the_name_of_their_subject():
    phrases = (PhraseRule(words=("pipe", "bomb"), nearness=Nearness.EXACT),)
    assert find("a Pipe bomb and POISON", keywords=("poison",), phrases=phrases) == [
        ("harm", "Pipe bomb"),
        ("harm", "POISON"),
    ]


def test_what_stands_in_an_exception_does_not_count():
    text = "suicide prevention; suicide; our anti suicide hotline"
    found = find(
        text, keywords=("suicide",), exceptions=("suicide prevention", "anti suicide hotline")
    )
    assert found == [("harm", "suicide")]


def test_a_long_list_is_several_patterns_with_one_answer():
    words = tuple(f"word{n}" for n in range(1000))
    category = CategoryRule(name="harm", reaction=Reaction.LOG, keywords=words)
    rules = list(category_rules(category, "[X]"))
    assert len(rules) == 3
    assert found_in(rules, "word3 word999 word1000") == [("harm", "word3"), ("harm", "word999")]


def test_a_subject_holds_back_no_more_than_1024_characters():
    phrases = (PhraseRule(words=("a", "b", "c", "d"), nearness=Nearness.PROXIMITY, distance=20),)
    category = CategoryRule(name="harm", reaction=Reaction.LOG, phrases=phrases)
    assert [rule.reach for rule in category_rules(category, "")] == [1024]
