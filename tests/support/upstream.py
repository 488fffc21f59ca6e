"""A scripted upstream on asyncio streams: tests decide every byte it sends and see all it gets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import TypeAlias

from support import anthropic_wire, openai_wire
from support.exchange import Break, Framing, Gate, Recorded, Reply, Step, Wait, json_reply

READ_LIMIT = 64 * 1024 * 1024

Answer: TypeAlias = Reply | Callable[[Recorded], Reply]
"""A fixed answer, or one made from the request."""


class Upstream:
    """A scripted HTTP/1.1 server on a free loopback port: `async with Upstream() as upstream:`.

    `script` sets the answers to come, for any path or for paths with a certain ending; the last
    one repeats. A path without a script gets a small valid answer of its provider that says
    "from NAME".
    """

    def __init__(self, name: str = "upstream") -> None:
        self.name = name
        self.port = 0
        self.requests: list[Recorded] = []
        self.accepted = 0
        """Connections accepted so far."""
        self._scripts: dict[str, list[Answer]] = {}
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._arrival = asyncio.Condition()

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """Connections open now."""
        return len(self._connections)

    @property
    def last(self) -> Recorded:
        """The newest request."""
        assert self.requests, f"{self.name} has received no request"
        return self.requests[-1]

    def script(self, *answers: Answer, path: str = "") -> None:
        """Set the answers of the next requests; the last one repeats.

        Args:
            answers: in order.
            path: only for paths that end so, such as `/messages`.
        """
        assert answers, "a script needs an answer"
        self._scripts[path] = list(answers)

    def reset(self) -> None:
        """Forget scripts and requests; connections stay."""
        self._scripts.clear()
        self.requests.clear()

    async def received(self, count: int = 1, seconds: float = 5.0) -> Recorded:
        """Wait until so many requests have arrived in all; give the last of them."""
        async with asyncio.timeout(seconds), self._arrival:
            await self._arrival.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def all_closed(self, seconds: float = 5.0) -> None:
        """Wait until no connection is open."""
        async with asyncio.timeout(seconds), self._arrival:
            await self._arrival.wait_for(lambda: not self._connections)

    async def __aenter__(self) -> Upstream:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            await connection.end()
        if self._server is not None:
            await self._server.wait_closed()

    # What follows is called by the connections.

    async def note(self, recorded: Recorded) -> None:
        """Record a request."""
        async with self._arrival:
            self.requests.append(recorded)
            self._arrival.notify_all()

    async def closed(self, connection: _Connection) -> None:
        """Forget a connection."""
        async with self._arrival:
            self._connections.discard(connection)
            self._arrival.notify_all()

    def pick(self, recorded: Recorded) -> Reply:
        """The answer whose turn it is; the longest matching path wins."""
        fitting = [path for path in self._scripts if recorded.path.endswith(path)]
        if not fitting:
            return self._default(recorded)
        queue = self._scripts[max(fitting, key=len)]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        return answer if isinstance(answer, Reply) else answer(recorded)

    def _connection(self) -> _Connection:
        self.accepted += 1
        connection = _Connection(self, self.accepted)
        self._connections.add(connection)
        return connection

    def _default(self, recorded: Recorded) -> Reply:
        for wire in (anthropic_wire, openai_wire):
            reply = wire.default_reply(recorded, f"from {self.name}")
            if reply is not None:
                return reply
        return json_reply({"error": {"message": "not scripted", "type": "not_found"}}, 404)


class _Connection(asyncio.StreamReaderProtocol):
    """One connection: reads requests, runs their replies' steps, notices a caller's leave."""

    def __init__(self, upstream: Upstream, number: int) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(READ_LIMIT, loop)
        super().__init__(reader, self._connected, loop)
        self._upstream = upstream
        self._number = number
        self._left = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def eof_received(self) -> bool | None:
        self._left.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left.set()
        super().connection_lost(exc)

    async def end(self) -> None:
        """Stop serving and close."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._task = asyncio.get_running_loop().create_task(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller left, which its Recorded tells
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            await self._upstream.closed(self)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it. Says whether the connection may be used again."""
        recorded = await self._read(reader)
        reply = self._upstream.pick(recorded)
        await self._upstream.note(recorded)
        loop = asyncio.get_running_loop()
        try:
            whole = await self._answer(reply, recorded, writer)
        except ConnectionError:
            self._left.set()
            whole = False
        if whole:
            recorded.done = loop.time()
        elif self._left.is_set():
            recorded.gone = loop.time()
        recorded.mark_ended()
        return whole and reply.framing is not Framing.EOF

    async def _read(self, reader: asyncio.StreamReader) -> Recorded:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name, value.strip()) for name, _, value in pairs)
        by_name = {name.lower(): value for name, value in headers}
        if "chunked" in by_name.get("transfer-encoding", ""):
            body = await _read_chunks(reader)
        else:
            body = await reader.readexactly(int(by_name.get("content-length", "0")))
        now = asyncio.get_running_loop().time()
        return Recorded(method, target, headers, head, body, self._number, now)

    async def _answer(
        self, reply: Reply, recorded: Recorded, writer: asyncio.StreamWriter
    ) -> bool:
        """Run all steps. Says whether the answer was sent as a whole."""
        for step in reply.before:
            if not await self._do(step, writer, Framing.RAW):
                return False
        writer.write(reply.head())
        await writer.drain()
        for step in reply.steps:
            if recorded.method == "HEAD" and isinstance(step, bytes):
                continue
            if not await self._do(step, writer, reply.framing):
                return False
        if reply.framing is Framing.CHUNKED and recorded.method != "HEAD":
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _do(self, step: Step, writer: asyncio.StreamWriter, framing: Framing) -> bool:
        """Run one step. Says whether the answer may go on."""
        match step:
            case bytes():
                chunked = framing is Framing.CHUNKED
                writer.write(b"%x\r\n%b\r\n" % (len(step), step) if chunked else step)
                await writer.drain()
                await asyncio.sleep(0)
                return not self._left.is_set()
            case Wait():
                return not await self._left_during(asyncio.sleep(step.seconds))
            case Gate():
                return not await self._left_during(step.pass_through())
            case Break.RESET:
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
            case Break.CLOSE:
                writer.close()
                return False

    async def _left_during(self, pause: Coroutine[None, None, None]) -> bool:
        """Pause, and tell whether the caller left meanwhile, at once when it does."""
        tasks = (asyncio.ensure_future(pause), asyncio.ensure_future(self._left.wait()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._left.is_set()


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        parts.append(await reader.readexactly(size))
        await reader.readline()
        if size == 0:
            return b"".join(parts)
