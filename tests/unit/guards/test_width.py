"""How much of a text a pattern can look at."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tiergate.guards.width import MOST, widest


@pytest.mark.parametrize(
    ("pattern", "width"),
    [
        ("", 0),
        ("ZEBRA", 5),
        (r"SECRET-\d{6}", 13),
        ("a|bcd", 3),
        ("(?:ab){2,3}c?", 7),
        ("a{,3}", 3),
        ("a?b*?c".replace("*", "?"), 3),
        (r"[^\]a-z]{3}", 3),
        ("[]a]b", 2),
        ("[^]]c", 2),
        ("[[:alpha:]]d", 2),
        ("(?i)abc", 3),
        ("(?i:abc)d", 4),
        ("(?P<x>ab)c", 3),
        ("(?<x>ab)c", 3),
        ("(?>ab)c", 3),
        ("(?#a remark)ab", 2),
        (r"\x41\u0041\U00000041b", 4),
        (r"\p{L}{2}\N{SPACE}", 3),
        (r"\0a", 2),
        ("x{", 2),
        ("x{a}", 4),
    ],
)
def test_a_bounded_pattern_has_a_width(pattern, width):
    assert widest(pattern) == width


@pytest.mark.parametrize(
    ("pattern", "width"),
    [(r"\bab\b", 4), (r"(?<!\d)\d{3}(?=ab)", 6), ("^a$", 3), (r"(?<=ab)c(?!d)", 4)],
)
def test_what_is_looked_at_around_a_match_counts(pattern, width):
    assert widest(pattern) == width


@pytest.mark.parametrize(
    "pattern",
    [
        "a+",
        "a{3,}",
        "(ab*)c",
        r"(a)\1",
        "(?P<x>a)(?P=x)",
        r"\g<1>",
        "(a)(?1)",
        "(?R)",
        "(?(1)a|b)",
        "(?x)a b",
        "(?:abc){e<=1}",
        r"\X",
        f"a{{{MOST + 1}}}",
        "(?:a{100}){100}",
    ],
)
def test_a_pattern_without_a_known_longest_match_has_no_width(pattern):
    assert widest(pattern) is None


@pytest.mark.parametrize("pattern", ["(", "[a", "a)", "\\", "(?<x", "a{}"])
def test_a_text_that_is_no_pattern_does_no_harm(pattern):
    widest(pattern)


ATOMS = st.sampled_from(["a", "bc", "[ab]", r"\d", ".", "(?:ab|c)", "(?:a|bcd)", r"\x41"])
PIECES = st.tuples(ATOMS, st.sampled_from(["", "?", "{2}", "{0,3}", "{1,2}?"]))


@given(st.lists(PIECES, min_size=1, max_size=5), st.text("abcd1A", max_size=60))
def test_no_match_is_longer_than_the_width(pieces, text):
    pattern = "".join(atom + count for atom, count in pieces)
    width = widest(pattern)
    assert width is not None
    for match in regex.finditer(pattern, text):
        assert match.end() - match.start() <= width
