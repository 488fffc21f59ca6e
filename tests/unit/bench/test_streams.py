import itertools

import pytest
from bench import client, streams, wire
from bench.load import LoadFailedError
from bench.streams import StreamLoad, StreamReader, StreamRun
from bench.wire import Dialect, Stamp, StreamScript
from hypothesis import given
from hypothesis import strategies as st


def stream_of(dialect: Dialect, chunks: int) -> bytes:
    content = [wire.content_chunk(dialect, Stamp(n, 1_000 * n)) for n in range(chunks)]
    return b"".join(
        (*wire.stream_head(dialect), *content, *wire.stream_tail(dialect, chunks, usage=True))
    )


@given(st.sampled_from(Dialect), st.integers(0, 6), st.lists(st.integers(0, 4_000), max_size=12))
def test_a_stream_is_read_the_same_wherever_it_is_cut(dialect, chunks, cuts):
    text = stream_of(dialect, chunks)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    reader = StreamReader(dialect)

    for begin, end in itertools.pairwise(places):
        reader.take(text[begin:end], 1_000_000)

    assert reader.verdict(200, chunks) is None
    assert reader.delays_us == [(1_000_000 - 1_000 * n) / 1_000 for n in range(chunks)]


def test_a_chunk_counts_as_alone_only_if_its_read_brought_no_other():
    reader = StreamReader(Dialect.OPENAI)
    first, second, third = (wire.content_chunk(Dialect.OPENAI, Stamp(n, 0)) for n in range(3))

    assert [reader.take(first, 1), reader.take(second + third, 2)] == [1, 2]
    assert reader.alone == 1


def test_a_lost_chunk_is_a_fault():
    reader = StreamReader(Dialect.OPENAI)
    reader.take(wire.content_chunk(Dialect.OPENAI, Stamp(1, 0)), 1)

    assert reader.verdict(200, 1) == "chunk 1 came where 0 was due"


def test_a_stream_without_its_end_is_a_fault():
    reader = StreamReader(Dialect.ANTHROPIC)
    reader.take(wire.content_chunk(Dialect.ANTHROPIC, Stamp(0, 0)), 1)

    assert "ended without" in (reader.verdict(200, 1) or "")


def test_a_short_stream_shows_what_came_instead():
    reader = StreamReader(Dialect.OPENAI)
    reader.take(b'data: {"error":{"message":"overloaded"}}\n\n', 1)

    assert "0 of 1 chunks came; then" in (reader.verdict(200, 1) or "")
    assert "overloaded" in (reader.verdict(200, 1) or "")


def test_a_refusal_shows_its_status_and_body():
    reader = StreamReader(Dialect.OPENAI)
    reader.take(b'{"error":"no"}', 1)

    assert reader.verdict(429, 1) == 'status 429: b\'{"error":"no"}\''


def test_the_figures_of_a_run_are_shares_and_percentiles():
    run = StreamRun(delays_us=(1.0, 2.0, 3.0, 4.0), firsts_us=(7.0, 9.0), alone=3, seconds=2.0)

    assert (run.chunks, run.alone_share, run.delay(50), run.first(99)) == (4, 0.75, 2.0, 9.0)


@pytest.mark.parametrize("dialect", Dialect)
def test_every_chunk_of_every_stream_is_counted(upstream_port, dialect):
    load = StreamLoad(upstream_port, dialect, "stream-openai", StreamScript(5, 1), at_once=3)

    run = streams.run_streams(load, total=6)

    assert run.chunks == 30
    assert len(run.firsts_us) == 6
    assert min(run.delays_us) > 0


def test_a_stream_that_is_refused_fails_the_run(upstream_port, monkeypatch):
    monkeypatch.setattr(wire, "stream_tail", lambda *_, **__: ())
    load = StreamLoad(upstream_port, Dialect.OPENAI, "a", StreamScript(2, 1), at_once=2)

    with pytest.raises(LoadFailedError, match="ended without"):
        streams.run_streams(load, total=2)


def test_a_server_that_is_not_there_fails_the_run():
    load = StreamLoad(1, Dialect.OPENAI, "a", StreamScript(2, 1), at_once=2)

    with pytest.raises(LoadFailedError, match="connection failed"):
        streams.run_streams(load, total=2)


def test_held_streams_are_all_open_while_looked_at_and_left_after(upstream_port, monkeypatch):
    monkeypatch.setattr(streams, "_SETTLE_SECONDS", 0.0)
    script = StreamScript(1_000, 60_000)
    load = StreamLoad(upstream_port, Dialect.OPENAI, "a", script, at_once=40)

    assert streams.hold_streams(load, lambda: client.streams_open(upstream_port)) == 40
    assert any(client.streams_open(upstream_port) == 0 for _ in range(500))


def test_streams_that_end_by_themselves_cannot_be_held(upstream_port, monkeypatch):
    monkeypatch.setattr(streams, "_SETTLE_SECONDS", 0.2)
    load = StreamLoad(upstream_port, Dialect.OPENAI, "a", StreamScript(2, 1), at_once=3)

    with pytest.raises(LoadFailedError, match="3 of 3 streams did not stay open"):
        streams.hold_streams(load, lambda: None)
