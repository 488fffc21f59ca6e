"""The way to the providers, and the clocks and dice that the shells hand in."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from tiergate.core.catalog import Deployment


class Fault(Enum):
    """Where an exchange with a provider broke, below HTTP."""

    CONNECT = "connect"
    """No TCP connection, or none in time."""
    DNS = "dns"
    """The host name has no address, or none was found in time."""
    TLS = "tls"
    """The handshake failed, the certificate was refused, or the encrypted stream is damaged."""
    RESET = "reset"
    """The connection was cut while a request was on it (RST, or the network gave up)."""
    CLOSED_EARLY = "closed-early"
    """The peer closed in an orderly way before its answer was complete."""
    PROTOCOL = "protocol"
    """What came is not HTTP/1.1."""
    TOO_LARGE = "too-large"
    """Head or body exceed the limit they were read with."""
    PROXY = "proxy"
    """The proxy named in the environment cannot be used, reached, or refused to connect."""


class TransportError(Exception):
    """An exchange with a provider that did not come to its proper end.

    The message names host, port and what happened, never header values or bodies.

    Attributes:
        fault: What kind of failure it was.
        reused: Whether the connection had carried an earlier request. A RESET or CLOSED_EARLY on
            such a connection before any answer mostly means that the peer closed it while idle.
    """

    def __init__(self, fault: Fault, message: str, *, reused: bool = False) -> None:
        super().__init__(message)
        self.fault = fault
        self.reused = reused


class Exchange(Protocol):
    """An upstream answer whose head has arrived."""

    status: int
    headers: list[tuple[bytes, bytes]]
    """Names are lower-cased."""

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header."""
        ...

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body.

        Raises:
            TransportError: It broke off, or is longer than `limit` bytes.
        """
        ...

    async def next(self) -> bytes:
        """Return the body bytes that have arrived, at least one; empty at the proper end.

        Raises:
            TransportError: It broke off.
        """
        ...

    def close(self) -> None:
        """End the exchange; an unfinished one aborts its connection at once."""
        ...

    def release(self) -> None:
        """Take no more, but let the body end, so that the connection can be used again."""
        ...


class Upstreams(Protocol):
    """The way to the providers."""

    async def send(self, deployment: Deployment, head: bytes, body: bytes) -> Exchange:
        """Write a request and wait for the answer's head.

        Raises:
            TransportError: No answer came.
        """
        ...


Clock = Callable[[], float]
"""Gives seconds; monotonic or Unix time, as the place says."""

Dice = Callable[[], float]
"""Gives a number in [0, 1)."""
