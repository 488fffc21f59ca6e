"""The pieces of a stream put together are the answer they were cut from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.chat import (
    Answer,
    Ended,
    Finished,
    Opaque,
    Pinged,
    RedactedThinking,
    Refusal,
    Started,
    Stop,
    Text,
    TextDelta,
    Thinking,
    ToolDelta,
    ToolStarted,
    ToolUse,
    UsageSeen,
)
from tiergate.base.values import Dialect, Usage
from tiergate.providers.folding import Folding
from tiergate.providers.replay import events_of

TEXTS = st.text(max_size=10)
PARTS = st.one_of(
    st.builds(Text, TEXTS.filter(bool), citations=st.lists(st.integers(), max_size=2).map(tuple)),
    st.builds(Thinking, TEXTS, st.none() | TEXTS.filter(bool)),
    st.builds(RedactedThinking, TEXTS),
    st.builds(ToolUse, TEXTS, TEXTS, TEXTS.filter(bool)),
    st.builds(Refusal, TEXTS),
    st.builds(Opaque, st.just(Dialect.ANTHROPIC), TEXTS, st.just({"a": 1})),
)


def fold(*events, usage: Usage | None = None) -> Answer | None:
    folding = Folding()
    for event in events:
        folding.feed(event)
    return folding.answer(usage)


@given(st.lists(PARTS, max_size=5), st.sampled_from(Stop))
def test_folding_is_the_reverse_of_playing(parts, stop):
    answer = Answer(
        id="m1",
        model="m",
        parts=tuple(parts),
        stop=stop,
        stop_sequence="X",
        stop_raw="raw",
        usage=Usage(input=3, output=2),
        created=7,
    )
    assert fold(*events_of(answer)) == answer


def test_blocks_that_grow_in_turns_stay_apart():
    answer = fold(
        Started("m1", "m"),
        ToolStarted(1, "t1", "f"),
        TextDelta(0, "a"),
        ToolDelta(1, '{"x":'),
        Pinged(),
        TextDelta(0, "b"),
        ToolDelta(1, "1}"),
        Finished(Stop.TOOLS),
        Ended(),
    )
    assert answer is not None
    assert answer.parts == (Text("ab"), ToolUse("t1", "f", '{"x":1}'))


def test_a_call_without_arguments_has_an_empty_object():
    answer = fold(ToolStarted(0, "t1", "f"), Finished(Stop.TOOLS), Ended())
    assert answer is not None
    assert answer.parts == (ToolUse("t1", "f", "{}"),)


def test_a_stream_that_has_not_ended_is_no_answer():
    assert fold(Started("m1", "m"), TextDelta(0, "a"), Finished(Stop.END)) is None


@pytest.mark.parametrize(
    ("events", "known", "expected"),
    [
        ((), None, Usage(estimated=True)),
        ((Started("i", "m", Usage(input=1)),), None, Usage(input=1)),
        ((Started("i", "m", Usage(input=1)), UsageSeen(Usage(input=2))), None, Usage(input=2)),
        ((UsageSeen(Usage(input=2)),), Usage(input=3), Usage(input=3)),
    ],
)
def test_the_last_word_on_usage_counts(events, known, expected):
    answer = fold(*events, Ended(), usage=known)
    assert answer is not None
    assert answer.usage == expected
