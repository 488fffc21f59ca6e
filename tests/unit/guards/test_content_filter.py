"""The content filter: patterns, words and subjects in one guard."""

from __future__ import annotations

import time

import pytest

from support.guarded import INNOCENT, cut, look
from tiergate.core.guard_options import (
    CategoryRule,
    FilterOptions,
    PatternRule,
    Reaction,
    WordRule,
)
from tiergate.guards.content_filter import ContentFilter
from tiergate.guards.matching import BadPatternError
from tiergate.ports.guarding import CLEAN, GuardError

BLOCK, MASK, LOG = Reaction.BLOCK, Reaction.MASK, Reaction.LOG


def filters(**options: object) -> ContentFilter:
    return ContentFilter(FilterOptions(**options), time.monotonic)


async def test_each_rule_says_what_is_to_be_done():
    guard = filters(
        patterns=(
            PatternRule(name="us_ssn", reaction=BLOCK),
            PatternRule(name="email", reaction=MASK),
            PatternRule(name="ticket", reaction=LOG, pattern=r"T-\d{4}"),
        ),
        words=(WordRule(word="project x", reaction=MASK),),
        categories=(CategoryRule(name="harm", reaction=BLOCK, keywords=("bomb",)),),
    )
    text = "T-1234: a@example.com 123-45-6789 Project X bomb"
    verdict = await look(guard, text)
    assert cut(verdict, text) == [
        ("ticket", "T-1234"),
        ("email", "a@example.com"),
        ("us_ssn", "123-45-6789"),
        ("keyword", "Project X"),
        ("harm", "bomb"),
    ]
    assert [f.reaction for f in verdict.found] == [LOG, MASK, BLOCK, MASK, BLOCK]
    assert [f.instead for f in verdict.found] == [
        "[TICKET_REDACTED]",
        "[EMAIL_REDACTED]",
        "[US_SSN_REDACTED]",
        "[KEYWORD_REDACTED]",
        "[KEYWORD_REDACTED]",
    ]


async def test_what_is_written_instead_can_be_chosen():
    guard = filters(
        patterns=(PatternRule(name="email", reaction=MASK),),
        words=(WordRule(word="x", reaction=MASK),),
        pattern_format="***{pattern_name}***",
        word_tag="***",
    )
    verdict = await look(guard, "a@example.com x")
    assert [f.instead for f in verdict.found] == ["***EMAIL***", "***"]


async def test_every_text_is_looked_at():
    guard = filters(patterns=(PatternRule(name="x", reaction=BLOCK, pattern=r"SECRET-\d{6}"),))
    texts = ("clean", "SECRET-123456", "", "SECRET-1", "a SECRET-654321")
    assert [f.passage for f in (await look(guard, *texts)).found] == [1, 4]


async def test_harmless_texts_are_clean():
    guard = filters(
        patterns=tuple(
            PatternRule(name=name, reaction=BLOCK)
            for name in ("us_ssn", "email", "phone", "credit_card", "aws_access_key", "iban")
        )
    )
    assert await look(guard, *INNOCENT) is CLEAN


async def test_case_counts_only_if_asked():
    pattern = PatternRule(name="x", reaction=BLOCK, pattern="ABC")
    assert await look(filters(patterns=(pattern,)), "abc") is CLEAN
    loose = PatternRule(name="x", reaction=BLOCK, pattern="ABC", ignore_case=True)
    assert (await look(filters(patterns=(loose,)), "abc")).found


async def test_words_count_whole_or_anywhere():
    word = WordRule(word="cat", reaction=BLOCK)
    assert await look(filters(words=(word,)), "category") is CLEAN
    anywhere = WordRule(word="cat", reaction=BLOCK, whole=False)
    assert (await look(filters(words=(anywhere,)), "category")).found


def test_the_window_is_that_of_the_widest_rule():
    pattern = PatternRule(name="x", reaction=BLOCK, pattern="ZEBRA")
    assert filters(patterns=(pattern,)).window == 5
    word = WordRule(word="elephant", reaction=BLOCK)
    assert filters(patterns=(pattern,), words=(word,)).window == 10
    endless = PatternRule(name="x", reaction=BLOCK, pattern="Z+")
    assert filters(patterns=(endless,)).window == 256


def test_nothing_that_was_masked_is_restored():
    assert filters(words=(WordRule(word="x", reaction=MASK),)).restores is False


async def test_a_pattern_that_runs_away_is_no_verdict():
    pattern = PatternRule(name="bad", reaction=BLOCK, pattern=r"(a+)+$")
    guard = filters(patterns=(pattern,), seconds=0.1)
    with pytest.raises(GuardError, match="looking for bad took longer"):
        await look(guard, "a" * 4000 + "!")


def test_a_pattern_that_is_none_cannot_be_built():
    with pytest.raises(BadPatternError):
        filters(patterns=(PatternRule(name="bad", reaction=BLOCK, pattern="["),))
