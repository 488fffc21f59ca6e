"""Server-sent events: whatever the network does to the pieces, the events are the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiergate.providers import sse
from tiergate.providers.sse import EventTooLargeError, SseEvent, SseSplitter


def split(raw: bytes, cuts: tuple[int, ...] = ()) -> list[SseEvent]:
    """Feed `raw` cut at the given places; return all events, the unfinished one included."""
    splitter = SseSplitter()
    events: list[SseEvent] = []
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        events += splitter.feed(raw[start:end])
    last = splitter.end()
    return [*events, last] if last else events


def seen(events: list[SseEvent]) -> list[tuple[bytes, bytes]]:
    return [(event.name, event.data) for event in events]


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: a\n\n", [(b"", b"a")]),
        (b"data:a\n\n", [(b"", b"a")]),
        (b"data:  a\n\n", [(b"", b" a")]),
        (b"data\n\n", [(b"", b"")]),
        (b"event: x\ndata: a\n\n", [(b"x", b"a")]),
        (b"data: a\nevent: x\n\n", [(b"x", b"a")]),
        (b"data: a\ndata: b\n\n", [(b"", b"a\nb")]),
        (b"data: a: b\n\n", [(b"", b"a: b")]),
        (b"id: 7\nretry: 10\ndata: a\n\n", [(b"", b"a")]),
        (b": keep-alive\n\n", []),
        (b": keep-alive\n\ndata: a\n\n", [(b"", b"a")]),
        (b"\n\n\ndata: a\n\n\n\ndata: b\n\n", [(b"", b"a"), (b"", b"b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [(b"", b"a")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [(b"", b"a"), (b"", b"b")]),
        (b"data: a\r\rdata: b\r\r", [(b"", b"a"), (b"", b"b")]),
        (b"data: a\rdata: b\n\n", [(b"", b"a\nb")]),
        (b"data: a\r\n\rdata: b\n\r\ndata: c\r\n\n", [(b"", b"a"), (b"", b"b"), (b"", b"c")]),
        (b"event: ping\n\n", [(b"ping", b"")]),
        (b"data: [DONE]\n", [(b"", b"[DONE]")]),
        (b"data: [DONE]", [(b"", b"[DONE]")]),
        (b"", []),
        (b"\n\n", []),
        (b"\xef\xbb\xbf", []),
        (b"\xef", []),
    ],
)
def test_events_are_framed_as_the_standard_says(raw, events):
    assert seen(split(raw)) == events


def test_the_raw_bytes_of_an_event_hold_its_blank_line():
    events = split(b"event: x\ndata: a\n\ndata: b\r\n\r\n")

    assert [event.raw for event in events] == [b"event: x\ndata: a\n\n", b"data: b\r\n\r\n"]


def test_an_event_is_given_as_soon_as_its_blank_line_is_there():
    splitter = SseSplitter()

    assert splitter.feed(b"data: a\n") == []
    assert seen(splitter.feed(b"\ndata: b")) == [(b"", b"a")]
    assert seen(splitter.feed(b"\n\n")) == [(b"", b"b")]
    assert splitter.end() is None


def test_a_carriage_return_at_the_end_waits_for_its_line_feed():
    splitter = SseSplitter()

    assert splitter.feed(b"data: a\r\n\r") == []
    assert seen(splitter.feed(b"\ndata: b\r\n\r\n")) == [(b"", b"a"), (b"", b"b")]


def test_a_character_cut_in_two_stays_whole():
    raw = "data: naïve € 日本 😀\n\n".encode()

    for cut in range(len(raw)):
        assert seen(split(raw, (cut,))) == [(b"", "naïve € 日本 😀".encode())]


def test_a_byte_order_mark_cut_in_two_is_still_one():
    raw = b"\xef\xbb\xbfdata: a\n\n"

    assert seen(split(raw, (1, 2))) == [(b"", b"a")]


def test_an_event_without_an_end_is_refused_when_it_grows_too_large(monkeypatch):
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    splitter = SseSplitter()
    splitter.feed(b"data: " + b"a" * 90)

    with pytest.raises(EventTooLargeError):
        splitter.feed(b"a" * 90)


def test_many_events_larger_than_the_limit_together_are_fine(monkeypatch):
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)

    assert len(split(b"data: aaaaaaaaaaaaaaaaaaaa\n\n" * 50)) == 50


ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
texts = st.text(
    st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12
).map(str.encode)
lines = st.one_of(
    texts.map(lambda text: b"data: " + text),
    texts.map(lambda text: b"data:" + text),
    texts.map(lambda text: b"event: " + text),
    texts.map(lambda text: b": " + text),
    st.just(b"retry: 3"),
)


@st.composite
def streams(draw) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A byte stream, and what its events are."""
    raw = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    wanted: list[tuple[bytes, bytes]] = []
    for _ in range(draw(st.integers(0, 4))):
        name, data = b"", []
        for line in draw(st.lists(lines, min_size=1, max_size=4)):
            raw += line + draw(ends)
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value
        end = draw(ends)
        # CR and LF that meet are one line end, so a blank line cannot be made of them.
        raw += b"\r" if raw.endswith(b"\r") and end == b"\n" else end
        if data or name:
            wanted.append((name, b"\n".join(data)))
    return raw, wanted


@given(streams(), st.lists(st.integers(0, 2_000), max_size=12).map(tuple))
@example((b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [(b"", b"a"), (b"", b"b"), (b"", b"c")]), ())
def test_any_split_and_any_line_ends_give_the_same_events(stream, cuts):
    raw, wanted = stream

    assert seen(split(raw, cuts)) == wanted
    assert seen(split(raw, tuple(range(len(raw))))) == wanted


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6).map(tuple))
def test_no_bytes_at_all_are_too_much_for_it(raw, cuts):
    assert seen(split(raw, cuts)) == seen(split(raw))
