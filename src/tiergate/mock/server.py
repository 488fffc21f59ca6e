"""Serves the scripted providers over HTTP: carries out the actions that the script decides."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from typing import TypeAlias, assert_never

from granian.constants import HTTPModes
from granian.rsgi import (
    HTTPProtocol,  # pyright: ignore[reportPrivateImportUsage] - documented, but not in `__all__`
    ProtocolClosed,  # pyright: ignore[reportPrivateImportUsage] - the same
    Scope,
)
from granian.server.embed import Server

from tiergate.mock.control import PREFIX, control
from tiergate.mock.player import Player, Request
from tiergate.mock.records import End, Received
from tiergate.mock.rules import Fail, Rule
from tiergate.mock.script import Action, Drop, Open, Pause, Respond, Send
from tiergate.mock.sockets import (
    drop_connection,
    drop_connections_of,
    pick_port,
    refuse_taken_port,
)

MAX_BODY_BYTES = 32 * 1024 * 1024
START_SECONDS = 10.0
STOP_SECONDS = 10.0
FLUSH_SECONDS = 0.02
"""Events are handed to another thread; a connection dropped at once would lose them."""

_GREETING = "Tiergate's scripted providers. Control routes: /_mock/rules, /_mock/calls.\n"

_Connection: TypeAlias = tuple[str, str]


class MockServer:
    """Scripted Anthropic and OpenAI providers on one port.

    Use it as `async with MockServer() as server:`; it runs in the event loop at hand.

    Args:
        host: name or address to listen on; once it runs, the address.
        port: 0 picks a free one; see `port` once it runs.
        rules: the script; may be replaced by `use` or by `PUT /_mock/rules` while it runs.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, rules: Sequence[Rule] = ()) -> None:
        self.host = host
        self.port = port
        self._player = Player(rules)
        self._app: _App | None = None
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

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
            OSError: no such host, the port is taken, or the server did not start.
        """
        self.host = await _resolved(self.host)
        if self.port:
            refuse_taken_port(self.host, self.port)
        else:
            self.port = pick_port(self.host)
        self._app = _App(self._player)
        self._server = Server(
            self._app.handle,
            address=self.host,
            port=self.port,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
        )
        self._serving = asyncio.create_task(self._server.serve())
        await self._listening(self._serving)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, and drop the connections that are open still."""
        if self._app is None or self._server is None or self._serving is None:
            return
        self._app.stop()
        self._server.stop()
        # Else the server would wait for callers who keep a call open or do not read.
        drop_connections_of(self.port)
        await asyncio.wait_for(self._serving, STOP_SECONDS)

    async def _listening(self, serving: asyncio.Task[None]) -> None:
        """Wait until a connection is accepted, and by this server."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while loop.time() < deadline and not serving.done():
            try:
                _, writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                await asyncio.sleep(0.005)
                continue
            writer.close()
            await writer.wait_closed()
            if not serving.done():
                return
        serving.cancel()
        (cause,) = await asyncio.gather(serving, return_exceptions=True)
        # The server's own text goes on with a stack of native frames.
        reason = str(cause).partition("\n")[0] or "It does not answer"
        raise OSError(f"The scripted providers did not start: {reason}.")


async def _resolved(host: str) -> str:
    """The address of a host name, of IPv4 where there is one; the server takes no names."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    *_, address = min(found, key=lambda entry: entry[0] is not socket.AF_INET)
    return str(address[0])


class _App:
    """The RSGI application."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        """End all pauses."""
        if not self._stopping.done():
            self._stopping.set_result(None)

    async def handle(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Serve one HTTP request."""
        body = await _read_body(protocol)
        request = Request(
            method=scope.method,
            path=scope.path,
            query=scope.query_string,
            headers=tuple(scope.headers.items()),
            body=body or b"",
            at=time.time(),
        )
        if scope.path == "/" and scope.method in ("GET", "HEAD"):
            protocol.response_str(200, [("content-type", "text/plain")], _GREETING)
        elif scope.path.startswith(PREFIX):
            _respond(protocol, control(self._player, request))
        else:
            await self._play(request, scope, protocol, fits=body is not None)

    async def _play(
        self, request: Request, scope: Scope, protocol: HTTPProtocol, *, fits: bool
    ) -> None:
        if fits:
            performance = self._player.perform(request)
        else:
            performance = self._player.turn_away(request, Fail(413))
        run = _Run(protocol, (scope.client, scope.server), self._stopping)
        end = End.CALLER_LEFT
        try:
            end = await run.carry_out(performance.actions)
        except ProtocolClosed:
            pass  # the caller left while we were sending
        finally:
            run.close()
            self._player.records.note(performance.number, status=run.status, end=end)


class _Run:
    """Carries out the actions of one call."""

    def __init__(
        self, protocol: HTTPProtocol, connection: _Connection, stopping: asyncio.Future[None]
    ) -> None:
        self.status = 0
        self._protocol = protocol
        self._connection = connection
        self._stopping = stopping
        self._gone: asyncio.Future[None] | None = None

    async def carry_out(self, actions: Sequence[Action]) -> End:
        """Do all actions, unless the caller leaves or the server stops."""
        stream = None
        for action in actions:
            match action:
                case Pause():
                    early = await self._pause(action.seconds)
                    if early is not None:
                        return early
                case Respond():
                    self.status = action.status
                    _respond(self._protocol, action)
                case Open():
                    self.status = 200
                    stream = self._protocol.response_stream(200, [*action.headers.items()])
                case Send():
                    if stream is not None:
                        await stream.send_bytes(action.data)
                        # Granian takes any amount at once, so the others must be let in here.
                        await asyncio.sleep(0)
                case Drop():
                    await asyncio.sleep(FLUSH_SECONDS if stream is not None else 0)
                    return self._drop()
                case _:
                    assert_never(action)
        return End.SENT

    def close(self) -> None:
        """Stop watching the caller."""
        if self._gone is not None:
            self._gone.cancel()

    async def _pause(self, seconds: float) -> End | None:
        """Wait; tell how the call ends if it ends here."""
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._protocol.client_disconnect())
        watched = (self._gone, self._stopping)
        await asyncio.wait(watched, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._gone.done():
            return End.CALLER_LEFT
        return self._drop() if self._stopping.done() else None

    def _drop(self) -> End:
        drop_connection(*self._connection)
        return End.DROPPED


def _respond(protocol: HTTPProtocol, answer: Respond) -> None:
    protocol.response_bytes(answer.status, [*answer.headers.items()], answer.body)


async def _read_body(protocol: HTTPProtocol) -> bytes | None:
    """The whole body, or `None` if it is larger than is taken."""
    parts: list[bytes] = []
    size = 0
    async for part in protocol:
        size += len(part)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
