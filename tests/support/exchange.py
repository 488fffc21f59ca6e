"""The values of a scripted exchange: what an upstream received, and what it does in return."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

from tiergate.base.jsontypes import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing for some seconds, with the connection open."""

    seconds: float


class Gate:
    """Hold the answer until the test opens the gate, for ever if it never does."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._reached = asyncio.Event()

    def open(self) -> None:
        """Let the answer go on."""
        self._event.set()

    async def reached(self, seconds: float = 5.0) -> None:
        """Wait until the upstream stands at the gate, with all before it sent."""
        await asyncio.wait_for(self._reached.wait(), seconds)

    async def pass_through(self) -> None:
        """For the upstream: wait for `open`."""
        self._reached.set()
        await self._event.wait()


class Break(Enum):
    """Ways to end a connection before its time."""

    RESET = "reset"
    """TCP RST: the peer gets an error at its next read or write."""
    CLOSE = "close"
    """TCP FIN: the peer reads an end of file."""


Step: TypeAlias = bytes | Wait | Gate | Break
"""One thing the upstream does while it answers. Each byte string is a write of its own."""


class Framing(Enum):
    """How the end of a body is announced."""

    LENGTH = "content-length"
    CHUNKED = "chunked"
    EOF = "end of connection"
    RAW = "raw"
    """The steps are the whole answer, status line included; the connection stays open after."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer.

    Attributes:
        steps: the body, piece by piece, with pauses and breaks between.
        before: what happens before the status line (late headers, a break instead of an answer).
        length: announced instead of the true length, with `Framing.LENGTH`.
    """

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    framing: Framing = Framing.LENGTH
    length: int | None = None
    before: tuple[Step, ...] = ()

    def head(self) -> bytes:
        """Status line and headers."""
        lines = [f"HTTP/1.1 {self.status} Scripted"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        match self.framing:
            case Framing.LENGTH:
                size = sum(len(step) for step in self.steps if isinstance(step, bytes))
                lines.append(f"content-length: {size if self.length is None else self.length}")
            case Framing.CHUNKED:
                lines.append("transfer-encoding: chunked")
            case Framing.EOF:
                lines.append("connection: close")
            case Framing.RAW:
                return b""
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(slots=True)
class Recorded:
    """One request as it came in. Times are those of the event loop's clock, in seconds.

    Attributes:
        head: request line and headers, as they came.
        connection: 1 for the first connection of this upstream, 2 for the next.
        arrived: when the request was complete.
        done: when the scripted answer was sent in full.
        gone: when the caller was seen to have left before the answer was complete.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    head: bytes
    body: bytes
    connection: int
    arrived: float
    done: float | None = None
    gone: float | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> Mapping[str, list[str]]:
        """The parameters of the target."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def json(self) -> JsonObject:
        """The body, which must be a JSON object."""
        value: Json = json.loads(self.body)
        assert isinstance(value, dict), f"expected a JSON object, got {self.body[:200]!r}"
        return value

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.header_values(name)), None)

    def header_values(self, name: str) -> list[str]:
        """All values of a header, in the order sent."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    async def ended(self, seconds: float = 5.0) -> None:
        """Wait until the answer was sent, was broken off as scripted, or the caller left."""
        await asyncio.wait_for(self._ended.wait(), seconds)

    def mark_ended(self) -> None:
        """For the upstream: nothing more will happen to this exchange."""
        self._ended.set()


def json_reply(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A plain JSON answer."""
    data = json.dumps(body, ensure_ascii=False).encode()
    return Reply((data,), status, (("content-type", "application/json"), *(headers or {}).items()))


def stream_reply(
    *steps: Step, headers: Mapping[str, str] | None = None, framing: Framing = Framing.CHUNKED
) -> Reply:
    """A 200 answer with an event stream; each event, pause and break is a step."""
    kind = ("content-type", "text/event-stream; charset=utf-8")
    return Reply(steps, 200, (kind, *(headers or {}).items()), framing)


def hanging_reply() -> Reply:
    """No answer, not even a status line, until the caller leaves."""
    return Reply(before=(Gate(),))


def broken_reply(how: Break = Break.RESET) -> Reply:
    """The connection is ended instead of an answer."""
    return Reply(before=(how,))


def split(data: bytes, size: int = 1) -> tuple[bytes, ...]:
    """Cut bytes into pieces that are written one by one."""
    return tuple(data[at : at + size] for at in range(0, len(data), size))
