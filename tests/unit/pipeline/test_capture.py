"""What goes in and comes out is kept for sinks that get words, and nothing where there is none."""

from __future__ import annotations

import json

import pytest

from support.engine import Stage, error, hangs, json_turn, plain, served_by, stream
from support.jumping import play
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect, Operation
from tiergate.core import telling as bounds
from tiergate.core.record import CallRecord
from tiergate.core.telling import Telling
from tiergate.core.trail import Tried
from tiergate.pipeline import capture
from tiergate.pipeline.attempt import Plain
from tiergate.pipeline.capture import CapturingEngine
from tiergate.pipeline.parts import GaveUp

ASK: JsonObject = {
    "model": "cheap",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Secret of Ask"}],
}


class Heard:
    """A stage whose engine is listened to."""

    def __init__(self, *turns, **more) -> None:
        self.stage = Stage([served_by("cheap", "dep-a")], turns, **more)
        self.inner = self.stage.engine
        self.stage.engine = CapturingEngine(self.inner)

    async def ask(self, body: JsonObject = ASK, telling: Telling | None = None) -> bytes:
        read = self.stage.read

        def with_telling(*args, **how):
            inbound, wish = read(*args, **how)
            inbound.telling = telling
            return inbound, wish

        self.stage.read = with_telling
        return await self.stage.ask(body)

    @property
    def record(self) -> CallRecord:
        return self.stage.witness.records[-1]


def test_a_plain_answer_is_kept_with_its_request():
    async def work() -> None:
        heard, telling = Heard(plain(text="Hi")), Telling(0.0)
        body = await heard.ask(telling=telling)
        assert telling.request is not None
        assert json.loads(telling.request) == ASK
        assert telling.pieces == [body]
        assert not telling.streamed
        assert telling.asked == "cheap"
        assert heard.record.telling is telling

    play(work())


def test_a_stream_is_kept_as_its_caller_got_it():
    async def work() -> None:
        heard, telling = Heard(stream(text="Hi")), Telling(0.0)
        sent = await heard.ask({**ASK, "stream": True}, telling)
        assert b"".join(telling.pieces) == sent
        assert telling.streamed
        usage = heard.record.usage
        assert usage is not None
        assert usage.output == 5, "the reader behind still counts"

    play(work())


def test_without_a_telling_the_engine_is_as_it_was():
    async def work() -> None:
        heard = Heard(stream(text="Hi"))
        await heard.ask({**ASK, "stream": True})
        assert not isinstance(heard.stage.served.outcome, Plain)
        assert not isinstance(heard.stage.served.outcome.reader, capture.Listening)
        assert heard.record.telling is None

    play(work())


def test_a_request_that_is_too_large_is_not_kept(monkeypatch):
    monkeypatch.setattr(capture, "MOST_REQUEST", 10)

    async def work() -> None:
        heard, telling = Heard(plain()), Telling(0.0)
        await heard.ask(telling=telling)
        assert telling.request is None
        assert telling.pieces == []

    play(work())


def test_an_answer_that_is_too_large_is_not_kept(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_ANSWER", 100)

    async def work() -> None:
        heard, telling = Heard(stream(text="Hi" * 100)), Telling(0.0)
        await heard.ask({**ASK, "stream": True}, telling)
        assert telling.cut
        assert telling.pieces == []

    play(work())


def test_words_that_are_hidden_are_not_kept():
    async def work() -> None:
        heard, telling = Heard(plain(text="Hi")), Telling(0.0, wordless=True)
        await heard.ask(telling=telling)
        assert telling.pieces == []

    play(work())


def test_the_attempts_are_kept_for_good_and_failed_calls():
    async def work() -> None:
        good, telling = Heard(error(503), plain()), Telling(0.0)
        await good.ask(telling=telling)
        tried = [each for each in telling.trail if isinstance(each, Tried)]
        assert [each.status for each in tried] == [503, 200]
        assert tried[1].begun >= tried[0].begun + tried[0].seconds

        bad, failed = Heard(error(400, kind="invalid_request_error")), Telling(0.0)
        with pytest.raises(GaveUp):
            await bad.ask(telling=failed)
        assert [each.status for each in failed.trail if isinstance(each, Tried)] == [400]
        assert bad.record.telling is failed

    play(work())


def test_vectors_are_not_kept():
    async def work() -> None:
        vectors = json_turn(
            {
                "object": "list",
                "model": "m",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            }
        )
        stage = Stage([served_by("cheap", "dep-a", Dialect.OPENAI)], [vectors])
        engine = CapturingEngine(stage.engine)
        inbound, wish = stage.read(
            {"model": "cheap", "input": "x"}, Dialect.OPENAI, Operation.EMBEDDING
        )
        inbound.telling = Telling(0.0)
        served = await engine.run(inbound, wish)
        engine.finished(served, None, None)
        assert inbound.telling.request is not None
        assert inbound.telling.pieces == []

    play(work())


def test_a_break_after_the_first_content_is_told_by_the_reader_behind():
    async def work() -> None:
        heard, telling = Heard(stream(text="Hi")), Telling(0.0)
        await heard.ask({**ASK, "stream": True}, telling)
        reader = heard.stage.served.outcome.reader
        assert isinstance(reader, capture.Listening)
        assert reader.content
        assert reader.ended
        assert reader.failure is None
        assert not reader.refused
        assert reader.metered
        assert reader.said_bytes > 0
        assert reader.said_pieces > 0

    play(work())


def test_headers_and_refusals_pass_through():
    async def work() -> None:
        heard = Heard(plain(), hangs())
        await heard.ask(telling=Telling(0.0))
        assert heard.stage.engine.limit_headers(heard.stage.served) == []
        heard.stage.engine.refused(Dialect.OPENAI, Operation.CHAT, 401, 0.0)

    play(work())
