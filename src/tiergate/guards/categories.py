"""Rules for subjects: the words and phrases of a file of the user's, with its exceptions."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.core.guard_options import CategoryRule
from tiergate.guards.matching import STREAM_WINDOW, Rule, compiled
from tiergate.guards.words import phrase_pattern, word_pattern

_TOGETHER = 400
"""Words in one pattern: more of them compile slowly."""


def category_rules(category: CategoryRule, tag: str) -> Iterator[Rule]:
    """Return the rules that look for a subject.

    An exception is matched before the words, and what is inside it is then no finding: with the
    exception `suicide prevention`, `suicide` counts everywhere else.

    Args:
        category: The subject.
        tag: What masks a finding.
    """
    wanted = [word_pattern(word) for word in category.keywords]
    wanted += [phrase_pattern(phrase) for phrase in category.phrases]
    excepted = [word_pattern(text) for text in category.exceptions]
    before = "".join(f"{pattern}|" for pattern, _ in excepted)
    widest_exception = max((reach for _, reach in excepted), default=0)
    for first in range(0, len(wanted), _TOGETHER):
        some = wanted[first : first + _TOGETHER]
        found = "|".join(pattern for pattern, _ in some)
        reach = max(widest_exception, *(reach for _, reach in some), 1)
        yield Rule(
            name=category.name,
            pattern=compiled(f"{before}({found})", ignore_case=True),
            reaction=category.reaction,
            instead=tag,
            group=1,
            reach=min(reach, 4 * STREAM_WINDOW),
        )
