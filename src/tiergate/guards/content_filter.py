"""Looks for patterns, words and subjects that the configuration names.

`litellm_content_filter`, `regex` and `deny_words` are one guard with different spellings of its
options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiergate.core.guard_options import FilterOptions, PatternRule, WordRule
from tiergate.guards.categories import category_rules
from tiergate.guards.known_patterns import rules_of
from tiergate.guards.matching import Rule, compiled, reach_of
from tiergate.guards.scanning import Scanner
from tiergate.guards.words import word_pattern
from tiergate.ports import Clock
from tiergate.ports.guarding import CLEAN, Occasion, Passage, Verdict

KEYWORD = "keyword"
"""What a finding of a word is called: the word itself may be confidential."""


class ContentFilter:
    """Implements `ports.guarding.Guard` with patterns and words.

    Args:
        options: What to look for.
        clock: Monotonic seconds.

    Raises:
        BadPatternError: A pattern cannot be used.
        KeyError: There is no built-in pattern of a name.
    """

    restores = False

    def __init__(self, options: FilterOptions, clock: Clock) -> None:
        self._scanner = Scanner(_rules(options), options.seconds, clock)

    @property
    def window(self) -> int | None:
        """The most characters that decide about one finding."""
        return self._scanner.reach

    async def look(self, passages: Sequence[Passage], occasion: Occasion) -> Verdict:  # noqa: ARG002 - the port's signature
        """Return everything that was named and is there.

        Raises:
            GuardError: A pattern took too long.
        """
        found = await self._scanner.find([passage.text for passage in passages])
        return Verdict(tuple(found)) if found else CLEAN


def _rules(options: FilterOptions) -> Iterator[Rule]:
    for pattern in options.patterns:
        instead = options.pattern_format.replace("{pattern_name}", pattern.name.upper())
        if pattern.pattern:
            yield own_rule(pattern, instead)
        else:
            yield from rules_of(pattern.name, pattern.reaction, instead)
    for word in options.words:
        yield word_rule(word, options.word_tag)
    for category in options.categories:
        yield from category_rules(category, options.word_tag)


def own_rule(pattern: PatternRule, instead: str) -> Rule:
    """Return the rule for a pattern of the user's.

    Raises:
        BadPatternError: It is no regular expression.
    """
    return Rule(
        name=pattern.name,
        pattern=compiled(pattern.pattern, ignore_case=pattern.ignore_case),
        reaction=pattern.reaction,
        instead=instead,
        reach=reach_of(pattern.pattern),
    )


def word_rule(word: WordRule, tag: str) -> Rule:
    """Return the rule for a word or phrase of the user's."""
    pattern, reach = word_pattern(word.word, whole=word.whole)
    return Rule(
        name=KEYWORD,
        pattern=compiled(pattern, ignore_case=True),
        reaction=word.reaction,
        instead=tag,
        reach=reach,
        trusted=True,
    )
