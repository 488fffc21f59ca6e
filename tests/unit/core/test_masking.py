"""Masking and putting back: any text, any pieces."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.masking import (
    Placeholders,
    Restoring,
    Span,
    masked,
    merged,
    pattern_of,
    restored,
    word_of,
)

TEXTS = st.text(alphabet="ab<>_1EMAIL ", max_size=60)


def spans_in(text: str):
    place = st.integers(0, len(text))
    return st.lists(st.builds(lambda a, b: Span(min(a, b), max(a, b), "#"), place, place))


@given(st.data(), st.text(max_size=40))
def test_masked_text_keeps_every_character_outside_the_spans(data, text):
    spans = data.draw(spans_in(text))
    hidden = {at for span in spans for at in range(span.start, span.end)}
    kept = "".join(char for at, char in enumerate(text) if at not in hidden)
    assert masked(text, [Span(s.start, s.end, "") for s in spans]) == kept


@given(st.data(), st.text(max_size=40))
def test_merged_spans_lie_apart_and_in_order(data, text):
    found = merged(data.draw(spans_in(text)))
    for one, other in itertools.pairwise(found):
        assert one.start < one.end <= other.start


def test_the_first_of_overlapping_spans_says_what_is_written():
    assert masked("abcdef", [Span(1, 3, "[x]"), Span(2, 5, "[y]")]) == "a[x]f"


def test_a_value_has_one_placeholder_and_another_value_another():
    marks = Placeholders()
    assert marks.of("email", "a@b.c", restored=True) == "<EMAIL_1>"
    assert marks.of("email", "d@e.f", restored=True) == "<EMAIL_2>"
    assert marks.of("email", "a@b.c", restored=True) == "<EMAIL_1>"
    assert marks.of("us ssn", "1", restored=False) == "<US_SSN_1>"
    assert marks.values == {"<EMAIL_1>": "a@b.c", "<EMAIL_2>": "d@e.f"}


def test_a_placeholder_that_the_caller_has_written_is_not_given_away():
    marks = Placeholders(["the text <EMAIL_1> is mine"])
    assert marks.of("email", "a@b.c", restored=True) == "<EMAIL_2>"


def test_any_kind_becomes_a_word():
    assert word_of("aws access-key") == "AWS_ACCESS_KEY"
    assert word_of("...") == "MASKED"


@given(st.lists(st.text(alphabet="xy<", min_size=1, max_size=5), max_size=5), st.data())
def test_what_was_masked_comes_back_whatever_the_pieces(values, data):
    marks = Placeholders(values)
    parts: list[str] = []
    whole: list[str] = []
    for value in values:
        parts += ("and ", marks.of("email", value, restored=True))
        whole += ("and ", value)
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    restoring = Restoring(marks.values)
    out = ""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        out += restoring.feed(text[start:end])
    assert out + restoring.end() == "".join(whole)


@given(TEXTS, st.data())
def test_text_in_pieces_is_restored_as_the_whole_is(text, data):
    values = {"<EMAIL_1>": "ann", "<EMAIL_11>": "bob"}
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    restoring = Restoring(values)
    out = ""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        out += restoring.feed(text[start:end])
    assert out + restoring.end() == restored(text, values, pattern_of(values))


def test_only_what_may_be_a_placeholder_is_held_back():
    restoring = Restoring({"<EMAIL_1>": "ann"})
    assert restoring.feed("if a < b and <EM") == "if a < b and "
    assert restoring.feed("PTY>") == "<EMPTY>"
