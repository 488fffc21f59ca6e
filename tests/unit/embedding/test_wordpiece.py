"""Texts are cut as BERT's own tokenizer cuts them."""

from __future__ import annotations

from tiergate.embedding.wordpiece import pieces_of, words_of

KNOWN = {
    word: number
    for number, word in enumerate(
        ["[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "hello", "!", "\u6771", "caf", "##e"]
    )
}


def test_words_are_lower_case_without_accents_and_punctuation_stands_alone():
    assert list(words_of("H\u00e9llo,  W\u00d6RLD! a_b")) == [
        "hello",
        ",",
        "world",
        "!",
        "a",
        "_",
        "b",
    ]


def test_ideographs_stand_alone_and_control_characters_vanish():
    assert list(words_of("\u6771\u4eacx\x00\u200b\ufffdy\tz")) == ["\u6771", "\u4eac", "xy", "z"]


def test_the_longest_piece_from_the_left_is_taken():
    assert pieces_of("unaffable Hello!", KNOWN, 99) == [1, 3, 4, 5, 6, 7, 2]
    assert pieces_of("Caf\u00e9", KNOWN, 99) == [1, 9, 10, 2]


def test_a_word_that_cannot_be_cut_is_unknown_as_a_whole():
    assert pieces_of("unknown \u6771", KNOWN, 99) == [1, 0, 8, 2]
    assert pieces_of("un" * 60, KNOWN, 99) == [1, 0, 2]


def test_a_long_text_is_cut_and_still_has_its_end():
    assert pieces_of("hello " * 50, KNOWN, 5) == [1, 6, 6, 6, 2]
    assert pieces_of("", KNOWN, 5) == [1, 2]
