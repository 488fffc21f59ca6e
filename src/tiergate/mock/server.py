"""Serves the scripted providers over HTTP: carries out the actions that the script decides."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import assert_never

from tiergate.front import Call, ClientGoneError, Front, Limits, Stream
from tiergate.front import Request as Head
from tiergate.mock.call import dialect_of
from tiergate.mock.control import PREFIX, control
from tiergate.mock.player import Performance, Player, Request
from tiergate.mock.records import End, Received
from tiergate.mock.rules import Fail, Rule
from tiergate.mock.script import Action, Drop, Open, Pause, Respond, Send, call_id_of, failure

LOG = logging.getLogger("tiergate.mock")

MAX_BODY_BYTES = 32 * 1024 * 1024
READING_SECONDS = 0.02
"""A reset can overtake events that the caller's program has not read; it is given that time."""

_GREETING = b"Tiergate's scripted providers. Control routes: /_mock/rules, /_mock/calls.\n"


class MockServer:
    """Scripted Anthropic and OpenAI providers on one port.

    Use it as `async with MockServer() as server:`; it runs in the event loop at hand.

    Args:
        host: name or address to listen on.
        port: 0 picks a free one; see `port` once it runs.
        rules: the script; may be replaced by `use` or by `PUT /_mock/rules` while it runs.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, rules: Sequence[Rule] = ()) -> None:
        self.host = host
        self.port = port
        self._player = Player(rules)
        self._app = _App(self._player)
        self._front: Front | None = None

    @property
    def url(self) -> str:
        """Address of the server, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def calls(self) -> tuple[Received, ...]:
        """What was received, oldest first; at most 1,000 calls."""
        return self._player.records.all()

    def use(self, rules: Sequence[Rule]) -> None:
        """Replace the rules, and begin each from its first step."""
        self._player.use(rules)

    def forget_calls(self) -> None:
        """Empty `calls`."""
        self._player.records.clear()

    async def __aenter__(self) -> MockServer:
        """Start listening.

        Raises:
            OSError: no such host, or the port is taken; the text says what to do.
        """
        front = Front(self._app.handle, Limits(), _error, _failed)
        await front.start(self.host, self.port)
        self.port = front.port
        self._app.stopping = False
        self._front = front
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, and drop the connections that are open still."""
        if self._front is not None:
            self._app.stopping = True
            await self._front.aclose()


class _App:
    """The application: answers one request at a time.

    Attributes:
        stopping: it is the server that ends calls now, not their callers.
    """

    def __init__(self, player: Player) -> None:
        self.stopping = False
        self._player = player

    async def handle(self, head: Head, call: Call) -> None:
        """Serve one HTTP request."""
        body = await _read_body(call)
        request = Request(
            method=head.method,
            path=head.path,
            query=head.query_string,
            headers=tuple(head.headers.items()),
            body=body or b"",
            at=time.time(),
        )
        if head.path == "/" and head.method in ("GET", "HEAD"):
            call.response_bytes(200, [("content-type", "text/plain")], _GREETING)
        elif head.path.startswith(PREFIX):
            _respond(call, control(self._player, request))
        elif body is None:
            await self._play(self._player.turn_away(request, Fail(413)), call)
        else:
            await self._play(self._player.perform(request), call)

    async def _play(self, performance: Performance, call: Call) -> None:
        run = _Run(call)
        end = End.DROPPED
        try:
            end = await run.carry_out(performance.actions)
        except ClientGoneError:
            # A stream that just ended would look complete to a caller who closed one half only.
            call.abort()
            if not self.stopping:
                end = End.CALLER_LEFT
        finally:
            self._player.records.note(performance.number, status=run.status, end=end)


class _Run:
    """Carries out the actions of one call.

    Attributes:
        status: the HTTP status sent; 0 if there was none.
    """

    def __init__(self, call: Call) -> None:
        self.status = 0
        self._call = call
        self._gone = asyncio.Event()
        call.watch(self._gone.set)

    async def carry_out(self, actions: Sequence[Action]) -> End:
        """Do all actions.

        Raises:
            ClientGoneError: the caller left, or the server stops.
        """
        stream: Stream | None = None
        for action in actions:
            match action:
                case Pause():
                    await self._pause(action.seconds)
                case Respond():
                    _respond(self._call, action)
                    self.status = action.status
                case Open():
                    stream = self._call.response_stream(200, [*action.headers.items()])
                    self.status = 200
                case Send():
                    if stream is not None:
                        await stream.send_bytes(action.data)
                        # That suspends for slow callers only, so the others must be let in here.
                        await asyncio.sleep(0)
                        self._see_caller()
                case Drop():
                    if stream is not None:
                        await self._pause(READING_SECONDS)
                    self._call.abort()
                    return End.DROPPED
                case _:
                    assert_never(action)
        return End.SENT

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        self._see_caller()

    def _see_caller(self) -> None:
        if self._gone.is_set():
            raise ClientGoneError


def _respond(call: Call, answer: Respond) -> None:
    call.response_bytes(answer.status, [*answer.headers.items()], answer.body)


async def _read_body(call: Call) -> bytes | None:
    """The whole body, or `None` if it is larger than is taken."""
    parts: list[bytes] = []
    size = 0
    async for part in call:
        size += len(part)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _error(
    status: int, path: str, headers: Sequence[tuple[str, str]], sentence: str
) -> tuple[list[tuple[str, str]], bytes]:
    """Put what the HTTP server itself has to say into the provider's shape; it is no call."""
    dialect = dialect_of(path, dict(headers))
    fail = Fail(status, message=sentence)
    answer = failure(dialect, call_id_of(dialect, 0), int(time.time()), fail)
    return [*answer.headers.items()], answer.body


def _failed(path: str, error: Exception | None) -> None:
    """Log a fault of our own; the caller has got a 500."""
    LOG.error("a request failed inside the scripted providers: %s", path, exc_info=error)
