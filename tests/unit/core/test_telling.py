"""What is kept of a call for sinks is bounded, and can be stripped of words."""

from __future__ import annotations

from tiergate.core.telling import MOST_ANSWER, Telling


def test_nobody_listens_until_a_sink_wants_the_request():
    telling = Telling(1.0)
    assert not telling.listens

    telling.request = b"{}"
    assert telling.listens

    telling.wordless = True
    assert not telling.listens


def test_an_answer_that_is_too_large_is_not_kept_at_all():
    telling = Telling(1.0, request=b"{}")
    telling.keep(b"a" * MOST_ANSWER)
    assert telling.pieces
    assert telling.weight == 2 + MOST_ANSWER

    telling.keep(b"b")
    telling.keep(b"c")

    assert telling.cut
    assert telling.pieces == []
    assert telling.weight == 2


def test_without_words_only_the_facts_are_left():
    telling = Telling(1.0, "parent", "trace", "agent", frozenset({"s3"}), request=b"secret")
    telling.keep(b"secret too")

    bare = telling.without_words()

    assert (bare.received, bare.parent, bare.trace, bare.agent) == (
        1.0,
        "parent",
        "trace",
        "agent",
    )
    assert bare.without == {"s3"}
    assert bare.weight == 0
    assert "secret" not in repr(telling)
