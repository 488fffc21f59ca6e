"""An open stream that guards look at: what `relay` carries to the caller instead of the stream.

It is an `Exchange` and a `StreamReader` in one. All that waits (the provider, the guards) happens
when the next piece is asked for. Until the first text has passed nothing is sent, so a block that
is known by then is an ordinary error answer; later ones end the stream with an error event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from tiergate.base.errors import Failure, Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.pipeline.attempt import Open, unreachable
from tiergate.pipeline.guard_checks import SUCCESS, Checks, Installed
from tiergate.pipeline.guard_events import Event, Splitter, event_bytes
from tiergate.pipeline.guard_stream import Emitter, Live
from tiergate.pipeline.guard_whole import judged
from tiergate.pipeline.guard_words import as_failure, frame
from tiergate.pipeline.relay import silent
from tiergate.ports import Clock, Forms, Inbound, TransportError
from tiergate.ports.guarding import CallGuard, Occasion
from tiergate.wire.members import encode

MOST_HELD: Final = 16 * 1024 * 1024
"""Bytes of an answer that are held back for a guard that needs the whole of it."""

MOST_COLLECTED: Final = 4 * 1024 * 1024
"""Bytes of an answer that are kept for guards that look when all is over."""

_DONE: Final = b"data: [DONE]\n\n"


class _BrokenError(Exception):
    """The provider's stream has ended before its end."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What a guarded stream is made of.

    Attributes:
        checks: Runs guards.
        guards: The guards of answers, in their order.
        occasion: The call.
        values: Masked values of the request, by placeholder.
        inbound: The request.
        body: Gives it decoded, for classes of the user.
        forms: Turns the form of an answer into another one.
        splitter: Makes what splits bytes into events.
        clock: Monotonic seconds.
        silence: Most seconds between two pieces of the provider.
        over: Is given all bytes of the provider when it is over; None where nobody asks.
    """

    checks: Checks
    guards: tuple[Installed, ...]
    occasion: Occasion
    values: Mapping[str, str]
    inbound: Inbound
    body: Callable[[], JsonObject]
    forms: Forms
    splitter: Callable[[], Splitter]
    clock: Clock
    silence: float | None
    over: Callable[[bytes], None] | None = None


def needs_whole(guards: Sequence[Installed]) -> bool:
    """Tell whether streams are held back until their end."""
    return any(
        each.guard.window is None
        if each.guard is not None
        else each.call is not None and not each.call.streams
        for each in guards
    )


class GuardedStream:
    """One stream on its way to a caller.

    Args:
        opened: The stream, in the caller's dialect.
        watching: Who looks at it, and with what.
    """

    metered = True
    content = True

    def __init__(self, opened: Open, watching: Watching) -> None:
        self._opened = opened
        self._watching = watching
        self._primed: list[bytes] = []
        self._said = False
        self._collected: list[bytes] | None = [] if watching.over is not None else None
        self._size = 0
        self._out = self._bytes()
        self.headers = opened.exchange.headers
        self.status = opened.exchange.status
        self._finished = False
        self.failure: Failure | None = None
        self.refusal: Refused | None = None

    # ------------------------------------------------------------------ Exchange

    def header(self, name: bytes) -> bytes | None:
        """Return a header of the provider."""
        return self._opened.exchange.header(name)

    async def prime(self) -> None:
        """Read until the first text may be shown.

        Raises:
            Refused: The answer is blocked; nothing of it was sent.
        """
        while not (self._said or self._over):
            piece = await self._next()
            if piece:
                self._primed.append(piece)
        if self.refusal is not None:
            raise self.refusal

    async def next(self) -> bytes:
        """Return what can be sent by now; empty where that is nothing."""
        if self._primed:
            primed, self._primed = b"".join(self._primed), []
            return primed
        return await self._next()

    async def read(self, limit: int) -> bytes:
        """Return the rest, whatever its length."""
        del limit
        pieces: list[bytes] = []
        while not self.ended and self.failure is None:
            pieces.append(await self.next())
        return b"".join(pieces)

    def close(self) -> None:
        """Read no more."""
        self._opened.exchange.close()

    def release(self) -> None:
        """Give the connection back."""
        self._opened.exchange.release()

    # ------------------------------------------------------------------ StreamReader

    @property
    def ended(self) -> bool:
        """The stream is over, and all of it was handed out."""
        return self._finished and not self._primed

    @property
    def refused(self) -> bool:
        """The model ended with a content-policy stop."""
        return self._opened.reader.refused

    @property
    def usage(self) -> Usage | None:
        """Usage so far."""
        return self._opened.usage

    @property
    def said_bytes(self) -> int:
        """See `ports.StreamReader`."""
        return self._opened.reader.said_bytes

    @property
    def said_pieces(self) -> int:
        """See `ports.StreamReader`."""
        return self._opened.reader.said_pieces

    def feed(self, piece: bytes) -> bytes:
        """Return the piece: guards have seen it."""
        return piece

    def eof(self) -> bytes:
        """Add nothing: an empty piece is no end here."""
        return b""

    def error(self, failure: Failure) -> bytes:
        """Return the in-band error frame."""
        if self.refusal is not None:
            return frame(self.refusal, self._watching.inbound.dialect)
        return self._opened.reader.error(failure)

    # ------------------------------------------------------------------ inside

    @property
    def _over(self) -> bool:
        return self._finished or self.failure is not None

    async def _next(self) -> bytes:
        try:
            return await anext(self._out)
        except StopAsyncIteration:
            self._finished = True
            self._tell_over()
        except Refused as refused:
            self._opened.exchange.close()
            self.refusal, self.failure = refused, as_failure(refused)
        except _BrokenError as broken:
            self.failure = broken.failure
        return b""

    def _tell_over(self) -> None:
        if self._collected is not None and self._watching.over is not None:
            self._watching.over(b"".join(self._collected))

    def _bytes(self) -> AsyncIterator[bytes]:
        """Return the bytes for the caller: those of the texts' guards, then of the classes."""
        guards = self._watching.guards
        texts = tuple(each for each in guards if each.guard is not None)
        calls = tuple((each, each.call) for each in guards if each.call is not None)
        out = self._whole(texts, calls) if needs_whole(guards) else self._live(texts)
        for installed, call in calls:
            if call.streams:
                out = self._through(installed, call, out)
        return out

    async def _upstream(self) -> AsyncIterator[Sequence[Event]]:
        """Yield the provider's events, piece by piece; some pieces complete none."""
        opened, splitter = self._opened, self._watching.splitter()
        exchange, reader = opened.exchange, opened.reader
        yield self._split(splitter, opened.held)
        while not reader.ended:
            try:
                async with asyncio.timeout(self._watching.silence):
                    piece = await exchange.next()
            except TimeoutError:
                raise _BrokenError(silent()) from None
            except TransportError as exc:
                raise _BrokenError(unreachable(exc)) from None
            yield self._split(splitter, reader.feed(piece) if piece else reader.eof())
            if reader.failure is not None:
                raise _BrokenError(reader.failure)

    def _split(self, splitter: Splitter, data: bytes) -> Sequence[Event]:
        if self._collected is not None and self._size < MOST_COLLECTED:
            self._collected.append(data)
            self._size += len(data)
        return splitter.feed(data) if data else ()

    async def _live(self, guards: Sequence[Installed]) -> AsyncIterator[bytes]:
        watching = self._watching
        begun = watching.clock()
        judge = Live(watching.checks, guards, watching.occasion, watching.values)
        holds = bool(guards or watching.values)
        emitter = Emitter(watching.inbound.dialect, judge, plain=bool(guards), holds_tools=holds)
        async for events in self._upstream():
            out = b"".join([await emitter.feed(event) for event in events])
            self._said = self._said or emitter.said
            yield out
        rest = await emitter.end()
        judge.finished(watching.clock() - begun)
        if rest:
            yield rest

    async def _whole(
        self, guards: Sequence[Installed], calls: Sequence[tuple[Installed, CallGuard]]
    ) -> AsyncIterator[bytes]:
        watching = self._watching
        held: list[Event] = []
        size = 0
        upstream = self._upstream()
        async for events in upstream:
            held += events
            size += sum(len(event.raw) for event in events)
            if size > MOST_HELD:
                self._too_large()
                yield b"".join(event.raw for event in held)
                held = []
                async for later in upstream:
                    yield b"".join(event.raw for event in later)
                return
            yield b""
        body = b"".join(event.raw for event in held)
        decided = await judged(
            held,
            watching.inbound.dialect,
            watching.checks,
            guards,
            watching.occasion,
            watching.values,
        )
        body = body if decided is None else decided
        for installed, call in calls:
            if not call.streams:
                body = await self._shown_whole(installed, call, body)
        yield body

    def _too_large(self) -> None:
        """Judge an answer that is larger than what is held back.

        Raises:
            Refused: It may not pass unchecked.
        """
        watching = self._watching
        for each in watching.guards:
            watching.checks.undecided(
                each.plan,
                watching.occasion,
                "unavailable",
                f"the answer is larger than {MOST_HELD // (1024 * 1024)} MB, and it needs the "
                "whole of it",
            )

    async def _shown_whole(self, installed: Installed, call: CallGuard, body: bytes) -> bytes:
        """Show a stream to a class that only knows plain answers."""
        watching = self._watching
        plain = watching.forms.as_plain(watching.inbound, body, self.usage)
        if plain is None:
            watching.checks.undecided(
                installed.plan,
                watching.occasion,
                "unavailable",
                "the stream cannot be put together to one answer",
            )
            return body
        answer = cast("JsonObject", msgspec.json.decode(plain))
        before = encode(answer)
        found = await watching.checks.run(
            installed.plan,
            watching.occasion,
            call.answer(watching.body(), answer, watching.occasion),
        )
        after = encode(answer if found is None else found)
        if after == before:
            return body
        events = watching.forms.as_stream(watching.inbound, after)
        if events is None:
            watching.checks.undecided(
                installed.plan, watching.occasion, "bug", "it made an answer that is none"
            )
            return body
        return events

    async def _through(
        self, installed: Installed, call: CallGuard, source: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        """Pass a stream through a class that takes it event by event."""
        watching = self._watching
        named = watching.inbound.dialect is Dialect.ANTHROPIC
        begun = watching.clock()
        done: list[bytes] = []
        ended: list[_BrokenError | Refused] = []

        async def decoded() -> AsyncIterator[JsonObject]:
            splitter = watching.splitter()
            try:
                async for data in source:
                    for event in splitter.feed(data) if data else ():
                        if event.data.startswith(b"[DONE]"):
                            done.append(_DONE)
                            continue
                        value = cast("Json", msgspec.json.decode(event.data))
                        if isinstance(value, dict):
                            yield value
            except (_BrokenError, Refused) as exc:
                ended.append(exc)  # not the class's own: it sees an end, the caller sees why

        events = call.events(watching.body(), decoded(), watching.occasion)
        while True:
            step = watching.checks.step(installed.plan, watching.occasion, events)
            value = await step
            if value is None:
                break
            self._said = True
            kind = value.get("type") if named else None
            yield event_bytes(str(kind).encode() if kind else b"", encode(value))
        watching.checks.seen(installed.plan, watching.occasion, SUCCESS, watching.clock() - begun)
        if ended:
            raise ended[0]
        if done:
            yield _DONE
